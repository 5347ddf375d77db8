import Foundation
import TestServers
import Testing

extension OwnStack {
    /// The page at `/` of the operator's server, in a browser.
    struct OperatorPageTests {
        private struct Answer: Decodable {
            struct Shown: Decodable {
                let title: String
                let state: String
                let text: String
                let overflow: Int
            }

            let holds: Bool
            let shown: Shown
            let complaints: [String]
        }

        /// What is waited for, in this order.
        private static let conditions = [
            // A project's first events are there, and so are the figures of now.
            """
            document.documentElement.dataset.state === "good" && document.querySelector("#rate").textContent !== "–"
                && document.querySelector("#reasons").innerText.includes("invalid_json")
                && document.querySelector("#events path.area")
                && document.querySelector("#hosts").innerText.includes("2 ready")
            """,
            ##"document.querySelector("#word").textContent === "Storing events on disk" && +document.querySelector("#spooled").textContent > 0"##,
            ##"document.querySelector("#word").textContent === "Draining""##,
            #"document.documentElement.dataset.state === "old""#,
            #"document.documentElement.dataset.state === "warning""#,
            ##"document.querySelector("#problems").innerText.includes("Hosts that are not well: h2")"##,
            #"document.documentElement.dataset.state === "old""#,
        ]

        /// Names two hosts, whose status is at these addresses.
        private func name(_ addresses: [String], on stack: Stack) throws {
            let names = addresses.indices.map { "h\($0 + 1)" }
            let locations = zip(names, addresses).map {
                "location = /hosts/\($0)/status.json { proxy_pass \($1)/status.json; }"
            }
            let lines = ["set $mesher_hosts '\(names)';"] + locations
            try Data(lines.joined(separator: "\n").utf8).write(
                to: URL(fileURLWithPath: stack.folder + "/nginx/mesher-hosts.conf"))
            try Nginx(of: stack).hangUp()
        }

        @Test(
            "The page in Chromium shows what happens, says an outage, and says loudly when its data is old, or gone",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium"), "no Chromium is installed"))
        func page() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let address = stack["MESHER_OPERATOR_URL"]
            try name([address, address], on: stack)
            let project = try Project.create(on: stack)
            let event = #"{"message":"m","level":"info"}"#
            let script = Stack.root + "/Tests/Clients/operator_page.py"
            let browser = try Execution.Running(
                "/usr/bin/python3", [script, address + "/"] + Self.conditions,
                environment: ["HOME": NSHomeDirectory()])
            defer {
                browser.interrupt()
                _ = browser.wait()
            }
            /// The answer to the condition that comes next.
            var answers = 0
            func next() throws -> Answer {
                let hasCome = eventually(within: 100) {
                    browser.output.split(separator: "\n").count > answers || !browser.isRunning
                }
                let lines = browser.output.split(separator: "\n")
                try #require(hasCome && lines.count > answers, "\(browser.errors)")
                answers += 1
                return try JSONDecoder().decode(Answer.self, from: Data(lines[answers - 1].utf8))
            }

            for body in [event, event, "nonsense"] { _ = try project.post(body) }
            let good = try next()
            #expect(good.holds, "\(good.shown)")
            #expect(good.complaints == [] && good.shown.overflow == 0)
            #expect(good.shown.title == "✓ Storing events – Mesher")
            for text in ["worker events 0", "PostgreSQL\tup", "Redis\tup", "Partitions ahead\t7 days", "h2\tready"] {
                #expect(good.shown.text.contains(text), "\(text) in \(good.shown.text)")
            }
            #expect(good.shown.text.contains("\n\(project.id)\t0 %\t3 of "), "\(good.shown.text)")

            try Outage(stack: stack).stopPostgreSQL()
            for _ in 0..<3 { #expect(try project.post(event).status == 202) }
            let outage = try next()
            #expect(outage.holds && outage.shown.state == "warning", "\(outage.shown)")
            #expect(outage.complaints == [] && outage.shown.overflow == 0)
            #expect(outage.shown.text.contains("PostgreSQL cannot be written to"))
            #expect(outage.shown.text.contains("PostgreSQL\tdown"))

            let mesher = stack["MESHER_BIN"] + "/mesher"
            let drain = try Execution.run(mesher, ["drain", "--timeout", "0"], environment: stack.variables)
            #expect(drain.status == 75, "\(drain)")
            let draining = try next()
            #expect(draining.holds && draining.shown.state == "bad", "\(draining.shown)")
            #expect(draining.shown.text.contains("new events are refused until mesher drain --end"))
            #expect(!draining.shown.text.contains("No event can be stored"))
            try stack.mesher("drain", "--end")

            let watchdog = try #require(Processes(stack: stack).watchdog)
            kill(watchdog, SIGSTOP)
            defer { kill(watchdog, SIGCONT) }
            let old = try next()
            #expect(old.holds && old.shown.title == "⚠ old data – Mesher", "\(old.shown)")
            #expect(old.shown.text.contains("OLD DATA") && old.shown.text.contains("the watchdog is dead or stopped"))
            kill(watchdog, SIGCONT)
            let again = try next()
            #expect(again.holds, "\(again.shown)")
            #expect(again.complaints == [])
            try name([address, "http://127.0.0.1:1"], on: stack)
            let lone = try next()
            #expect(lone.holds && lone.shown.text.contains("h2\tdoes not answer"), "\(lone.shown)")
            #expect(lone.shown.text.contains("1 ready"))

            let nginx = try String(contentsOfFile: stack.folder + "/sockets/nginx.pid", encoding: .utf8)
            kill(try #require(pid_t(nginx.trimmingCharacters(in: .whitespacesAndNewlines))), SIGTERM)
            let gone = try next()
            #expect(gone.holds && gone.shown.text.contains("nginx does not answer"), "\(gone.shown)")
        }
    }
}
