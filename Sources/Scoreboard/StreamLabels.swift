/// How a session that was open has ended: by a close code of RFC 6455, section 7.4.1, or without one. The raw value is its
/// place in a slot.
package enum SessionEnding: Int, CaseIterable, Sendable {
    case normal, goingAway, protocolError, unsupportedData, invalidText, policyViolation, tooBig, serviceRestart,
        tryAgainLater
    /// By a code that the contract does not name.
    case other
    /// The peer left without a close frame.
    case lost
    /// It answered no ping, or read no answers, and was dropped.
    case dropped
    /// A signal killed the process.
    case killed

    package init(code: UInt16) {
        self =
            switch code {
            case 1000: .normal
            case 1001: .goingAway
            case 1002: .protocolError
            case 1003: .unsupportedData
            case 1007: .invalidText
            case 1008: .policyViolation
            case 1009: .tooBig
            case 1012: .serviceRestart
            case 1013: .tryAgainLater
            default: .other
            }
    }

    /// The metric's label.
    package var name: String {
        switch self {
        case .normal: "1000"
        case .goingAway: "1001"
        case .protocolError: "1002"
        case .unsupportedData: "1003"
        case .invalidText: "1007"
        case .policyViolation: "1008"
        case .tooBig: "1009"
        case .serviceRestart: "1012"
        case .tryAgainLater: "1013"
        case .other: "other"
        case .lost: "lost"
        case .dropped: "dropped"
        case .killed: "killed"
        }
    }
}

/// The HTTP statuses with which upgrades are refused.
package enum RefusedUpgrade {
    /// Their places in the list are their places in a slot.
    package static let statuses = [400, 401, 403, 426, 429, 503]

    /// The place of a status; all that are not in the list share the last.
    static func place(_ status: Int) -> Int {
        statuses.firstIndex(of: status) ?? statuses.count
    }

    /// The metric's label of each place.
    package static var names: [String] { statuses.map(String.init) + ["other"] }
}
