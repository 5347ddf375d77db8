import Notation
import Testing

@Suite struct NotationTests {
    @Test("a number has as many hex digits as its type, in lower case")
    func hexDigits() {
        #expect(UInt128(0xab).hexDigits == "000000000000000000000000000000ab")
        #expect(UInt128.max.hexDigits == String(repeating: "f", count: 32))
        #expect(UInt64(1).hexDigits == "0000000000000001" && UInt8(0).hexDigits == "00" && UInt8(255).hexDigits == "ff")
    }

    @Test("a string of JSON has nothing in it that ends it, breaks the line or moves a terminal's cursor")
    func quoted() {
        #expect(JSONString.quoted("a \"b\" \\ é") == #""a \"b\" \\ é""#)
        #expect(JSONString.quoted("\n\r\t\u{0}\u{1b}\u{7f}\u{9b}") == #""\n\r\t\u0000\u001b\u007f\u009b""#)
        #expect(JSONString.quoted("") == "\"\"")
    }
}
