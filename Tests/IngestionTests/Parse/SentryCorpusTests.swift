import Glibc
import RecordedInputs
import StorageChannel
import Testing

@testable import Ingestion

/// What Sentry's own normaliser makes of some thousand events of every shape, beside what Mesher does.
@Suite struct SentryCorpusTests {
    @Test("each column is Sentry's, but for differences that are listed, each with its reason")
    func columns() throws {
        var parser = EventParser()
        var reasons: Set<String> = []
        let shapes = SentryShape.recorded()
        #expect(shapes.count > 2_000)
        for shape in shapes {
            let row = try parser.parsed(
                Array(shape.event.utf8), as: .sentry(id: nil, sentAt: nil), receivedAt: SentryShape.receivedAt)
            guard !shape.isRefused else { continue }
            let comparisons = SentryComparison.all(
                of: shape, text: { Self.text(of: $0, in: row) }, tags: row.text(.tags))
            for comparison in comparisons {
                let reason = SentryDifference.reason(for: comparison)
                #expect(reason != nil, "\(comparison)")
                reasons.insert(reason ?? "")
            }
        }
        for difference in SentryDifference.all {
            #expect(reasons.contains(difference.reason), "no event any more: \(difference.reason)")
        }
    }

    @Test("the differences are in the document for users of Sentry, in the same words")
    func documented() throws {
        let folder = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let file = try #require(fopen("/\(folder)/docs/sentry-events.md", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
            .split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        for reason in SentryDifference.all.map(\.reason) + [SentryDifference.refusal] {
            #expect(text.contains("- \(reason)"))
        }
    }

    private static func text(of column: EventRecord.Column, in row: ParsedEvent) -> String? {
        switch column {
        case .eventID:
            let digits = String(row.id, radix: 16)
            return row.id == ParsedEvent.derivedID ? nil : String(repeating: "0", count: 32 - digits.count) + digits
        case .timestamp: return row.timestamp == SentryShape.receivedAt ? nil : row.timestamp.map { "\($0)" }
        default: return row.text(column)
        }
    }
}
