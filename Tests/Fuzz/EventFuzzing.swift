import Ingestion
import RecordedInputs
import StorageChannel

/// The parser of our own events, and the splitter of bulks.
enum EventFuzzing {
    static let seeds =
        SentrySamples.seeds
        + [
            #"{"message":"m","level":"info"}"#, #"[{"message":"a","level":"info"} , {"x":[[1,-0.5e+3]]}]"#,
            #"{"message":"a\u0000\ud800\n","level":"debug","tags":{"a":[1.5e3,null]}}"#,
            "{\"level\":\"error\",\"message\":\"é😀\"}\r\n\n{\"a\":1}\n",
            #"{"timestamp":"2024-02-29T23:59:60.5+01:00","event_id":"fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0"}"#,
        ].map { Array($0.utf8) }

    static func makeConsumer() -> ([UInt8]) -> Void {
        let parser = RecordChecker()
        return { input in
            parser.parse(input, as: .native)
            var body = Body(count: input.count)
            body.withUnsafeMutableBytes { bytes in
                bytes.copyBytes(from: input)
                for isNDJSON in [false, true] {
                    let ranges = try? BulkSplitter.split(bytes, isNDJSON: isNDJSON, maximum: 100)
                    for range in ranges ?? [] {
                        precondition(range.lowerBound < range.upperBound && bytes.indices.contains(range))
                    }
                }
            }
        }
    }
}

/// The parser of what Sentry's SDKs and browsers send.
enum SentryFuzzing {
    static let seeds =
        SentrySamples.seeds
        + [
            #"{"pass\u0077ord":"x","auth":{"a":[1]},"a":"{\"pwd\":\"x\\\"y\",\"otp\":1}","c":4111111111111111}"#,
            #"{"a":"https://u:p@h/?token=x%3Dy&next=%2F%3Fpwd%3Dx%26b","b":[["Cookie","a"],"--token","t"],"m":"a@b.de"}"#,
            #"{"a":{"name":"secret","value":{}},"i":"::ffff:10.0.0.7 2001:db8::1 10.1.2.3","h":"Cookie: a\nBearer 1é="}"#,
        ].map { Array($0.utf8) }

    static func makeConsumer() -> ([UInt8]) -> Void {
        let parser = RecordChecker()
        let address = Array("2001:db8::7".utf8).withUnsafeBytes { IPAddress($0) }
        let plan = ScrubPlan(ScrubRules("default ip email user level".utf8))
        return { input in
            parser.parse(input, as: .sentry(id: nil, sentAt: nil), plan)
            parser.parse(input, as: .native, plan)
            parser.parse(input, as: .sentry(id: nil, sentAt: 1_600_000_000_000_000))
            parser.parse(input, as: .sentry(id: nil, sentAt: nil, address: address))
            parser.parse(input, as: .userReport)
            parser.parse(input, as: .securityReport(ReportLabels()))
        }
    }
}

/// Parses events, and checks what becomes of them: a whole frame with texts that PostgreSQL takes.
private final class RecordChecker {
    private var parser = EventParser()

    func parse(_ input: [UInt8], as form: EventForm, _ plan: ScrubPlan? = nil) {
        var body = Body(count: input.count)
        var frames = FrameBlockWriter()
        let isTaken = body.withUnsafeMutableBytes { bytes in
            bytes.copyBytes(from: input)
            let id = try? parser.parse(
                bytes, as: form, project: 1, derivedID: 1, receivedAt: 1_700_000_000_000_000, ticket: 1, flags: [],
                scrubbing: plan, into: &frames)
            return id != nil
        }
        precondition(isTaken != frames.bytes.isEmpty, "a refused event leaves nothing, a taken one its frame")
        guard isTaken else { return }
        // Behind the frame's head, the ticket and the flags.
        let recordStart = Frame.headerSize + 9
        let block = frames.finish()
        withExtendedLifetime(block) {
            StoredRecord.check(UnsafeRawBufferPointer(rebasing: block.bytes[recordStart...]))
        }
    }
}

/// What storage is handed.
enum StoredRecord {
    /// Stops the process when a record is not whole, or holds a text that PostgreSQL does not take.
    static func check(_ record: UnsafeRawBufferPointer) {
        let isWhole = EventRecord.forEachElement(of: record) { column, element in
            guard column >= EventRecord.Column.level.rawValue else { return }
            let text = element.dropFirst(4)
            precondition(!text.contains(0), "a text with NUL")
            precondition(String(validating: text, as: UTF8.self) != nil, "a text that is not UTF-8")
        }
        precondition(isWhole, "a record that is not whole")
    }
}
