import Foundation
import TestServers
import Testing

@testable import mesher

struct OperatorLogTests {
    @Test("a line says who and what, whoever sudo names cannot write another line")
    func line() {
        func line(_ user: UInt32, sudo: String? = nil, login: UInt32? = nil) -> String {
            OperatorLog.line("did it", user: user, sudo: sudo, login: login)
        }
        #expect(line(0) == "root (uid 0) did it")
        #expect(line(0, sudo: "ann\nroot") == "root (uid 0, by sudo of ann root) did it")
        #expect(line(4_294_000_000) == "a user without a name (uid 4294000000) did it")
        #expect(line(0, login: 0) == "root (uid 0) did it")
        #expect(line(0, login: 1) == "root (uid 0, logged in as daemon) did it")
        #expect(line(0, sudo: "daemon", login: 1) == "root (uid 0, by sudo of daemon) did it")
        #expect(line(0, sudo: "ann", login: 1) == "root (uid 0, by sudo of ann, logged in as daemon) did it")
        #expect(line(0, login: 4_294_000_000) == "root (uid 0, logged in as uid 4294000000) did it")
    }

    @Test(
        "only yes is yes",
        arguments: [
            ("y", true), ("Yes", true), (" y ", true), ("", false), ("n", false), ("yess", false), (nil, false),
        ])
    func yes(answer: String?, isYes: Bool) {
        #expect(Confirmation.isYes(answer) == isYes)
    }

    @Test(
        "a line reaches the system's log, once, with the program's name and number",
        .enabled(if: geteuid() == 0, "only root mounts a /dev of its own"))
    func systemLog() throws {
        let service = try TestService()
        for name in ["first", "second"] { _ = try service.run("org", "create", name) }
        let log = try LogSocket()
        func delete(_ name: String, before: String = "") throws -> Execution {
            let script = "mount -t tmpfs none /dev && ln -s \(log.path) /dev/log && \(before) exec \"$@\""
            return try Execution.run(
                "/usr/bin/unshare",
                ["--mount", "sh", "-c", script, "sh", Execution.program("mesher"), "org", "delete", name, "--yes"],
                environment: service.environment.merging(["SUDO_USER": "ann"]) { $1 })
        }
        let first = try delete("first")
        #expect(first.status == 0, "\(first)")
        let line = try #require(log.received())
        // LOG_USER and LOG_NOTICE.
        #expect(
            line.contains(/^<13>\w{3} [ \d]\d \d\d:\d\d:\d\d mesher\[\d+\]: root \(uid 0, by sudo of ann/), "\(line)")
        #expect(line.hasSuffix(") has deleted organization first"), "\(line)")
        #expect(log.received() == nil)

        // Where standard error is the journal.
        let second = try delete("second", before: "export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) &&")
        #expect(second.status == 0 && second.errors.contains("has deleted organization second"), "\(second)")
        #expect(log.received() == nil)
    }
}

/// The end of `/dev/log` at which a system's log listens.
private final class LogSocket {
    let path = "/tmp/mesher-log.\(UInt32.random(in: .min ... .max))"
    private let number: CInt

    init() throws {
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit {
        close(number)
        unlink(path)
    }

    /// The next line; nil when there is none.
    func received() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(number, &bytes, bytes.count, CInt(MSG_DONTWAIT))
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
