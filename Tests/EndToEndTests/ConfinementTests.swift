import Confinement
import Foundation
import System
import TestServers
import Testing

extension EndToEnd {
    struct ConfinementTests {
        let project: Project
        private var stack: Stack { project.stack }
        private var processes: Processes { Processes(stack: stack) }

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func status(_ pid: pid_t, _ name: String = "status") throws -> String {
            try String(contentsOfFile: "/proc/\(pid)/\(name)", encoding: .utf8)
        }

        @Test("Workers and storage have given up what they do not need, and mesher check says who has what")
        func confined() throws {
            let programs =
                ["mesher-storage"].map { processes.children($0) } + [
                    processes.children("mesher-worker", "events"), processes.children("mesher-worker", "bulk"),
                ]
            for pid in programs.joined() {
                #expect(try status(pid).contains("NoNewPrivs:\t1\n"))
                if Sandbox.possible.contains(.seccomp) { #expect(try status(pid).contains("Seccomp:\t2\n")) }
                let core = try status(pid, "limits").split(separator: "\n").first { $0.hasPrefix("Max core file size") }
                #expect(core?.split(separator: " ")[4] == "0")
            }
            let findings = try stack.mesher("check").split(separator: "\n").filter { $0.contains("  sandbox ") }
            let names = findings.map { $0.split(separator: " ", maxSplits: 2)[2].trimmingCharacters(in: .whitespaces) }
            for (name, group) in zip(names, ["the watchdog", "storage", "workers", "the listener", "sessions"]) {
                #expect(name.hasPrefix("\(group): "))
            }
            #expect(names.count == 5 && findings.allSatisfy { $0.hasPrefix("ok ") })
            if Sandbox.possible == [.landlock, .seccomp] {
                #expect(names.filter { $0.contains("Landlock (version ") && $0.contains(", seccomp") }.count >= 2)
            }
        }

        @Test("No child's environment shows a secret setting")
        func secrets() throws {
            let children = processes.children()
            #expect(children.count >= 4)
            for pid in children {
                for secret in ["MESHER_STORAGE_DATABASE_URL", "MESHER_REDIS_PASSWORD", "postgresql:"] {
                    #expect(!Processes.environment(pid).contains { $0.contains(secret) })
                }
            }
        }

        @Test("Records that would end libfcgi close their connection, and the worker goes on")
        func hostileRecords() throws {
            let before = processes.children("mesher-worker", "events")
            let begin: [UInt8] = [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
            let lengths: [[UInt8]] = [
                [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0, 0x80, 0, 0, 0x10],
                [0xc0, 0, 0, 0, 0xbf, 0xff, 0xff, 0xff],
            ]
            for length in lengths {
                let connection = try UnixSocket.connect(to: stack["MESHER_RUN_DIR"] + "/events.sock")
                try connection.setBlocking(true)
                let bytes = begin + [1, 4, 0, 1, 0x40, 8, 0, 0] + length + [UInt8](repeating: 0x41, count: 16_384)
                #expect(send(connection.number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count)
                var byte: UInt8 = 0
                #expect(uninterrupted { recv(connection.number, &byte, 1, 0) } <= 0)
            }
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
            #expect(processes.children("mesher-worker", "events") == before)
        }
    }
}
