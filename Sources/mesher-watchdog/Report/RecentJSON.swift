internal import Notation
internal import Scoreboard

/// What `status.json` says of the last 15 minutes.
extension StatusPageContent {
    /// The steps in which latency is "now".
    private static let stepsOfNow = 6
    private static let stepsOfMinute = 12

    /// Rates and latencies step by step, the oldest first, and what a minute and all of it add up to.
    var recent: String {
        let rates = [
            ("accepted", { $0.outcomes[OutcomeLabels.accepted] }),
            ("discarded", { $0.discarded { $0 != "rate_limited" && $0 != "unavailable" } }),
            ("rate_limited", { $0.discarded { $0 == "rate_limited" } }),
            ("unavailable", { $0.discarded { $0 == "unavailable" } }),
        ].map { (name: String, count: (RecentPast.Totals) -> UInt64) in
            "\"\(name)\":[\(past.steps.map { Self.rate(count($0.added), $0.seconds) }.joined(separator: ","))]"
        }
        let delivered = past.steps.last.map { Self.rate($0.added.delivered, $0.seconds) }
        return "{\"step\":\(Double(RecentPast.step) / 1e9),\"rates\":{\(rates.joined(separator: ","))},"
            + "\"p50\":[\(quantiles(0.5))],\"p99\":[\(quantiles(0.99))],"
            + "\"delivered_per_second\":\(delivered ?? "null"),"
            + "\"last_minute\":\(Self.counts(past.sum(last: Self.stepsOfMinute))),\"all\":\(Self.counts(past.sum()))}"
    }

    /// Of the requests of the last half minute, the health checks among them.
    var latency: String {
        let durations = past.sum(last: Self.stepsOfNow)?.durations
        return "{\"requests\":\(durations?.count ?? 0),\"p50\":\(Self.quantile(0.5, of: durations)),"
            + "\"p99\":\(Self.quantile(0.99, of: durations))}"
    }

    /// WebSocket connections. Of the projects that are held back, some are named.
    var streams: String {
        let memory = [("memory_limit_bytes", sessionMemoryLimit), ("processes_bytes", sessions.memory)]
            .map { "\"\($0.0)\":\($0.1.map(String.init) ?? "null")" }.joined(separator: ",")
        let held = sessions.heldBack.prefix(10).map(String.init).joined(separator: ",")
        return "{\"sessions\":\(sessionCount),\"memory_bytes\":\(sessions.claimed),\(memory),"
            + "\"projects_held_back\":{\"count\":\(sessions.heldBack.count),\"ids\":[\(held)]}}"
    }

    /// The projects that have used most of their rate limit, the nearest to it first.
    var nearLimits: String {
        let projects = NearLimits.merged(processes.map(\.reading.nearLimits), now: now).map { project in
            "{\"id\":\(project.id),\"used\":\(project.used),\"limit\":\(project.limit),"
                + "\"ends_in\":\(Double(project.endsAt - now) / 1e9)}"
        }
        return "[\(projects.joined(separator: ","))]"
    }

    /// The latest lines of the log, the newest last.
    var log: String {
        let lines = lines.map { line in
            "{\"at\":\(Self.seconds(line.at)),\"level\":\"\(line.level)\",\"program\":\(JSONString.quoted(line.program)),"
                + "\"text\":\(JSONString.quoted(line.text)),\"count\":\(line.count)}"
        }
        return "[\(lines.joined(separator: ","))]"
    }

    private func quantiles(_ share: Double) -> String {
        past.steps.map { Self.quantile(share, of: $0.added.durations) }.joined(separator: ",")
    }

    private static func quantile(_ share: Double, of durations: HistogramReading?) -> String {
        // Microseconds: more digits would not be true.
        durations?.quantile(share, .requestDuration).map { "\(($0 * 1e6).rounded() / 1e6)" } ?? "null"
    }

    private static func rate(_ count: UInt64, _ seconds: Double) -> String {
        "\((Double(count) / seconds * 10).rounded() / 10)"
    }

    /// As the member `events` has them, without reasons that did not occur.
    private static func counts(_ totals: RecentPast.Totals?) -> String {
        guard let totals else { return "{\"accepted\":0,\"discarded\":{}}" }
        let discarded = OutcomeLabels.reasons.enumerated().compactMap { place, reason in
            let count = totals.outcomes[OutcomeLabels.discarded(place)]
            return count > 0 ? "\(JSONString.quoted(reason)):\(count)" : nil
        }
        return "{\"accepted\":\(totals.outcomes[OutcomeLabels.accepted]),"
            + "\"discarded\":{\(discarded.joined(separator: ","))}}"
    }
}
