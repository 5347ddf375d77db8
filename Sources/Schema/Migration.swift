/// One step of the schema: SQL that is run once, in one transaction, and never changed after a release.
package struct Migration: Sendable {
    /// 1, 2, 3, … without a gap.
    package let version: Int
    package let name: String
    /// Statements separated by semicolons; every name in them is qualified with its schema.
    let sql: String

    /// Every step, in order.
    package static let all: [Migration] = [tables, makePartitions, keyNotifications, runtimeRole, allowedOrigins]

    /// The version of a schema after all of them.
    package static var latest: Int { all.count }
}

/// The advisory locks of a database that Mesher takes, in the form of two integers.
enum AdvisoryLock {
    /// The first integer of each: "mesh" in ASCII.
    static let space = 0x6d65_7368
    static let migrations = 1
    static let partitions = 2
    static let retention = 3
}
