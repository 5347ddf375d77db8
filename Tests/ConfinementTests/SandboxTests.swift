import Foundation
import Glibc
import Testing

@testable import Confinement

/// What is left to a process that gave up the rest, tried in processes that are forked for it.
struct SandboxTests {
    /// Whether a try succeeds once a sandbox has begun, and whether it did before.
    private func attempt(_ sandbox: Sandbox, _ attempt: () -> Bool) throws -> (before: Bool, after: Bool) {
        func run(_ prepare: () -> Void) throws -> Bool {
            let child = fork()
            if child == 0 {
                prepare()
                _exit(attempt() ? 0 : 1)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            try #require(status == 0 || status == 1 << 8, "it died: \(status)")
            return status == 0
        }
        return (try run {}, try run { _ = sandbox.begin() })
    }

    private static let edge = Sandbox.edge(redisPorts: [6_379], addressSpace: 1 << 40)
    private static let bonds = Sandbox.possible

    private func folder() throws -> String {
        var template = Array("/tmp/mesher.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func opens(_ path: String, _ flags: CInt) -> Bool {
        let number = open(path, flags, 0o600)
        if number >= 0 { close(number) }
        return number >= 0
    }

    /// Whether a port may be connected to; that nobody listens there is another matter.
    private static func connects(to port: UInt16) -> Bool {
        let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 || errno == ECONNREFUSED
    }

    @Test(
        "An edge and storage signal no other process and start none",
        .enabled(if: bonds.contains(.seccomp)))
    func touchesNoOther() throws {
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sleep")
        other.arguments = ["100"]
        try other.run()
        defer { other.terminate() }
        let pid = other.processIdentifier
        let own = getpid()
        for sandbox in [Self.edge, .storage(writesBelow: [])] {
            #expect(try attempt(sandbox) { kill(pid, 0) == 0 } == (true, false))
            #expect(try attempt(sandbox) { kill(own, 0) == 0 } == (true, false), "its parent")
            #expect(try attempt(sandbox) { fork() >= 0 } == (true, false))
            #expect(try attempt(sandbox) { raise(SIGURG) == 0 } == (true, true))
        }
        // The kernel would signal in its name.
        var pair: [CInt] = [0, 0]
        pipe(&pair)
        #expect(try attempt(Self.edge) { fcntl(pair[0], F_SETOWN, pid) == 0 } == (true, false))
    }

    @Test(
        "An edge opens files for reading only, also where there is no Landlock", .enabled(if: bonds.contains(.seccomp)))
    func opensForReading() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for flags in [O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC] {
            #expect(try attempt(Self.edge) { Self.opens("\(folder)/file", flags | O_CREAT) } == (true, false))
        }
        #expect(try attempt(Self.edge) { Self.opens("/etc/passwd", O_RDONLY) } == (true, true))
    }

    @Test(
        "An edge sees no file but what looking up a name takes, and with a socket none",
        .enabled(if: bonds.contains(.landlock)))
    func seesNoFile() throws {
        let socket = Sandbox.edge(redisPorts: [], addressSpace: 1 << 40)
        #expect(try attempt(Self.edge) { Self.opens("/proc/self/status", O_RDONLY) } == (true, false))
        #expect(try attempt(Self.edge) { Self.opens("/bin/sh", O_RDONLY) } == (true, false))
        #expect(try attempt(socket) { Self.opens("/etc/passwd", O_RDONLY) } == (true, false))
    }

    @Test("An edge connects by TCP to Redis and name servers only", .enabled(if: Sandbox.landlockVersion ?? 0 >= 4))
    func connects() throws {
        #expect(try attempt(Self.edge) { Self.connects(to: 6_379) } == (true, true))
        #expect(try attempt(Self.edge) { Self.connects(to: 1) } == (true, false))
        let socket = Sandbox.edge(redisPorts: [], addressSpace: 1 << 40)
        #expect(try attempt(socket) { Self.connects(to: 6_379) } == (true, false))
    }

    @Test("An edge gets no more memory than it may have", .enabled(if: bonds.contains(.seccomp)))
    func memory() throws {
        let sandbox = Sandbox.edge(redisPorts: [], addressSpace: 1 << 40)
        let size = 2 << 40
        let result = try attempt(sandbox) {
            mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED
        }
        #expect(result == (true, false))
    }

    @Test(
        "Storage writes below its folders, one of which is not made yet, and nowhere else",
        .enabled(if: bonds.contains(.landlock)))
    func storageWrites() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        mkdir("\(folder)/state", 0o700)
        mkdir("\(folder)/other", 0o700)
        mkdir("\(folder)/spools", 0o700)
        let sandbox = Sandbox.storage(writesBelow: ["\(folder)/state", "\(folder)/spools/a/b"])
        let create = O_WRONLY | O_CREAT
        #expect(try attempt(sandbox) { Self.opens("\(folder)/other/file", create) } == (true, false))
        #expect(try attempt(sandbox) { Self.opens("\(folder)/state/file", create) } == (true, true))
        #expect(try attempt(sandbox) { rename("\(folder)/state/file", "\(folder)/state/new") == 0 }.after == false)
        let made = try attempt(sandbox) {
            mkdir("\(folder)/spools/a", 0o700)
            mkdir("\(folder)/spools/a/b", 0o700)
            return Self.opens("\(folder)/spools/a/b/file", create) && unlink("\(folder)/spools/a/b/file") == 0
        }
        #expect(made == (true, true))
        #expect(try attempt(sandbox) { Self.opens("/etc/passwd", O_RDONLY) } == (true, true))
    }
}
