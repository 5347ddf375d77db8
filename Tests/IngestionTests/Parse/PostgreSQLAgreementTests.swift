import PostgreSQL
import RecordedInputs
import StorageChannel
import TestServers
import Testing

@testable import Ingestion

/// What is accepted must be what PostgreSQL takes: one row that it refuses would fail a whole batch.
@Suite struct PostgreSQLAgreementTests {
    /// Whether PostgreSQL takes bytes as a type; each is tried by itself.
    private struct Oracle: ~Copyable {
        private let connection: Connection

        init() throws {
            let connection = try Connection.open(PostgreSQLServer.shared.get().url(), applicationName: "tests")
            for type in ["json", "jsonb", "text"] {
                try connection.execute(
                    """
                    CREATE FUNCTION pg_temp.is_\(type)(bytes bytea) RETURNS boolean LANGUAGE plpgsql AS $$
                    BEGIN
                        PERFORM CAST(convert_from(bytes, 'UTF8') AS \(type));
                        RETURN true;
                    EXCEPTION WHEN OTHERS THEN
                        RETURN false;
                    END $$
                    """)
            }
            self.connection = connection
        }

        func takes(_ texts: [[UInt8]], as type: String) throws -> [Bool] {
            let digits = Array("0123456789abcdef".utf8)
            let list = texts.map { text in
                String(decoding: text.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
            }
            let rows = try connection.query(
                """
                SELECT pg_temp.is_\(type)(decode(hex, 'hex'))
                FROM unnest(CAST($1 AS text[])) WITH ORDINALITY AS given (hex, position) ORDER BY position
                """, ["{" + list.map { "\"\($0)\"" }.joined(separator: ",") + "}"])
            return (0..<rows.count).map { rows[row: $0, column: 0] == "t" }
        }
    }

    private static let documents: [[UInt8]] =
        JSONCorpus.values.reduce(into: JSONCorpus.documents) { documents, value in
            documents.append(JSONCorpus.around(value, #"{"message":"m","level":"info","x":"#, "}"))
            documents.append(JSONCorpus.around(value, #"{"message":"m","level":"info","tags":{"t":"#, "}}"))
            documents.append(JSONCorpus.around(value, #"{"level":"info","message":"#, "}"))
            documents.append(JSONCorpus.around(value, #"{"message":"m","level":"info","#, ":1}"))
        }

    @Test("the corpus is JSON to the parser exactly where it is to PostgreSQL")
    func corpus() throws {
        let oracle = try Oracle()
        var parser = EventParser()
        let taken = try oracle.takes(Self.documents, as: "json")
        for (document, isTaken) in zip(Self.documents, taken) {
            let fault = JSONValidityTests.fault(&parser, document)
            #expect((fault == nil) == isTaken, "\(JSONValidityTests.show(document)): \(fault ?? "taken")")
        }
        #expect(taken.contains(true) && taken.contains(false))
    }

    @Test("every payload that is accepted is PostgreSQL's json, its tags are jsonb, and its strings are text")
    func columns() throws {
        var parser = EventParser()
        var payloads: [[UInt8]] = []
        var tags: [[UInt8]] = []
        var texts: [[UInt8]] = []
        let whole = Self.documents.filter { parser.refusal(of: $0) == nil }
        var mutations = Mutations(of: whole, seed: 4)
        let mutated = (0..<30_000).map { _ in mutations.next() }
        for document in whole + mutated {
            guard let event = try? parser.parsed(document) else { continue }
            payloads.append(event[.payload] ?? [])
            if let column = event[.tags] { tags.append(Array(column.dropFirst())) }
            texts.append(event[.message] ?? [])
        }
        let oracle = try Oracle()
        #expect(
            payloads.count > 1000 && tags.count > 300, "\(payloads.count) payloads, \(tags.count) of them with tags")
        for (columns, type) in [(payloads, "json"), (tags, "jsonb"), (texts, "text")] {
            for (column, isTaken) in zip(columns, try oracle.takes(columns, as: type)) where !isTaken {
                Issue.record("PostgreSQL does not take as \(type): \(JSONValidityTests.show(column))")
            }
        }
    }

    @Test("what is made of a Sentry event, a user report or a security report is json, jsonb and text as well")
    func sentryColumns() throws {
        var parser = EventParser()
        let address = IPAddress("2001:db8::7")
        let labels = ReportLabels(environment: Array("a\"\u{1}".utf8), release: nil, address: address)
        let forms: [EventForm] = [
            .sentry(id: nil, sentAt: nil), .sentry(id: nil, sentAt: nil, address: address), .userReport,
            .securityReport(ReportLabels()), .securityReport(labels),
        ]
        var columns: [EventRecord.Column: [[UInt8]]] = [:]
        var mutations = Mutations(of: SentrySamples.seeds, seed: 5)
        let mutated = (0..<20_000).map { _ in mutations.next() }
        for document in SentrySamples.seeds + Self.documents + mutated {
            for form in forms {
                guard let event = try? parser.parsed(document, as: form) else { continue }
                for column in EventRecord.Column.allCases where column.rawValue >= EventRecord.Column.level.rawValue {
                    if let bytes = event[column] { columns[column, default: []].append(bytes) }
                }
                #expect(event[.level] != nil && event[.message]?.isEmpty == false && event[.payload] != nil)
            }
        }
        let oracle = try Oracle()
        for (column, values) in columns {
            #expect(values.count > 100, "\(column): \(values.count)")
            let type = column.declaration.kind.rawValue
            let texts = Array(Set(column == .tags ? values.map { Array($0.dropFirst()) } : values))
            for (text, isTaken) in zip(texts, try oracle.takes(texts, as: type)) where !isTaken {
                Issue.record("PostgreSQL does not take as \(type): \(JSONValidityTests.show(text))")
            }
        }
        #expect(columns.count == EventRecord.Column.allCases.count - EventRecord.Column.level.rawValue)
    }

    @Test("numbers in tags are taken up to the edge of what PostgreSQL's numeric holds")
    func numbers() throws {
        let oracle = try Oracle()
        var parser = EventParser()
        let zeros = String(repeating: "0", count: 16_382)
        let nines = String(repeating: "9", count: 131_071)
        let numbers: [(String, Bool)] = [
            ("1e131071", true), ("9.9e131071", true), ("1e131072", false), ("1e-16383", true), ("1e-16384", false),
            ("0.\(zeros)1", true), ("0.\(zeros)01", false), ("9\(nines)", true), ("99\(nines)", false),
            ("9\(nines).\(zeros)1", true), ("10e131070", true), ("10e131071", false), ("0.1e-16382", true),
            ("0.1e-16383", false), ("1e400000", false), ("-1e-400000", false), ("1e2147483648", false),
        ]
        for (number, isWithin) in numbers {
            let tags = #"{"n":\#(number)}"#
            #expect(try oracle.takes([Array(tags.utf8)], as: "jsonb") == [isWithin], "\(number.prefix(20))")
            let refusal = parser.refusal(of: #"{"message":"m","level":"info","tags":\#(tags)}"#)
            #expect(refusal?.reason == (isWithin ? nil : .invalidField), "\(number.prefix(20))")
        }
    }
}
