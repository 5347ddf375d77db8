import Testing

@testable import Ingestion

@Suite struct BulkSplitterTests {
    /// Splits bytes that lie between others, which must stay as they are.
    static func split(
        _ body: [UInt8], isNDJSON: Bool = false, maximum: Int = 1000
    ) -> Result<[[UInt8]], Refusal> {
        let margin = Array("]\"}".utf8) + [UInt8](repeating: UInt8(ascii: "]"), count: 61)
        var surrounded = margin + body + margin
        let result = surrounded.withUnsafeMutableBytes { buffer -> Result<[Range<Int>], Refusal> in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[64..<64 + body.count])
            do throws(Refusal) {
                return .success(try BulkSplitter.split(bytes, isNDJSON: isNDJSON, maximum: maximum))
            } catch {
                return .failure(error)
            }
        }
        precondition(Array(surrounded.prefix(64)) == margin && Array(surrounded.suffix(64)) == margin)
        return result.map { $0.map { Array(body[$0]) } }
    }

    private func split(_ body: String, isNDJSON: Bool = false, maximum: Int = 1000) throws(Refusal) -> [String] {
        try Self.split(Array(body.utf8), isNDJSON: isNDJSON, maximum: maximum).get()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private func refusal(_ body: String, isNDJSON: Bool = false, maximum: Int = 1000) -> Refusal? {
        do throws(Refusal) {
            _ = try split(body, isNDJSON: isNDJSON, maximum: maximum)
            return nil
        } catch {
            return error
        }
    }

    @Test("an array is split into its elements, of any kind, without the space around them")
    func array() throws {
        #expect(
            try split(#" [ {"a":[1,{}]} ,"x,]" , 12 ,null,[ ] ] "#) == [
                #"{"a":[1,{}]}"#, #""x,]""#, "12", "null", "[ ]",
            ])
        #expect(try split("[1]") == ["1"])
    }

    @Test("lines are split whatever is in them, blank ones and carriage returns left out")
    func lines() throws {
        #expect(try split("{\"a\":1}\r\n\n \t\r\n nonsense \n[1]", isNDJSON: true) == [#"{"a":1}"#, "nonsense", "[1]"])
        #expect(try split("{}\n", isNDJSON: true) == ["{}"])
        #expect(try split("{}", isNDJSON: true) == ["{}"])
        #expect(try split(" \r\n{}\n1\n", isNDJSON: false) == ["{}", "1"])
    }

    @Test("a body that begins with a bracket is an array, whatever its media type says")
    func arrayAsNDJSON() throws {
        #expect(try split(" \n[1,\n2]", isNDJSON: true) == ["1", "2"])
        #expect(refusal("[1]\n[2]", isNDJSON: true)?.reason == .invalidJSON)
    }

    @Test("a body without an event is refused as empty")
    func empty() {
        let empty = Refusal(.emptyBulk, "empty bulk request")
        #expect(refusal("[]") == empty)
        #expect(refusal(" [ ] ") == empty)
        #expect(refusal("", isNDJSON: true) == empty)
        #expect(refusal("\n \r\n", isNDJSON: true) == empty)
    }

    @Test("a body that is JSON but no array is told so; one that is no JSON is told where")
    func noArray() {
        let noArray = Refusal(.invalidEvent, "invalid bulk: must be an array")
        #expect(refusal(" 1 ") == noArray)
        #expect(refusal(#""[]""#) == noArray)
        #expect(refusal("") == Refusal(.invalidJSON, "invalid JSON: unexpected end at byte 0"))
        #expect(refusal("1\n{}") == Refusal(.invalidJSON, "invalid JSON: something follows the value at byte 2"))
        #expect(refusal("[1,]") == Refusal(.invalidJSON, "invalid JSON: expected a value at byte 3"))
        #expect(
            refusal("[1 2]") == Refusal(.invalidJSON, "invalid JSON: expected a comma or a closing bracket at byte 3"))
        #expect(refusal("[{}") == Refusal(.invalidJSON, "invalid JSON: unexpected end at byte 3"))
        #expect(refusal("[{}]]") == Refusal(.invalidJSON, "invalid JSON: something follows the value at byte 4"))
        #expect(refusal(#"[{"a":tru}]"#) == Refusal(.invalidJSON, "invalid JSON: invalid literal at byte 6"))
    }

    @Test("as many events as allowed are taken, one more is refused with the limit")
    func maximum() throws {
        let tooMany = Refusal(.tooManyEvents, "too many events in bulk request (max 3)")
        #expect(try split("[1,2,3]", maximum: 3).count == 3)
        #expect(refusal("[1,2,3,4]", maximum: 3) == tooMany)
        #expect(try split("1\n2\n3\n\n", isNDJSON: true, maximum: 3).count == 3)
        #expect(refusal("1\n2\n3\n4", isNDJSON: true, maximum: 3) == tooMany)
        #expect(refusal("[1]", maximum: 0) == Refusal(.tooManyEvents, "too many events in bulk request (max 0)"))
    }

    @Test("an array cut short at any byte is refused")
    func cutShort() {
        let whole = "[\(JSONCorpus.whole), \(JSONCorpus.whole)]"
        #expect((try? split(whole))?.count == 2)
        for size in 0..<whole.utf8.count {
            guard case .failure = Self.split(Array(whole.utf8.prefix(size))) else {
                Issue.record("taken, cut at \(size)")
                continue
            }
        }
    }

    @Test("an element that nests too deep leaves the others whole; the parser refuses it alone")
    func tooDeep() throws {
        let deep = String(repeating: #"[{"a":"#, count: 500) + "1" + String(repeating: "}]", count: 500)
        let levels64 = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(
            try split(#"[1,\#(deep),{"a":\#(deep)},\#(levels64),2]"#) == ["1", deep, #"{"a":\#(deep)}"#, levels64, "2"])
        #expect(refusal("[" + String(repeating: "[", count: 5000))?.reason == .invalidJSON)
        var parser = EventParser()
        #expect(parser.refusal(of: deep)?.text == "invalid JSON: nested deeper than 64 levels")
    }

    @Test("every event of a large bulk is found, and parses where it lies")
    func large() throws {
        let event = JSONCorpus.whole
        let events = try split("[" + Array(repeating: event, count: 1000).joined(separator: ",") + "]")
        #expect(events.count == 1000)
        #expect(events.allSatisfy { $0 == event })
    }
}
