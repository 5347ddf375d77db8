import Foundation
import RecordedInputs
import Testing

@testable import Ingestion

/// Damaged input in quantity. `MESHER_TEST_MUTATIONS` sets how much, for a longer run.
@Suite struct MutationTests {
    private static let count =
        ProcessInfo.processInfo.environment["MESHER_TEST_MUTATIONS"].flatMap { Int($0) } ?? 100_000

    private static let values = [
        #"{"message":"m","level":"info"}"#, #"{"message":"a\u0000\ud800\n","level":"debug","tags":{"a":[1.5e3,null]}}"#,
        #"{"level":"error","timestamp":"2024-02-29T23:59:60.5+01:00","message":"é😀"}"#,
        #"{"timestamp":-1.5e-3,"event_id":"fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0"}"#,
        #"{"a":{"b":[[],{},"x",true,false,null,-0.0E+1]},"fingerprint":["a","b"]}"#, #"[[["a\\"],{"b":1}],"]"]"#,
    ]

    @Test("damaged events are taken or refused as the reference says")
    func events() {
        var parser = EventParser()
        var mutations = Mutations(of: Self.values.map { Array($0.utf8) }, seed: 1)
        for _ in 0..<Self.count {
            JSONValidityTests.expectAgreement(&parser, mutations.next())
        }
    }

    @Test("damaged Sentry events are taken or refused as the reference says, whatever is in their fields")
    func sentryEvents() {
        var parser = EventParser()
        var mutations = Mutations(of: SentrySamples.seeds, seed: 6)
        for _ in 0..<Self.count / 5 {
            let bytes = mutations.next()
            let refusal = parser.refusal(of: bytes, as: .sentry(id: nil, sentAt: nil))
            // The reference is strict: of what is JSON but for a number that is not finite it says nothing.
            if ReferenceJSON.levels(of: bytes) != nil {
                #expect(refusal == nil || refusal?.reason == .invalidEvent || refusal?.reason == .unsupportedItem)
            } else if !JSONValidityTests.show(bytes).contains(/NaN|Infinity/) {
                #expect(refusal?.reason == .invalidJSON, "taken, but no JSON: \(JSONValidityTests.show(bytes))")
            }
        }
    }

    @Test("damaged bulk bodies are split or refused as the reference says, into what is JSON itself")
    func bulks() throws {
        let elements = Self.values.joined(separator: " ,\n")
        let seeds = ["[\(elements)]", " [ \(Self.values[0]) ]\n", "[]", "[1,\"a\",null]", "\"a\""]
        var mutations = Mutations(of: seeds.map { Array($0.utf8) }, seed: 2)
        for _ in 0..<Self.count / 5 {
            let body = mutations.next()
            // Lines, whatever they are.
            if body.first(where: { !" \n\r\t".utf8.contains($0) }) == UInt8(ascii: "{") { continue }
            let isJSON = ReferenceJSON.levels(of: body) != nil
            switch BulkSplitterTests.split(body) {
            case .success(let events):
                #expect(isJSON, "split, but no JSON: \(JSONValidityTests.show(body))")
                #expect(events.allSatisfy { ReferenceJSON.levels(of: $0) != nil })
                let joined = Array("[".utf8) + Array(events.joined(separator: Array(",".utf8))) + Array("]".utf8)
                #expect(withoutWhiteSpace(joined) == withoutWhiteSpace(body))
            case .failure(let refusal):
                #expect((refusal.reason == .invalidJSON) == !isJSON, "\(refusal): \(JSONValidityTests.show(body))")
            }
        }
    }

    @Test("damaged newline-delimited bodies are split into their lines")
    func lines() throws {
        let seeds = [Self.values.joined(separator: "\n"), Self.values.joined(separator: " \r\n\n"), "\n\n", " 1\n2"]
        var mutations = Mutations(of: seeds.map { Array($0.utf8) }, seed: 3)
        for _ in 0..<Self.count / 5 {
            let body = mutations.next()
            if body.first(where: { !isWhiteSpace($0) }) == UInt8(ascii: "[") { continue }
            let lines = body.split(separator: UInt8(ascii: "\n")).compactMap { line in
                let trimmed = line.drop(while: isWhiteSpace).reversed().drop(while: isWhiteSpace).reversed()
                return trimmed.isEmpty ? nil : Array(trimmed)
            }
            switch BulkSplitterTests.split(body, isNDJSON: true) {
            case .success(let events): #expect(events == lines)
            case .failure(let refusal): #expect(refusal.reason == .emptyBulk && lines.isEmpty)
            }
        }
    }

    private func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// The text without white space between its tokens, for a text that is JSON.
    private func withoutWhiteSpace(_ text: [UInt8]) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        return text.filter { byte in
            if isEscaped {
                isEscaped = false
                return true
            }
            if byte == UInt8(ascii: "\"") { isInString.toggle() }
            isEscaped = isInString && byte == UInt8(ascii: "\\")
            return isInString || !isWhiteSpace(byte)
        }
    }
}
