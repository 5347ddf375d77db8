package import PostgreSQL

/// What a failed statement means for its events, by SQLSTATE (PostgreSQL's appendix A).
package enum FailureKind: Equatable, Sendable {
    /// An event is to blame; its neighbours can be stored without it.
    case badEvent
    /// A day has no partition, or a CHECK was violated: the two have one code.
    case missingPartition
    /// Blocked by another session; a retry may succeed at once.
    case transient
    /// This session is unusable: the schema, the role or the server has changed under it.
    case session
    /// PostgreSQL cannot store now.
    case server

    package init(sqlState: String?) {
        guard let sqlState else {
            self = .server
            return
        }
        switch sqlState {
        case "23514": self = .missingPartition
        case "55P03": self = .transient
        // Read-only after a failover; a prepared statement that a pooler gave to somebody else.
        case "25006", "26000": self = .session
        default:
            switch sqlState.prefix(2) {
            // Data, integrity, cardinality, a row too large for its page or index, a trigger's own exception.
            case "21", "22", "23", "54", "P0": self = .badEvent
            case "40": self = .transient
            // Of a table that Citus has distributed since the session began: the next one has another statement.
            case "08", "0A", "28", "42": self = .session
            default: self = .server
            }
        }
    }
}

extension DatabaseError {
    /// What it means for the events of a statement that failed with it.
    package var kind: FailureKind { FailureKind(sqlState: sqlState) }

    /// Whether an error blames a row or a parameter. It can also mean that PostgreSQL accepts no row at all: 54000 near the
    /// wraparound of its transaction ids.
    package var blamesRow: Bool { [.badEvent, .missingPartition].contains(kind) }

    /// Whether the events of a statement may be to blame for the loss of its session: it gave no answer in time, or its
    /// process died. Not when somebody ended the session or the server.
    package var mayBlameEvents: Bool { isConnectionLost && (sqlState == nil || sqlState == "57P02") }
}
