/// A second opinion on what is JSON: RFC 8259 written down as plainly as can be, for UTF-8 bytes. It knows no limit but
/// one of depth, so that no input exhausts the stack.
struct ReferenceJSON {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private(set) var deepest = 0

    /// Whether `bytes` are one JSON text, and if so, the levels that it nests.
    static func levels(of bytes: [UInt8]) -> Int? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        return bytes.withUnsafeBytes { buffer in
            var reference = ReferenceJSON(bytes: buffer)
            guard reference.element(level: 0), reference.at == buffer.count else { return nil }
            return reference.deepest
        }
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    private mutating func take(where isWanted: (UInt8) -> Bool) -> Bool {
        guard let byte = next, isWanted(byte) else { return false }
        at += 1
        return true
    }

    private mutating func whiteSpace() {
        while take(" ") || take("\n") || take("\r") || take("\t") {}
    }

    private mutating func element(level: Int) -> Bool {
        whiteSpace()
        guard value(level: level) else { return false }
        whiteSpace()
        return true
    }

    private mutating func value(level: Int) -> Bool {
        switch next {
        case UInt8(ascii: "{"): return object(level: level + 1)
        case UInt8(ascii: "["): return array(level: level + 1)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return literal("true")
        case UInt8(ascii: "f"): return literal("false")
        case UInt8(ascii: "n"): return literal("null")
        default: return number()
        }
    }

    private mutating func object(level: Int) -> Bool {
        guard level < 1000, take("{") else { return false }
        deepest = max(deepest, level)
        whiteSpace()
        if take("}") { return true }
        repeat {
            whiteSpace()
            guard string() else { return false }
            whiteSpace()
            guard take(":"), element(level: level) else { return false }
        } while take(",")
        return take("}")
    }

    private mutating func array(level: Int) -> Bool {
        guard level < 1000, take("[") else { return false }
        deepest = max(deepest, level)
        whiteSpace()
        if take("]") { return true }
        repeat {
            guard element(level: level) else { return false }
        } while take(",")
        return take("]")
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case 0..<0x20: return false
            case UInt8(ascii: "\\"): guard escape() else { return false }
            default: break
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        if take("u") {
            for _ in 0..<4 {
                let isHex = take {
                    (0x30...0x39).contains($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0)
                }
                if !isHex { return false }
            }
            return true
        }
        return take("\"") || take("\\") || take("/") || take("b") || take("f") || take("n") || take("r") || take("t")
    }

    private mutating func literal(_ text: String) -> Bool {
        for scalar in text.unicodeScalars where !take(scalar) { return false }
        return true
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() else { return false } }
        if take(".") { guard digits() else { return false } }
        if take("e") || take("E") {
            if !take("-") { _ = take("+") }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func digits() -> Bool {
        var any = false
        while take(where: { (0x30...0x39).contains($0) }) { any = true }
        return any
    }
}
