/// Reads a header's comma-separated list front to back: tokens, each with the parameters behind it (RFC 6455, section
/// 9.1, which takes its grammar from RFC 9110). Several fields of one name form one list: pass them one after another.
struct HeaderElements {
    struct Parameter {
        let name: UnsafeRawBufferPointer
        /// Without its quotes; nil when there is no `=`.
        let value: UnsafeRawBufferPointer?
    }

    /// False once something has broken the grammar; nothing more is returned then.
    private(set) var isSound = true
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// Whether an element was read, which parameters or a comma may follow.
    private var isInElement = false

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next element's token; what is left of the one before is an error, except its parameters' absence.
    mutating func nextToken() -> UnsafeRawBufferPointer? {
        skipSpaces()
        if isInElement {
            guard position < bytes.count else { return nil }
            guard skip(UInt8(ascii: ",")) else { return refuse() }
            isInElement = false
        }
        // Empty elements are allowed in lists, RFC 9110, section 5.6.1.2.
        repeat { skipSpaces() } while skip(UInt8(ascii: ","))
        guard position < bytes.count else { return nil }
        isInElement = true
        return token()
    }

    /// The next parameter of the element just read.
    mutating func nextParameter() -> Parameter? {
        skipSpaces()
        guard skip(UInt8(ascii: ";")) else { return nil }
        skipSpaces()
        guard let name = token() else { return nil }
        guard skip(UInt8(ascii: "=")) else { return Parameter(name: name, value: nil) }
        guard let value = skip(UInt8(ascii: "\"")) ? quoted() : token() else { return nil }
        return Parameter(name: name, value: value)
    }

    private mutating func token() -> UnsafeRawBufferPointer? {
        let start = position
        while position < bytes.count, Self.isTokenCharacter(bytes[position]) { position += 1 }
        guard position > start else { return refuse() }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// What is quoted must be a token, too (RFC 6455, section 9.1), so nothing in it is escaped.
    private mutating func quoted() -> UnsafeRawBufferPointer? {
        guard let value = token() else { return nil }
        guard skip(UInt8(ascii: "\"")) else { return refuse() }
        return value
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpaces() {
        while position < bytes.count, bytes[position].isSpace { position += 1 }
    }

    private mutating func refuse() -> UnsafeRawBufferPointer? {
        isSound = false
        position = bytes.count
        return nil
    }

    /// A `tchar` of RFC 9110, section 5.6.2.
    static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
