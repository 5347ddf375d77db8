package import StorageChannel

/// A column, or one tag, that Mesher fills in otherwise than Sentry.
package struct SentryComparison: CustomStringConvertible {
    package let shape: SentryShape
    package let column: EventRecord.Column
    /// The tag's name.
    package let tag: String?
    package let sentry: String?
    package let mesher: String?
    /// Mesher's tag is a number, a boolean or null.
    package let isLiteral: Bool

    package var description: String {
        "\(column) \(tag ?? "") of \(shape.event.prefix(300)) is \(sentry?.debugDescription ?? "none") in Sentry,"
            + " \(mesher?.debugDescription ?? "none") here (\(shape.kinds.joined(separator: " ")))"
    }

    /// What was sent for the column, where that is none of Sentry's.
    var sent: String? { shape.sent[column] }

    func isOfKind(_ suffixes: String...) -> Bool {
        shape.kinds.contains { kind in suffixes.contains { kind.hasSuffix($0) } }
    }

    /// The columns of a row that are not as Sentry's.
    ///
    /// - Parameters:
    ///   - text: The text of a column: an id's hex digits, a time's microseconds since 1970; nil also for an id made from
    ///     the request, and the time of receipt.
    ///   - tags: The JSON object in that column.
    package static func all(of shape: SentryShape, text: (EventRecord.Column) -> String?, tags: String?) -> [Self] {
        var found: [Self] = []
        for column in EventRecord.Column.allCases where column != .tags && column != .payload {
            let isCompared = ![.projectID, .receivedAt, .receivedOn].contains(column)
            guard isCompared, !isSame(text(column), shape.columns[column]) else { continue }
            found.append(
                Self(
                    shape: shape, column: column, tag: nil, sentry: shape.columns[column], mesher: text(column),
                    isLiteral: false))
        }
        let own = TagText.tags(in: tags ?? "{}")
        for name in Set(own.keys).union(shape.tags.keys).sorted() where own[name] != shape.tags[name].map(TagText.text)
        {
            found.append(
                Self(
                    shape: shape, column: .tags, tag: name, sentry: shape.tags[name], mesher: own[name]?.content,
                    isLiteral: own[name]?.isLiteral ?? false))
        }
        return found
    }

    /// Whether two texts are of the same characters; Swift's `==` knows more that are equivalent.
    static func isSame(_ one: String?, _ other: String?) -> Bool {
        one.map { Array($0.utf8) } == other.map { Array($0.utf8) }
    }
}

/// A tag's value as it stands in a JSON object.
enum TagText: Hashable {
    case text(String)
    case literal(String)

    var content: String {
        switch self {
        case .text(let content), .literal(let content): content
        }
    }

    var isLiteral: Bool {
        if case .literal = self { true } else { false }
    }

    /// The members of a flat object; of a name that comes twice the last.
    static func tags(in object: String) -> [String: TagText] {
        var tags: [String: TagText] = [:]
        var rest = Array(object.unicodeScalars)[...]
        while let start = rest.firstIndex(of: "\"") {
            rest = rest[rest.index(after: start)...]
            let name = string(&rest)
            rest = rest.drop { $0 == ":" || $0 == " " }
            if rest.first == "\"" {
                rest = rest.dropFirst()
                tags[name] = .text(string(&rest))
            } else {
                let value = rest.prefix { $0 != "," && $0 != "}" }
                tags[name] = .literal(String(String.UnicodeScalarView(value)))
                rest = rest.dropFirst(value.count)
            }
        }
        return tags
    }

    /// The content of a string, up to and with its closing quote.
    private static func string(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
        var units: [UInt16] = []
        while let scalar = rest.popFirst(), scalar != "\"" {
            guard scalar == "\\", let escape = rest.popFirst() else {
                units += Array(String(scalar).utf16)
                continue
            }
            switch escape {
            case "u":
                units.append(UInt16(String(String.UnicodeScalarView(rest.prefix(4))), radix: 16) ?? 0)
                rest = rest.dropFirst(4)
            case "n": units.append(0x0A)
            case "r": units.append(0x0D)
            case "t": units.append(0x09)
            case "b": units.append(0x08)
            case "f": units.append(0x0C)
            default: units += Array(String(escape).utf16)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
