import Foundation
import TestServers
import Testing

extension OwnStack {
    /// What operators, and their tools, do to a running service. With a stack of its own each.
    struct OperatorTests {
        private let stack: Stack

        init() throws {
            stack = try Stack()
        }

        private func isServing(_ project: Project) -> Bool {
            (try? project.post(#"{"message":"m","level":"info"}"#).status) == 202
        }

        @Test(
            "A socket that is removed comes back, and so does all of a run directory that is emptied",
            arguments: ["events.sock", "storage.sock", ""])
        func removedFiles(name: String) throws {
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let directory = stack["MESHER_RUN_DIR"]
            let files = FileManager.default
            let processes = Processes(stack: stack)
            let (watchdog, children) = (processes.watchdog, processes.children())
            for file in name.isEmpty ? try files.contentsOfDirectory(atPath: directory) : [name] {
                try files.removeItem(atPath: "\(directory)/\(file)")
            }
            #expect(eventually { files.fileExists(atPath: "\(directory)/\(name)") && isServing(project) })
            #expect(eventually { isServing(project) && processes.watchdog == watchdog })
            #expect(Set(children).isDisjoint(with: processes.children()))
            #expect(try stack.mesher("reload") == "reloaded")
            #expect(try stack.mesher("status").contains("ready"))
        }

        /// Runs a command with the file of the service, and nothing in its environment.
        private func mesher(_ arguments: String...) throws -> Execution {
            try Execution.run(
                [stack["MESHER_BIN"] + "/mesher"] + arguments + ["--config", stack.folder + "/mesher.conf"],
                environment: ["PATH": "/usr/bin:/bin"])
        }

        @Test("A reload with a server that cannot be reached is refused, the old settings hold; --force does it anyway")
        func reloadTrial() throws {
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let path = stack.folder + "/mesher.conf"
            let sound = try String(contentsOfFile: path, encoding: .utf8)
            #expect(try mesher("reload").output == "reloaded\n")
            for (change, server) in [
                ("MESHER_REDIS_PASSWORD=wrong", "Redis"), ("MESHER_REDIS_SOCKET=/nowhere", "Redis"),
                ("MESHER_STORAGE_DATABASE_URL=postgresql:///mesher?host=/nowhere", "PostgreSQL"),
            ] {
                try (sound + "\n" + change + "\n").write(toFile: path, atomically: true, encoding: .utf8)
                let setting = change.prefix { $0 != "=" }
                #expect(
                    try mesher("check").output.contains("changed since the service read it: \(setting)"), "\(change)")
                let reload = try mesher("reload")
                #expect(reload.status == 78 && reload.errors.contains(server), "\(change): \(reload)")
                #expect(try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"#)
            }
            try (sound + "\nMESHER_REDIS_SOCKET=/nowhere\n").write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try mesher("reload", "--force").output == "reloaded\n")
            #expect(try !mesher("check").output.contains("changed since"))
            #expect(eventually { isServing(project) })
            #expect(try eventually { try stack.request("GET", "/readyz").text.contains(#"["redis"]"#) })
            // What is away already is no reason against a reload.
            #expect(try mesher("reload").output == "reloaded\n")
            try sound.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try mesher("reload").output == "reloaded\n")
        }

        @Test("A watchdog that was stopped is not called away")
        func stoppedWatchdog() throws {
            defer { stack.stop() }
            let watchdog = try #require(Processes(stack: stack).watchdog)
            kill(watchdog, SIGSTOP)
            defer { kill(watchdog, SIGCONT) }
            let check = try Execution.run(stack["MESHER_BIN"] + "/mesher", ["check"], environment: stack.variables)
            #expect(check.output.contains("FAULT  watchdog") && check.output.contains("kill -CONT \(watchdog)"))
            #expect(
                try eventually {
                    let status = try Execution.run(
                        [stack["MESHER_BIN"] + "/mesher", "status"], environment: stack.variables)
                    return status.errors.contains("kill -CONT \(watchdog)")
                })
        }

        @Test("Signals that mean something to other daemons change nothing")
        func foreignSignals() throws {
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let watchdog = try #require(Processes(stack: stack).watchdog)
            for signal in [SIGUSR1, SIGUSR2, SIGALRM, SIGQUIT] { kill(watchdog, signal) }
            #expect(try stack.mesher("reload") == "reloaded")
            #expect(isServing(project) && Processes(stack: stack).watchdog == watchdog)
        }
    }
}
