/// A placeholder in a message.
struct Placeholder {
    enum Form {
        /// `%s`, `%1$s`, `%(name)s`, with flags, width, precision and size, which are ignored; `%%` is a percent sign.
        case percent
        /// `{}`, `{0}`, `{name}`, with a format after a colon, which is ignored; `{{` and `}}` are braces.
        case braces
    }

    enum Reference {
        case next
        /// From 0.
        case position(Int)
        case name(UnsafeRawBufferPointer)
        /// No parameter, but this character, which would begin a placeholder.
        case literal(UInt8)
    }

    /// The offset behind it.
    let end: Int
    let parameter: Reference

    /// The longest name of a parameter, with its parentheses, in bytes.
    private static let longestName = 100

    private init(end: Int, parameter: Reference) {
        self.end = end
        self.parameter = parameter
    }

    /// The placeholder that begins at an offset within the text; nil when there is none.
    init?(_ form: Form, in text: UnsafeRawBufferPointer, at start: Int) {
        let found =
            switch form {
            case .percent: Self.percent(in: text, at: start)
            case .braces: Self.braces(in: text, at: start)
            }
        guard let found else { return nil }
        self = found
    }

    private static func percent(in text: UnsafeRawBufferPointer, at start: Int) -> Placeholder? {
        guard text[start] == UInt8(ascii: "%"), start + 1 < text.count else { return nil }
        var position = start + 1
        var reference = Reference.next
        if text[position] == UInt8(ascii: "%") {
            return Placeholder(end: position + 1, parameter: .literal(text[start]))
        }
        if text[position] == UInt8(ascii: "(") {
            guard let end = text[position...].prefix(longestName).firstIndex(of: UInt8(ascii: ")")) else {
                return nil
            }
            reference = .name(UnsafeRawBufferPointer(rebasing: text[(position + 1)..<end]))
            position = end + 1
        }
        let digits = text[position...].prefix(while: UnsafeRawBufferPointer.isDigit)
        if digits.endIndex < text.count, text[digits.endIndex] == UInt8(ascii: "$"), let number = number(digits) {
            reference = .position(number - 1)
            position = digits.endIndex + 1
        }
        while position < text.count, isFormat(text[position]) { position += 1 }
        while position + 1 < text.count, isLength(text[position]), UnsafeRawBufferPointer.isLetter(text[position + 1]) {
            position += 1
        }
        guard position < text.count, UnsafeRawBufferPointer.isLetter(text[position]) || text[position] == 0x40 else {
            return nil
        }
        return Placeholder(end: position + 1, parameter: reference)
    }

    /// Flags, width and precision. A space is no flag here: "50% of" has no placeholder.
    private static func isFormat(_ byte: UInt8) -> Bool {
        UnsafeRawBufferPointer.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "*")
    }

    /// The size of an argument in C, which stands before its conversion: `%ld`.
    private static func isLength(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "l") || byte == UInt8(ascii: "h") || byte == UInt8(ascii: "q") || byte == UInt8(ascii: "z")
    }

    private static func braces(in text: UnsafeRawBufferPointer, at start: Int) -> Placeholder? {
        let brace = text[start]
        guard brace == UInt8(ascii: "{") || brace == UInt8(ascii: "}"), start + 1 < text.count else { return nil }
        if text[start + 1] == brace { return Placeholder(end: start + 2, parameter: .literal(brace)) }
        guard brace == UInt8(ascii: "{") else { return nil }
        let name = text[(start + 1)...].prefix { isName($0) }
        var end = name.endIndex
        if end < text.count, text[end] == UInt8(ascii: ":") {
            end += text[end...].prefix { $0 != UInt8(ascii: "}") && $0 != UInt8(ascii: "{") }.count
        }
        guard end < text.count, text[end] == UInt8(ascii: "}") else { return nil }
        if name.isEmpty { return Placeholder(end: end + 1, parameter: .next) }
        if let number = number(name) { return Placeholder(end: end + 1, parameter: .position(number)) }
        return Placeholder(end: end + 1, parameter: .name(UnsafeRawBufferPointer(rebasing: name)))
    }

    private static func isName(_ byte: UInt8) -> Bool {
        UnsafeRawBufferPointer.isDigit(byte) || UnsafeRawBufferPointer.isLetter(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@")
    }

    /// The number that one to three digits stand for.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(UnsafeRawBufferPointer.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
