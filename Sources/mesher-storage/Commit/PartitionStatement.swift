import EventLoop
import StorageChannel

/// Calls of the schema's function that makes the daily partitions which are missing.
enum PartitionStatement {
    /// From yesterday to a week ahead, by this host's clock: a host that is some hours off still finds its day.
    static func comingDays(wall: Int64 = Clock.wall()) -> String {
        let today = (wall - EventRecord.epochOffset) / EventRecord.day
        return
            "SELECT public.mesher_make_partitions(date '2000-01-01' + \(today - 1), date '2000-01-01' + \(today + 7))"
    }

    /// Each of these days since 2000-01-01, and none between them.
    static func days(_ days: Set<Int32>) -> String {
        let list = days.sorted().map(String.init).joined(separator: ", ")
        return "SELECT public.mesher_make_partitions(day, day) FROM (SELECT date '2000-01-01' + number AS day "
            + "FROM unnest(ARRAY[\(list)]::int[]) AS number) AS days"
    }
}
