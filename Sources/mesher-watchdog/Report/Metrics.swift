internal import Configuration
internal import Scoreboard

extension StatusPageContent {
    /// The file `metrics`: what the whole host has counted, and how it is now. No metric has a project as a label.
    var metrics: String {
        var text = MetricsText()
        addRequests(to: &text)
        addSessions(to: &text)
        addChildren(to: &text)
        addStorage(to: &text)
        addOperation(to: &text)
        return text.text
    }

    private func addRequests(to text: inout MetricsText) {
        text.family("mesher_events_total", .counter, "Events by outcome: accepted, or discarded with a reason.")
        let outcomes = outcomes
        text.sample(outcomes[OutcomeLabels.accepted], ["outcome": "accepted", "reason": ""])
        for (place, reason) in OutcomeLabels.reasons.enumerated() {
            text.sample(outcomes[OutcomeLabels.discarded(place)], ["outcome": "discarded", "reason": reason])
        }
        text.family(
            "mesher_client_discards_total", .counter, "Events that clients report to have dropped.")
        for (place, reason) in ClientDiscardLabels.reasons.enumerated() {
            text.sample(readings.reduce(0) { $0 &+ $1.clientDiscards[place] }, ["reason": reason])
        }
        text.family(
            "mesher_requests_total", .counter,
            "Requests answered by workers; for the route key nginx asks whether a key is known.")
        for route in RequestRoute.allCases {
            for (place, status) in RequestStatus.names.enumerated() {
                let count = readings.reduce(0) { $0 &+ $1.requests[route.rawValue][place] }
                if count > 0 { text.sample(count, ["route": route.name, "status": status]) }
            }
        }
        if let durations = total(\.requestDuration) {
            text.histogram(
                "mesher_request_duration_seconds", "Time from reading a request to handing over its answer.",
                .requestDuration, durations)
        }
        text.family("mesher_requests_in_hand", .gauge, "Requests in flight: read and not answered.")
        text.sample(processes.filter { $0.reading.role == .worker }.reduce(0) { $0 + $1.reading.inHand })
        text.family(
            "mesher_projects_waiting", .gauge,
            "Projects whose bodies wait for their turn in a worker, of the worker with most.")
        text.sample(most(\.projectsWaiting))
        text.family(
            "mesher_rate_limit_fallbacks_total", .counter, "Events limited by this host alone, without Redis.")
        text.sample(total(\.rateLimitFallbacks))
    }

    private func addSessions(to text: inout MetricsText) {
        text.family("mesher_stream_sessions", .gauge, "WebSocket connections, each a process.")
        text.sample(sessionCount)
        text.family("mesher_stream_sessions_opened_total", .counter, "WebSocket upgrades answered with 101.")
        text.sample(total(\.sessionsOpened))
        text.family(
            "mesher_stream_sessions_closed_total", .counter,
            "WebSocket connections closed, by close code; lost is without one, dropped is for silence, killed by a signal."
        )
        for ending in SessionEnding.allCases {
            let count = readings.reduce(0) { $0 &+ $1.sessionsClosed[ending.rawValue] }
            text.sample(count, ["code": ending.name])
        }
        text.family(
            "mesher_stream_upgrades_refused_total", .counter,
            "WebSocket upgrades refused, the health checks' 401 included; not those that nginx refused.")
        for (place, status) in RefusedUpgrade.names.enumerated() {
            let count = readings.reduce(0) { $0 &+ $1.upgradesRefused[place] }
            text.sample(count, ["status": status])
        }
        text.family(
            "mesher_stream_memory_bytes", .gauge,
            "Part of MESHER_STREAM_MEMORY in use, without the first 64 KiB of each connection.")
        text.sample(sessions.claimed)
        if let sessionMemoryLimit {
            text.family("mesher_stream_memory_limit_bytes", .gauge, "Maximum of mesher_stream_memory_bytes.")
            text.sample(sessionMemoryLimit)
        }
        if let memory = sessions.memory {
            text.family(
                "mesher_stream_sessions_memory_bytes", .gauge,
                "Estimate of the memory of all WebSocket connections' processes (Pss), from a sample.")
            text.sample(memory)
        }
        text.family(
            "mesher_stream_projects_held_back", .gauge,
            "Projects whose WebSocket connections wait, because they use more than their share of the processors.")
        text.sample(sessions.heldBack.count)
        text.family("mesher_stream_messages_total", .counter, "WebSocket messages answered.")
        text.sample(total(\.streamMessages))
    }

    private func addChildren(to text: inout MetricsText) {
        let roles = [ProcessRole.storage, .worker, .stream]
        text.family("mesher_children", .gauge, "Processes by role and state.")
        for role in roles {
            for state in ProcessState.allCases where state != .ended {
                let count = processes.count { $0.reading.role == role && $0.reading.state == state }
                text.sample(count, ["role": role.name, "state": state.name])
            }
        }
        text.family("mesher_child_restarts_total", .counter, "Processes restarted, by role and cause.")
        for role in roles {
            for (place, cause) in RestartCause.allCases.enumerated() {
                let count = readings.filter { $0.role == role }.reduce(0) { $0 &+ $1.restarts[place] }
                text.sample(count, ["role": role.name, "cause": cause.rawValue])
            }
        }
        text.family(
            "mesher_resident_memory_bytes", .gauge,
            "Resident memory of all processes of a role; of streams the listener's.")
        for role in [ProcessRole.watchdog] + roles {
            let memory = processes.filter { $0.reading.role == role }.compactMap(\.memory).reduce(0, +)
            text.sample(memory, ["role": role.name])
        }
    }

    private func addStorage(to text: inout MetricsText) {
        if let batches = total(\.batchSize) {
            text.histogram(
                "mesher_storage_batch_size", "Events in one statement to PostgreSQL.", .batchSize, batches)
        }
        if let commits = total(\.commitDuration) {
            text.histogram(
                "mesher_storage_commit_duration_seconds", "Time from sending a statement to its commit.",
                .commitDuration, commits)
        }
        if let lastCommit {
            text.family("mesher_storage_last_commit_timestamp_seconds", .gauge, "Time of the last commit.")
            text.sample(Self.seconds(lastCommit))
        }
        if let partitionsAhead {
            text.family("mesher_storage_partitions_ahead", .gauge, "Days after today that have a partition.")
            text.sample(partitionsAhead)
        }
        if !clockDifferences.isEmpty {
            text.family(
                "mesher_clock_difference_seconds", .gauge,
                "Difference between this host's clock and that server's, beyond what the answer took.")
            for (server, difference) in clockDifferences {
                text.sample(Self.seconds(difference), ["server": server.name])
            }
        }
        if let keysSavedAt {
            text.family(
                "mesher_keys_saved_timestamp_seconds", .gauge,
                "Time at which this host's file of keys last was as PostgreSQL has them; absent before.")
            text.sample(Self.seconds(keysSavedAt))
        }
        addSpool(to: &text)
        text.family("mesher_ready", .gauge, "Whether an event can be stored, as /readyz says.")
        text.sample(isReady ? 1 : 0)
        if let degraded {
            text.family("mesher_degraded", .gauge, "1 for each part that Mesher does without, named as in /readyz.")
            for (name, isSo) in degraded { text.sample(isSo ? 1 : 0, ["what": "\(name)"]) }
        }
        text.family("mesher_dependency_up", .gauge, "Whether a server that Mesher needs answers.")
        for dependency in Dependency.allCases {
            if let isUp = isUp(dependency) { text.sample(isUp ? 1 : 0, ["dependency": dependency.name]) }
        }
    }

    private func addSpool(to text: inout MetricsText) {
        if let spool {
            text.family("mesher_spool_events", .gauge, "Events on disk that wait for PostgreSQL.")
            text.sample(spool.events)
            text.family("mesher_spool_bytes", .gauge, "Size of spool and quarantine together.")
            text.sample(spool.bytes)
            text.family("mesher_spool_limit_bytes", .gauge, "Maximum of mesher_spool_bytes.")
            text.sample(spool.limit)
            if let oldest = spool.oldest {
                text.family(
                    "mesher_spool_oldest_timestamp_seconds", .gauge,
                    "Time of receipt of the oldest event in the spool; absent while it is empty.")
                text.sample(Self.seconds(oldest))
            }
            text.family("mesher_quarantine_items", .gauge, "Items in the quarantine, which wait for a decision.")
            text.sample(spool.quarantine)
            if let room = spool.room {
                text.family(
                    "mesher_spool_available_bytes", .gauge,
                    "Bytes that the spool's file system has left for the service; absent when unknown.")
                text.sample(room)
            }
            if let files = spool.files {
                text.family(
                    "mesher_spool_available_inodes", .gauge,
                    "Inodes that the spool's file system has left; absent when it has no fixed number.")
                text.sample(files)
            }
            if spool.fault != 0 {
                text.family(
                    "mesher_spool_fault", .gauge, "1 while the spool cannot be used, with the reason; else absent.")
                text.sample(1, ["reason": Self.words(of: spool.fault)])
            }
        }
        text.family("mesher_spooled_events_total", .counter, "Events written to the spool.")
        text.sample(total(\.spooled))
        text.family(
            "mesher_spool_delivered_events_total", .counter, "Events of the spool that PostgreSQL has committed.")
        text.sample(total(\.delivered))
        text.family("mesher_quarantined_items_total", .counter, "Events and damaged records moved to the quarantine.")
        text.sample(total(\.quarantined))
    }

    private func addOperation(to text: inout MetricsText) {
        if !health.isEmpty {
            text.family("mesher_health_check_up", .gauge, "Whether the last health check through a socket succeeded.")
            for (subject, reading) in health {
                text.sample(reading.failuresInRow == 0 ? 1 : 0, ["socket": subject.rawValue])
            }
            text.family("mesher_health_check_duration_seconds", .gauge, "Duration of the last health check.")
            for (subject, reading) in health {
                text.sample(Double(reading.duration) / 1e9, ["socket": subject.rawValue])
            }
        }
        if let lastReload {
            text.family("mesher_last_reload_timestamp_seconds", .gauge, "Time of the last reload.")
            text.sample(Self.seconds(lastReload.at))
            text.family("mesher_last_reload_success", .gauge, "Whether the last reload succeeded.")
            text.sample(lastReload.succeeded ? 1 : 0)
        }
        if let lastMaintenance {
            text.family(
                "mesher_last_maintenance_timestamp_seconds", .gauge,
                "Time of the last mesher db maintain on this host; absent after a boot.")
            text.sample(lastMaintenance.at)
            text.family(
                "mesher_last_maintenance_result", .gauge,
                "1 for how the last mesher db maintain ended; partial left something for the next run.")
            for result in MaintenanceRecord.Result.allCases {
                text.sample(result == lastMaintenance.result ? 1 : 0, ["result": result.rawValue])
            }
        }
        text.family("mesher_log_lines_dropped_total", .counter, "Log lines dropped because standard error was full.")
        text.sample(total(\.droppedLogLines))
        text.family(
            "mesher_metrics_timestamp_seconds", .gauge,
            "Time at which this was written; an old one means that no watchdog runs.")
        text.sample(Self.seconds(wall))
        text.family("mesher_build_info", .gauge, "1, with the version of the watchdog.")
        text.sample(1, ["version": version])
    }
}
