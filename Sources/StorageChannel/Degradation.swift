/// What storage has to do without.
package struct Degradation: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let postgresql = Degradation(rawValue: 1)
    package static let spool = Degradation(rawValue: 2)
    /// At least one edge.
    package static let redis = Degradation(rawValue: 4)
    /// Nothing of what waits on disk was delivered for a minute.
    package static let backlog = Degradation(rawValue: 8)
    /// No key was read, neither from PostgreSQL nor from disk: every event is refused.
    package static let keys = Degradation(rawValue: 16)
    /// Redis evicts counters when its memory is full.
    package static let eviction = Degradation(rawValue: 32)
    /// The operator takes this host out of service: every event is refused.
    package static let draining = Degradation(rawValue: 64)

    /// What each is called wherever it is shown.
    package static let names: [(what: Degradation, name: StaticString)] = [
        (.postgresql, "postgresql"), (.redis, "redis"), (.spool, "spool"), (.backlog, "backlog"), (.keys, "keys"),
        (.eviction, "eviction"), (.draining, "draining"),
    ]
}
