import Schema
import Testing

@Suite struct FailureKindTests {
    @Test(
        "the SQLSTATE tells what a failure means for the events",
        arguments: [
            ("22P05", FailureKind.badEvent), ("22021", .badEvent), ("23502", .badEvent), ("54000", .badEvent),
            ("P0001", .badEvent), ("23514", .missingPartition), ("40001", .transient), ("40P01", .transient),
            ("55P03", .transient), ("42P01", .session), ("42501", .session), ("25006", .session), ("26000", .session),
            ("53100", .server), ("57014", .server), ("XX000", .server), ("", .server),
        ])
    func kinds(sqlState: String, kind: FailureKind) {
        #expect(FailureKind(sqlState: sqlState) == kind)
    }

    @Test("without a SQLSTATE no event is to blame")
    func none() {
        #expect(FailureKind(sqlState: nil) == .server)
    }
}
