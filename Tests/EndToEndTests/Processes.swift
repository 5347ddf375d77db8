import Foundation
import Scoreboard
import TestServers

/// The processes of a stack as the kernel knows them, proc(5).
struct Processes {
    let stack: Stack

    /// The watchdog's number; nil when there is none.
    var watchdog: pid_t? {
        let text = try? String(contentsOfFile: stack["MESHER_RUN_DIR"] + "/watchdog.pid", encoding: .utf8)
        return text.flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The watchdog's children whose command line has these words: `["mesher-worker", "events"]`.
    func children(_ command: String...) -> [pid_t] {
        guard let watchdog else { return [] }
        return Self.children(of: watchdog).filter { command.isEmpty || Self.commandLine($0) == command }
    }

    /// How many requests the workers of the host have, once there are any.
    func requestsInHand() -> Int {
        var count = 0
        _ = eventually {
            count = ScoreboardFile.readings(in: stack["MESHER_RUN_DIR"]).filter { $0.role == .worker }
                .map(\.inHand).reduce(0, +)
            return count > 0
        }
        return count
    }

    static func children(of pid: pid_t) -> [pid_t] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { pid_t($0) }
    }

    static func commandLine(_ pid: pid_t) -> [String] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
        return text.split(separator: "\0").map(String.init)
    }

    /// The environment that a process was started with, `NAME=value` each.
    static func environment(_ pid: pid_t) -> [String] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)) ?? ""
        return text.split(separator: "\0").map(String.init)
    }
}
