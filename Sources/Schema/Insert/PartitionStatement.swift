internal import StorageChannel

/// Calls of the schema's function that makes the daily partitions which are missing.
package enum PartitionStatement {
    private static let daysAhead = Int64(Partition.daysAhead)

    /// The last of the coming days, counted from 1970-01-01.
    package static func lastDay(wall: Int64) -> Int64 {
        wall / EventRecord.day + daysAhead
    }

    /// Today by this host's clock, in days since 2000-01-01.
    package static func today(wall: Int64) -> Int32 {
        Int32(clamping: (wall - EventRecord.epochOffset) / EventRecord.day)
    }

    /// From yesterday to a week ahead, by this host's clock: a host that is some hours off still finds its day.
    package static func comingDays(wall: Int64) -> String {
        let today = Int64(today(wall: wall))
        return
            "SELECT public.mesher_make_partitions(date '2000-01-01' + \(today - 1), date '2000-01-01' + \(today + daysAhead))"
    }

    /// Each of these days since 2000-01-01, and none between them.
    package static func days(_ days: Set<Int32>) -> String {
        let list = days.sorted().map(String.init).joined(separator: ", ")
        return "SELECT public.mesher_make_partitions(day, day) FROM (SELECT date '2000-01-01' + number AS day "
            + "FROM unnest(ARRAY[\(list)]::int[]) AS number) AS days"
    }
}
