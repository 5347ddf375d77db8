internal import ArgumentParser
internal import Scoreboard

/// `mesher sessions`: the WebSocket connections of this host.
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "List the WebSocket connections of this host, the oldest first.",
        discussion: """
            EVENTS counts accepted events. MEMORY is the session's own, plus its share of what all sessions have in \
            common. Only root and the service's user can see them.
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        let sessions = try RunningSession.all(options.settingsWithoutSecrets())
        if output.isJSON { return print(JSON.array(sessions.map(\.json))) }
        var table = TextTable([
            "PID": .right, "PROJECT": .right, "PEER": .left, "SINCE": .left, "MESSAGES": .right, "EVENTS": .right,
            "MEMORY": .right,
        ])
        for session in sessions {
            let reading = session.reading
            table.append([
                String(reading.pid), reading.project == 0 ? nil : String(reading.project), reading.peer,
                StatusReport.time(Double(reading.since) / 1e6), String(reading.messages), String(reading.events),
                session.memory.map { "\($0 >> 10) KiB" },
            ])
        }
        print(table)
    }
}
