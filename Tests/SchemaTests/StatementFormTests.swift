import Schema
import StorageChannel
import Testing

@Suite struct StatementFormTests {
    @Test("a time is near midnight from so long before it until so long after it, in whatever century")
    func nearMidnight() {
        for midnight in [9_499 * EventRecord.day, 0, -9_499 * EventRecord.day] {
            for (time, isNear) in [(-300, true), (-301, false), (0, true), (299, true), (300, false)] {
                let time = midnight + Int64(time) * 1_000_000
                #expect(StatementForm.isNearMidnight(time, margin: 300_000_000) == isNear, "\(time)")
            }
        }
    }
}
