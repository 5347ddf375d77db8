import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SentryLevelTests {
    @Test(
        "a level is a name, an alias of one, or a number; anything else is an error",
        arguments: [
            (#""fatal""#, "fatal"), (#""error""#, "error"), (#""warning""#, "warning"), (#""info""#, "info"),
            (#""debug""#, "debug"), (#""log""#, "info"), (#""critical""#, "fatal"), (#""warn""#, "warning"),
            (#""WARNING""#, "warning"), (#""Debug""#, "debug"), (#""\u0069nfo""#, "info"),
            ("10", "debug"), ("20", "info"), ("30", "warning"), ("40", "error"), ("50", "fatal"), ("25", "info"),
            ("30.0", "warning"), (#""30""#, "warning"), ("2e1", "info"),
            ("0", "error"), ("9", "error"), ("51", "error"), ("-20", "error"), ("1e400", "error"),
            ("99999999999999999999", "error"), (#""trace""#, "error"), (#""""#, "error"), (#""infos""#, "error"),
            ("null", "error"), ("true", "error"), ("[]", "error"), ("{}", "error"), (#"["info"]"#, "error"),
        ])
    func levels(sent: String, level: String) throws {
        var parser = EventParser()
        #expect(try parser.parsed(#"{"level":\#(sent)}"#, as: .sentry(id: nil, sentAt: nil)).text(.level) == level)
    }
}
