import RecordedInputs
import StorageChannel
import Testing

@testable import Ingestion

@Suite struct UserReportTests {
    private static let report =
        #"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0","name":"Ann","email":"a@b.example","comments":"It \"broke\""}"#

    @Test("the comments are the message, and the report is kept whole")
    func columns() throws {
        var parser = EventParser()
        try SentrySample(
            "report", Self.report,
            [.level: "info", .message: #"It "broke""#, .logger: "user_report", .payload: Self.report, .tags: nil]
        ).expect(of: &parser, as: .userReport)
    }

    @Test("a report has an id of its own, the same for all reports on one event")
    func identifier() throws {
        var parser = EventParser()
        let first = try parser.parsed(Self.report, as: .userReport).id
        let second = try parser.parsed(
            #"{"event_id":"fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0","comments":"again"}"#, as: .userReport
        ).id
        let other = try parser.parsed(#"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d1"}"#, as: .userReport).id
        #expect(first == second)
        #expect(first != 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0 && other != first)
        #expect(try parser.parsed(#"{"comments":"c"}"#, as: .userReport).id == ParsedEvent.derivedID)
    }

    @Test("a report without comments is one", arguments: ["{}", #"{"comments":""}"#, #"{"comments":[]}"#])
    func withoutComments(report: String) throws {
        var parser = EventParser()
        #expect(try parser.parsed(report, as: .userReport).text(.message) == "<unlabeled event>")
    }
}
