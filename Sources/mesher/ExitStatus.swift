internal import Configuration
internal import PostgreSQL
internal import Schema
internal import System

/// The program's exit statuses, sysexits(3).
enum ExitStatus: Int32 {
    case usage = 64
    case dataError = 65
    case unavailable = 69
    case software = 70
    case temporaryFailure = 75
    case notPermitted = 77
    case configuration = 78
}

/// A command that could not do what it was asked to.
struct CommandError: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}

extension ExitStatus {
    /// The status of an error of ours; nil for one of the argument parser, which has its own way to end.
    init?(of error: any Error) {
        switch error {
        case let error as CommandError: self = error.status
        case is Settings.Fault: self = .configuration
        case let error as DatabaseError: self.init(of: error)
        case let error as SchemaError:
            switch error {
            case .database(let error, _): self.init(of: error)
            case .maintained: self = .temporaryFailure
            case .newer, .outdated, .inconsistent: self = .configuration
            }
        case is SystemError: self = .unavailable
        default: return nil
        }
    }

    private init(of error: DatabaseError) {
        self =
            switch (error.isConnectionLost || error.operation == "connect", error.sqlState) {
            case (true, _): .unavailable
            case (_, "42501"): .notPermitted
            // Lock not available, deadlock, serialization failure.
            case (_, "55P03"), (_, "40P01"), (_, "40001"): .temporaryFailure
            default: .software
            }
    }
}
