import Spool
import StorageChannel

/// What is known of keys and projects.
extension KeyReader {
    /// What is known of a key. One that is not in memory is unknown only while changes can be heard; one that was revoked
    /// is unknown for good.
    func look(up key: KeyID) -> (state: KeyState, quota: ProjectQuota?) {
        if table.isLoaded, let quota = table.quota(of: key) { return (.known, quota) }
        return (isCurrent || table.isRevoked(key) ? .unknown : .unavailable, nil)
    }

    /// The limit of a project; the default one when it has no key in force any more.
    func quota(ofProject project: Int64) -> ProjectQuota {
        table.quota(ofProject: project)
            ?? ProjectQuota(project: project, events: defaults.events, seconds: defaults.seconds)
    }

    /// Whether keys were ever read, from PostgreSQL or from disk.
    var isKnown: Bool { table.isLoaded }

    /// The projects of the database; nil while they may be others than when they were read.
    var projects: KnownProjects? { isCurrent ? knownProjects : nil }

    /// A project that has a key in force, if there is one.
    var anyProject: Int64? { table.anyProject }
}
