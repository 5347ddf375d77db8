/// One step of the schema: SQL that is run once, in one transaction, and never changed after a release.
///
/// A step only adds, so that the previous release can work with the new schema, during an upgrade and after a
/// downgrade. A later release removes what is no longer needed, by a step that `breaks`.
package struct Migration: Sendable {
    /// 1, 2, 3, … without a gap.
    package let version: Int
    package let name: String
    /// Statements separated by semicolons; every name in them is qualified with its schema.
    let sql: String
    /// Whether programs that don't know this step cannot work with the schema after it.
    let breaks: Bool

    init(version: Int, name: String, sql: String, breaks: Bool = false) {
        self.version = version
        self.name = name
        self.sql = sql
        self.breaks = breaks
    }

    /// Every step, in order.
    package static let all: [Migration] = [
        tables, makePartitions, keyNotifications, runtimeRole, allowedOrigins, moreColumns, eventClaims, keyLife,
        scrubRules,
    ]

    /// The version of a schema after all of them.
    package static var latest: Int { all.count }
}

/// The advisory locks that Mesher takes in a database; each is two integers.
enum AdvisoryLock {
    /// The first integer of each: "mesh" in ASCII.
    static let space = 0x6d65_7368
    static let migrations = 1
    static let partitions = 2
    static let retention = 3
    static let deletions = 4
}
