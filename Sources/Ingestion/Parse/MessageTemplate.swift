import CJSON

/// A message whose parameters were sent beside it, as logging libraries have them: `%s` and its like, or `{}`, `{0}` and
/// `{name}`.
struct MessageTemplate {
    private let text: UnsafeRawBufferPointer
    private let form: Form?

    private enum Form {
        /// `%s`, `%1$s`, `%(name)s`, with flags, width and precision, which are passed over; `%%` is a percent sign.
        case percent
        /// `{}`, `{0}`, `{name}`, with a format behind a colon, which is passed over; `{{` and `}}` are braces.
        case braces
    }

    /// A part of the template that a parameter takes the place of.
    private struct Placeholder {
        /// Behind the placeholder.
        let end: Int
        let parameter: Reference
    }

    private enum Reference {
        case next
        /// From 0.
        case position(Int)
        case name(UnsafeRawBufferPointer)
        /// No parameter, but this character, which would start a placeholder.
        case literal(UInt8)
    }

    /// A message may not be made longer, in bytes, than its column could ever hold.
    private static let longest = 4 * TextLimit.message

    /// The most parameters that are looked at.
    private static let mostParameters = 256

    /// The longest name of a parameter, with its parentheses, in bytes.
    private static let longestName = 100

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        form = Self.form(of: text)
    }

    /// The message with its parameters put in. A placeholder without a parameter stays as it is.
    func filled(with parameters: JSONMembers, _ room: inout TextRoom) -> UnsafeRawBufferPointer {
        guard let form else { return text }
        let parameters = Array(parameters.prefix(Self.mostParameters))
        let start = room.count
        var used = 0
        var copied = 0
        var position = 0
        while position < text.count, room.count - start < Self.longest {
            guard let placeholder = Self.placeholder(form, in: text, at: position) else {
                position += 1
                continue
            }
            let literal = UnsafeRawBufferPointer(rebasing: text[copied..<position])
            switch placeholder.parameter {
            case .literal(let byte):
                room.append(literal)
                room.append(byte)
                copied = placeholder.end
            case .next, .position, .name:
                if let value = Self.find(placeholder.parameter, in: parameters, &used) {
                    room.append(literal)
                    room.append(contentOf: value)
                    copied = placeholder.end
                }
            }
            position = placeholder.end
        }
        room.append(UnsafeRawBufferPointer(rebasing: text[copied...]))
        return room.count > start ? room.text(from: start) : text
    }

    private static func find(
        _ reference: Reference, in parameters: [JSONMembers.Element], _ used: inout Int
    ) -> mesher_json_value? {
        switch reference {
        case .literal: return nil
        case .next:
            guard used < parameters.count else { return nil }
            used += 1
            return parameters[used - 1].value
        case .position(let position):
            return parameters.indices.contains(position) ? parameters[position].value : nil
        case .name(let name):
            return parameters.last { $0.name.kind == .string && $0.name.bytes.elementsEqual(name) }?.value
        }
    }

    /// The form of the first placeholder that wants a parameter, `%` before braces; nil when there is none.
    private static func form(of text: UnsafeRawBufferPointer) -> Form? {
        for form: Form in [.percent, .braces] {
            var position = 0
            while position < text.count {
                guard let placeholder = placeholder(form, in: text, at: position) else {
                    position += 1
                    continue
                }
                if case .literal = placeholder.parameter {} else { return form }
                position = placeholder.end
            }
        }
        return nil
    }

    private static func placeholder(_ form: Form, in text: UnsafeRawBufferPointer, at start: Int) -> Placeholder? {
        switch form {
        case .percent: percentPlaceholder(in: text, at: start)
        case .braces: bracesPlaceholder(in: text, at: start)
        }
    }

    private static func percentPlaceholder(in text: UnsafeRawBufferPointer, at start: Int) -> Placeholder? {
        guard text[start] == UInt8(ascii: "%"), start + 1 < text.count else { return nil }
        var position = start + 1
        var reference = Reference.next
        if text[position] == UInt8(ascii: "%") {
            return Placeholder(end: position + 1, parameter: .literal(text[start]))
        }
        if text[position] == UInt8(ascii: "(") {
            guard let end = text[position...].prefix(Self.longestName).firstIndex(of: UInt8(ascii: ")")) else {
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
        guard position < text.count, UnsafeRawBufferPointer.isLetter(text[position]) || text[position] == 0x40 else {
            return nil
        }
        return Placeholder(end: position + 1, parameter: reference)
    }

    /// Flags, width and precision. A space is no flag here: "50% of" has no placeholder.
    private static func isFormat(_ byte: UInt8) -> Bool {
        UnsafeRawBufferPointer.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#")
    }

    private static func bracesPlaceholder(in text: UnsafeRawBufferPointer, at start: Int) -> Placeholder? {
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
