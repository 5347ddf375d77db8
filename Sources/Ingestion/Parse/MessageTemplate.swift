import CJSON

/// A message template with separate parameters, as logging libraries use: `%s` and the like, or `{}`, `{0}` and
/// `{name}`.
struct MessageTemplate {
    private let text: UnsafeRawBufferPointer
    private let form: Placeholder.Form?

    /// Maximum size of a filled-in message, in bytes: what its column could hold.
    private static let longest = 4 * TextLimit.message

    /// Maximum number of parameters that are used.
    private static let mostParameters = 256

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        form = Self.form(of: text)
    }

    /// The message with its parameters filled in. A placeholder without a parameter stays as it is.
    func filled(with parameters: JSONMembers, _ room: inout TextRoom) -> UnsafeRawBufferPointer {
        guard let form else { return text }
        let parameters = Array(parameters.prefix(Self.mostParameters))
        let start = room.count
        var used = 0
        var copied = 0
        var position = 0
        while position < text.count, room.count - start < Self.longest {
            guard let placeholder = Placeholder(form, in: text, at: position) else {
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
        _ reference: Placeholder.Reference, in parameters: [JSONMembers.Element], _ used: inout Int
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
    private static func form(of text: UnsafeRawBufferPointer) -> Placeholder.Form? {
        for form: Placeholder.Form in [.percent, .braces] {
            var position = 0
            while position < text.count {
                guard let placeholder = Placeholder(form, in: text, at: position) else {
                    position += 1
                    continue
                }
                if case .literal = placeholder.parameter {} else { return form }
                position = placeholder.end
            }
        }
        return nil
    }
}
