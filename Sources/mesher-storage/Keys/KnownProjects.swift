/// The projects of the database. After a restore from an older backup there may be events whose project is missing, or
/// whose id now belongs to another project: they go to the quarantine.
struct KnownProjects {
    private var ids: Set<Int64> = []
    /// Projects without any of the keys that were valid when events were last accepted.
    private var replaced: Set<Int64> = []

    /// Why an event that waited on disk must not be stored; nil when it may.
    func fault(ofSpooled project: Int64) -> String? {
        if let fault = fault(of: project) { return fault }
        guard replaced.contains(project) else { return nil }
        return
            "project \(project) of the database is another one: none of the keys is there by which events were accepted"
    }

    /// The same for an event that has just arrived.
    func fault(of project: Int64) -> String? {
        ids.contains(project)
            ? nil : "the database has no project \(project): restored from an older backup, or deleted"
    }

    /// Takes over all of them.
    ///
    /// - Parameter strangers: those that may be other ones than before.
    mutating func replaceAll(_ ids: Set<Int64>, strangers: Set<Int64>) {
        self.ids = ids
        replaced = replaced.union(strangers).intersection(ids)
    }

    /// Takes over some of them.
    mutating func replace(_ changed: Set<Int64>, _ current: Set<Int64>) {
        ids.subtract(changed)
        ids.formUnion(current)
    }

    /// No event waits on disk any more: later ones were accepted by keys that the database has.
    mutating func forgetReplaced() {
        if !replaced.isEmpty { replaced = [] }
    }
}
