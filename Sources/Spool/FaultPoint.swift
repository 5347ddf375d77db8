internal import Glibc
internal import Synchronization

/// A point on an event's way to the disk or PostgreSQL at which a test kills the process or makes a system call fail. A
/// release build has none of it.
///
/// `MESHER_FAULT=POINT:kill[:N]` kills the process when the point is reached for the Nth time,
/// `MESHER_FAULT=POINT:ERRNO[:N]` makes the call there fail once; N is 1 by default. With `early` at the end each event
/// is acknowledged on arrival, so that a death loses some. `MESHER_FAULT=hasty:N` makes long times N times as short.
package enum FaultPoint: String {
    case beforeWrite = "before-write"
    case afterWrite = "after-write"
    case sync
    case afterSync = "after-sync"
    case afterCommit = "after-commit"
    case afterAcknowledgement = "after-acknowledgement"

    /// - Returns: the error that the call at this point is to fail with, 0 for none.
    @discardableResult @inline(__always)
    package static func reach(_ point: FaultPoint) -> CInt {
        #if DEBUG
            return injected(at: point)
        #else
            return 0
        #endif
    }

    /// Whether events are acknowledged on arrival.
    @inline(__always)
    package static var acknowledgesEarly: Bool {
        #if DEBUG
            return getenv("MESHER_FAULT").map { String(cString: $0).hasSuffix("early") } ?? false
        #else
            return false
        #endif
    }

    /// A duration, shortened for tests.
    package static func hastened(_ nanoseconds: Int64) -> Int64 {
        #if DEBUG
            guard let text = getenv("MESHER_FAULT").map({ String(cString: $0) }), text.hasPrefix("hasty:"),
                let factor = Int64(text.dropFirst(6)), factor > 0
            else { return nanoseconds }
            return nanoseconds / factor
        #else
            return nanoseconds
        #endif
    }

    #if DEBUG
        private static let count = Atomic<Int>(0)

        private static func injected(at point: FaultPoint) -> CInt {
            guard let text = getenv("MESHER_FAULT") else { return 0 }
            let words = String(cString: text).split(separator: ":")
            guard words.count >= 2, words[0] == point.rawValue else { return 0 }
            let turn = words.count > 2 ? Int(words[2]) ?? 1 : 1
            guard count.add(1, ordering: .relaxed).newValue == turn else { return 0 }
            if words[1] == "kill" { kill(getpid(), SIGKILL) }
            return CInt(words[1]) ?? 0
        }
    #endif
}
