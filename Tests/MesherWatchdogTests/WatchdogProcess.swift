import Foundation
import Testing

/// The watchdog as a process of its own, over children that are short scripts. What they write goes into the folder.
final class WatchdogProcess {
    let folder: String
    var runDirectory: String { folder + "/run" }
    private let process = Process()

    /// Says that it is ready and sleeps, after having written down its number, its arguments and its environment.
    static let patientChild = """
        #!/bin/sh
        env > "$MESHER_RUN_DIR/../environment.$$"
        ls -l /proc/$$/fd > "$MESHER_RUN_DIR/../descriptors.$$"
        test -z "$MESHER_SECRETS_FD" || tr '\\0' '\\n' <&"$MESHER_SECRETS_FD" > "$MESHER_RUN_DIR/../secrets.$$"
        echo "$$ ${0##*/} $*" >> "$MESHER_RUN_DIR/../started"
        echo >&"$MESHER_READY_FD"
        exec sleep 1000
        """

    /// The listener for streams, which only those tests look at that are about it.
    private static let quietChild = """
        #!/bin/sh
        echo "$$ ${0##*/} $*" >> "$MESHER_RUN_DIR/../started-quietly"
        echo >&"$MESHER_READY_FD"
        exec sleep 1000
        """

    /// - Parameters:
    ///   - arguments: after those for the folder.
    ///   - prefix: what runs the watchdog, when not the tests themselves.
    init(
        storage: String? = patientChild, worker: String? = patientChild, _ arguments: [String] = ["MESHER_WORKERS=2"],
        prefix: [String] = []
    ) throws {
        var template = Array("/tmp/mesher-wd.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for (name, script) in [
            ("mesher-storage", storage), ("mesher-worker", worker), ("mesher-stream", Self.quietChild),
        ] {
            guard let script else { continue }
            try Self.install(script, at: "\(folder)/\(name)")
        }
        let log = "\(folder)/log"
        try Data().write(to: URL(fileURLWithPath: log))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            prefix + [Self.program, "MESHER_RUN_DIR=\(runDirectory)", "MESHER_BIN=\(folder)"] + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "SECRET": "of the caller"]
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
    }

    /// Another process writes the program: if this one did, and another test forked meanwhile, its child would hold the file
    /// open for a moment, and nobody could execute it. The corresponding error is ETXTBSY, execve(2).
    private static func install(_ script: String, at path: String) throws {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", #"printf %s "$1" >"$2" && chmod 755 "$2""#, "sh", script, path]
        try shell.run()
        shell.waitUntilExit()
        try #require(shell.terminationStatus == 0)
    }

    deinit {
        kill(process.processIdentifier, SIGTERM)
        if !eventually({ !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        // Children that are scripts do not die with the watchdog by themselves.
        for child in started(in: "started") + started(in: "started-quietly") where kill(child.pid, 0) == 0 {
            kill(child.pid, SIGKILL)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The built program, which is beside the tests.
    static let program: String = {
        let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: tests ?? "").deletingLastPathComponent().path + "/mesher-watchdog"
    }()

    var pid: pid_t { process.processIdentifier }
    var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    /// What has started so far, in order: number, name and arguments.
    func started() throws -> [(pid: pid_t, line: String)] {
        started(in: "started")
    }

    private func started(in file: String) -> [(pid: pid_t, line: String)] {
        guard let text = try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            guard let pid = words.first.flatMap({ pid_t($0) }) else { return nil }
            return (pid, words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : "")
        }
    }

    /// Waits for so many starts.
    func awaitStarts(_ count: Int) throws -> [(pid: pid_t, line: String)] {
        let areThere = try eventually { try started().count >= count }
        try #require(areThere, "\(log)")
        return try started()
    }

    func awaitLog(_ text: String) throws {
        let isThere = eventually { log.contains(text) }
        try #require(isThere, "\(log)")
    }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Waits for the end, and returns the exit status.
    func awaitExit() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = Date(timeIntervalSinceNow: 120)
        while Date() < deadline {
            if try condition() { return true }
            usleep(5_000)
        }
        return false
    }
}
