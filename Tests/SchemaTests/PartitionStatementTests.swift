import Schema
import StorageChannel
import Testing

@Suite struct PartitionStatementTests {
    @Test("the coming days are those from yesterday to a week ahead")
    func comingDays() {
        let wall = EventRecord.epochOffset + 100 * EventRecord.day + 1
        let sql = PartitionStatement.comingDays(wall: wall)
        #expect(sql.contains("date '2000-01-01' + 99, date '2000-01-01' + 107"))
    }

    @Test("only the days that occur are made, not those between them")
    func days() {
        #expect(PartitionStatement.days([9000, 10]).contains("ARRAY[10, 9000]::int[]"))
    }
}
