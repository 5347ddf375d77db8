import Testing

@testable import mesher

@Suite struct ClockComparisonTests {
    @Test(
        "a clock more than a second from the server's is a fault, whatever the answer took",
        arguments: [
            (0, 0, 100, nil), (-900_000, 0, 100, nil), (2_000_000, 0, 1_000_000, nil),
            (3_500_000, 0, 100_000, "3.4 s behind"),
            (-120_000_000, 0, 50, "120.0 s ahead of"),
        ] as [(Int64, Int64, Int64, String?)])
    func offset(theirs: Int64, before: Int64, after: Int64, fault: String?) {
        let finding = ClockComparison("PostgreSQL", theirs: theirs, before: before, after: after).finding
        #expect(finding.isFault == (fault != nil))
        if let fault { #expect(finding.lines(subjectWidth: 5).contains("this host's is \(fault) PostgreSQL's")) }
    }
}
