internal import Configuration
internal import Notation
internal import Scoreboard

extension StatusPageContent {
    /// `status.json`: an object on one line. Times are seconds since 1970.
    var json: String {
        var members = [
            "\"version\":\(JSONString.quoted(version))", "\"written_at\":\(Self.seconds(wall))",
            "\"processes\":[\(processes.map(json).joined(separator: ","))]", "\"events\":\(events)",
        ]
        let dependencies = Dependency.allCases.compactMap { dependency in
            isUp(dependency).map { "\(JSONString.quoted(dependency.name)):\($0)" }
        }
        members.append("\"dependencies\":{\(dependencies.joined(separator: ","))}")
        let names = degraded?.filter(\.isSo).map { "\"\($0.name)\"" } ?? []
        let storage = [
            "\"ready\":\(isReady)", "\"degraded\":[\(names.joined(separator: ","))]",
            "\"last_commit_at\":\(Self.optional(lastCommit.map(Self.seconds)))",
            "\"partitions_ahead\":\(Self.optional(partitionsAhead))",
            "\"keys_saved_at\":\(Self.optional(keysSavedAt.map(Self.seconds)))",
            "\"spool\":\(Self.optional(spool.map(Self.json)))",
        ]
        members.append("\"storage\":{\(storage.joined(separator: ","))}")
        members.append("\"rate_limit_fallbacks\":\(total(\.rateLimitFallbacks))")
        members.append("\"log_lines_dropped\":\(total(\.droppedLogLines))")
        members.append("\"health\":{\(health.map(json).joined(separator: ","))}")
        let reload = lastReload.map { "{\"at\":\(Self.seconds($0.at)),\"succeeded\":\($0.succeeded)}" }
        members.append("\"last_reload\":\(Self.optional(reload))")
        let maintenance = lastMaintenance.map {
            "{\"at\":\($0.at),\"result\":\(JSONString.quoted($0.result.rawValue))}"
        }
        members.append("\"last_maintenance\":\(Self.optional(maintenance))")
        members.append("\"streams\":\(streams)")
        members.append("\"latency\":\(latency)")
        members.append("\"recent\":\(recent)")
        members.append("\"near_limits\":\(nearLimits)")
        members.append("\"log\":\(log)")
        return "{\(members.joined(separator: ","))}\n"
    }

    private var events: String {
        let outcomes = outcomes
        let discarded = OutcomeLabels.reasons.enumerated().map { place, reason in
            "\(JSONString.quoted(reason)):\(outcomes[OutcomeLabels.discarded(place)])"
        }
        return "{\"accepted\":\(outcomes[OutcomeLabels.accepted]),\"discarded\":{\(discarded.joined(separator: ","))}}"
    }

    private static func json(_ spool: SpoolReading) -> String {
        "{\"events\":\(spool.events),\"bytes\":\(spool.bytes),\"limit_bytes\":\(spool.limit),"
            + "\"oldest_received_at\":\(optional(spool.oldest.map(seconds))),\"quarantine\":\(spool.quarantine),"
            + "\"available_bytes\":\(optional(spool.room)),\"available_inodes\":\(optional(spool.files)),"
            + "\"fault\":\(spool.fault == 0 ? "null" : JSONString.quoted(words(of: spool.fault)))}"
    }

    private func json(_ process: Process) -> String {
        let reading = process.reading
        let isWaiting = reading.state == .waiting
        let members = [
            "\"role\":\(JSONString.quoted(reading.role.name))", "\"name\":\(JSONString.quoted(reading.name))",
            "\"pid\":\(reading.pid > 0 ? "\(reading.pid)" : "null")",
            "\"state\":\(JSONString.quoted(reading.state.name))",
            "\"started_at\":\(reading.started > 0 ? Self.seconds(reading.started) : "null")",
            "\"starts_at\":\(isWaiting ? Self.seconds(reading.startAt) : "null")",
            "\"restarts\":\(reading.restarts.reduce(0, &+))",
            "\"requests_per_second\":\((process.requestsPerSecond * 10).rounded() / 10)",
            "\"in_hand\":\(reading.inHand)", "\"memory_bytes\":\(Self.optional(process.memory))",
            "\"heartbeat_age\":\(age(reading.vitals.heartbeat))",
            "\"executing_for\":\(age(reading.vitals.execution?.since))",
        ]
        return "{\(members.joined(separator: ","))}"
    }

    private func json(_ health: (subject: HealthSubject, reading: HealthReading)) -> String {
        let reading = health.reading
        return "\(JSONString.quoted(health.subject.rawValue)):{\"at\":\(Self.seconds(reading.at)),"
            + "\"duration\":\(Double(reading.duration) / 1e9),\"failures_in_row\":\(reading.failuresInRow)}"
    }

    private func age(_ moment: Int64?) -> String {
        Self.optional(moment.map { Double(max(now - $0, 0)) / 1e9 })
    }

    /// Microseconds as seconds with six decimals.
    static func seconds(_ microseconds: Int64) -> String {
        let decimals = String(max(microseconds, 0) % 1_000_000)
        return "\(max(microseconds, 0) / 1_000_000)." + String(repeating: "0", count: 6 - decimals.count) + decimals
    }

    private static func optional(_ value: (some CustomStringConvertible)?) -> String {
        value.map { "\($0)" } ?? "null"
    }
}
