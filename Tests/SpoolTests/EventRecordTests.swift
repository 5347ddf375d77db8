import Foundation
import RecordedInputs
import Testing

@testable import Spool
@testable import StorageChannel

/// A release reads what the one before and the one after it have written.
struct EventRecordTests {
    private func elements(_ bytes: [UInt8], known: Int = EventRecord.Column.allCases.count) -> [[UInt8]]? {
        var elements: [[UInt8]] = []
        let isWhole = bytes.withUnsafeBytes { record in
            EventRecord.forEachElement(of: record, known: known) { column, element in
                #expect(column == elements.count)
                elements.append(Array(element))
            }
        }
        return isWhole ? elements : nil
    }

    /// All columns of each version of the schema that brought some: a value that stands here never changes.
    private static let layouts: [Int: UInt64] = [1: 0xab4a_dc3a_f9b2_478f, 6: 0x14c5_65c4_8479_0532]

    @Test("Columns are only ever appended: what a version has stays as it is, and what is new has a version of its own")
    func layout() {
        let versions = EventRecord.Column.allCases.map(\.declaration.since)
        #expect(versions == versions.sorted() && versions.prefix { $0 == 1 }.count == EventRecord.firstColumns)
        let found = Dictionary(uniqueKeysWithValues: Set(versions).map { ($0, Self.fingerprint(of: $0)) })
        #expect(found == Self.layouts)
    }

    /// FNV-1a over the columns that a version of the schema has, in their order.
    private static func fingerprint(of version: Int) -> UInt64 {
        let columns = EventRecord.Column.allCases.map(\.declaration).filter { $0.since <= version }
        let text = columns.map { "\($0.name) \($0.kind.rawValue)" }.joined(separator: ";")
        return text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    @Test("A column that the writer did not know is NULL")
    func older() throws {
        let record = TestRecord().bytes
        let known = try #require(elements(record))
        let null: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        #expect(elements(record, known: known.count + 2) == known + [null, null])
    }

    @Test("A column that the reader does not know is left out")
    func newer() throws {
        let record = TestRecord().bytes
        let known = try #require(elements(record))
        let newer = record + [0, 0, 0, 3, 1, 2, 3] + [0xff, 0xff, 0xff, 0xff]
        #expect(elements(newer) == known)
        #expect(newer.withUnsafeBytes { RecordHead($0) } == record.withUnsafeBytes { RecordHead($0) })
    }

    @Test("What is cut short, or has more columns than any release, is no record")
    func broken() {
        let record = TestRecord(columns: EventRecord.firstColumns).bytes
        for count in 0..<record.count { #expect(elements(Array(record.prefix(count))) == nil) }
        let null: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        for count in 1...3 { #expect(elements(record + null.prefix(count)) == nil) }
        #expect(elements(record + [0, 0, 0, 2, 1]) == nil && elements(record + [0xff, 0xff, 0xff, 0xfe]) == nil)
        let most = EventRecord.mostColumns - EventRecord.firstColumns
        func nulls(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in null } }
        #expect(elements(record + nulls(most)) != nil && elements(record + nulls(most + 1)) == nil)
    }

    @Test("A spool that the first release has left is delivered whole")
    func firstRelease() throws {
        let folder = try TestFolder()
        try FileManager.default.createDirectory(atPath: folder.spool, withIntermediateDirectories: false)
        folder.write(RecordedFile.bytes("formats/segment-1"), to: SegmentFile.name(1))
        let result = try TestSpool(folder).drain()
        #expect(result.records.count == 2 && result.damages.isEmpty && result.torn == 0)
        let heads = result.records.map { record in record.withUnsafeBytes { RecordHead($0) } }
        #expect(heads.map { $0?.project } == [7, 8] && heads.map { $0?.eventID } == [0xabc, 0xdef])
        let texts = result.records.compactMap { elements($0) }.map { record in
            record[5..<EventRecord.firstColumns].map { $0.count == 4 ? nil : String(decoding: $0[4...], as: UTF8.self) }
        }
        #expect(
            texts == [
                [
                    "error", "it failed", "python", "production", "shop@4.11.2", "web-3", "app.checkout",
                    "POST /checkout",
                    "sentry.python", "2.19.0", "\u{1}{\"region\":\"eu-west-1\"}",
                    #"{"message":"it failed","level":"error"}"#,
                ],
                ["info", "Grüße", nil, nil, nil, nil, nil, nil, nil, nil, nil, #"{"message":"Grüße"}"#],
            ])
    }
}
