/// A string of JSON, RFC 8259, section 7.
package enum JSONString {
    /// The text in quotes. Control characters are escaped, DEL and C1 as well: JSON lets those stand bare, but a terminal
    /// obeys them.
    package static func quoted(_ text: String) -> String {
        var quoted = ""
        append(text, to: &quoted)
        return quoted
    }

    /// Appends the text in quotes.
    package static func append(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where isControl(scalar): append(escaped: scalar, to: &text)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    /// Whether it is one of C0, DEL and C1.
    package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }

    /// Appends `\u` and four digits.
    package static func append(escaped scalar: Unicode.Scalar, to text: inout String) {
        text += "\\u" + UInt16(truncatingIfNeeded: scalar.value).hexDigits
    }
}
