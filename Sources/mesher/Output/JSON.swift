internal import Notation

/// A JSON value to print, RFC 8259; an object keeps the order of its members.
enum JSON: CustomStringConvertible {
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case members([(String, JSON)])
    /// JSON text that is printed as it stands, on one line.
    case verbatim(String)

    /// An object whose members are known where it is written.
    static func object(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .members(members.map { ($0.key, $0.value) })
    }

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
        case .string(let value): JSONString.append(value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.append(to: &text)
            }
            text += "]"
        case .members(let members):
            text += "{"
            for (index, (name, value)) in members.enumerated() {
                if index > 0 { text += "," }
                JSONString.append(name, to: &text)
                text += ":"
                value.append(to: &text)
            }
            text += "}"
        case .verbatim(let value):
            // A bare line break is mere white space, a string cannot hold one; DEL and C1 stand in strings only.
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\n", "\r", "\t": text += " "
                case _ where JSONString.isControl(scalar): JSONString.append(escaped: scalar, to: &text)
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
