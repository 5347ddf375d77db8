extension Setting {
    /// What a value may be, in words; empty when that is any text.
    package var allowed: String {
        switch kind {
        case .text: ""
        case .servers: "host:port,…"
        case .toggle: "on or off"
        case .integer(let range):
            "\(Self.grouped(range.lowerBound)) to \(Self.grouped(range.upperBound))"
                + (unit.isEmpty ? "" : " \(unit)")
        }
    }

    /// A number with a comma before every three digits.
    private static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        return digits.indices.reduce(into: "") { text, index in
            if index > 0, (digits.count - index).isMultiple(of: 3), digits[index - 1] != "-" { text += "," }
            text.append(digits[index])
        }
    }
}
