/// A JSON value to print, RFC 8259; an object keeps the order of its members.
enum JSON: CustomStringConvertible {
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object(KeyValuePairs<String, JSON>)
    /// JSON text that is printed as it stands, on one line.
    case verbatim(String)

    /// null for nil.
    static func optional(_ text: String?) -> JSON {
        text.map { .string($0) } ?? .null
    }

    /// null for nil.
    static func optional(_ number: Int64?) -> JSON {
        number.map { .integer($0) } ?? .null
    }

    var description: String {
        var text = ""
        append(to: &text)
        return text
    }

    private func append(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .string(let value): Self.append(quoted: value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.append(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.append(quoted: member.key, to: &text)
                text += ":"
                member.value.append(to: &text)
            }
            text += "}"
        case .verbatim(let value):
            // Within a string a line break is escaped, so that one that stands bare is mere white space.
            for scalar in value.unicodeScalars {
                text.unicodeScalars.append(scalar == "\n" || scalar == "\r" ? " " : scalar)
            }
        }
    }

    private static func append(quoted value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // C0, DEL and C1: the last two may stand bare in JSON, but not on a terminal.
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
