/// Names with values in a text: `name=value`, `name: value`, `"name":"value"`, and what is like these.
extension TextScan {
    private static let nameLimit = 128
    private static let spaceLimit = 16

    /// A name that stands before a separator.
    private struct Name {
        let range: Range<Int>
        /// What it stands in.
        let quote: Quote?
    }

    /// The value behind a separator, if the name before it is one whose values are removed.
    mutating func value(ofNameBefore separator: Int, size: Int) -> Finding? {
        guard !plan.names.isEmpty else { return nil }
        let name = name(before: separator)
        separated = separator + size
        guard let name else { return nil }
        let word = slice(name.range)
        guard plan.names.match(word), !isPlace(name, separator) else { return nil }
        let start = end(from: separator + size) {
            Self.isBlank($0) || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ">")
        }
        guard start < text.count else { return nil }
        if name.quote == nil, size == 1, plan.lines.match(word) {
            let isColon = text[separator] == UInt8(ascii: ":")
            let end = end(from: start) { $0 != 0x0A && $0 != 0x0D && (isColon || $0 != UInt8(ascii: "&")) }
            return Finding(range: start..<end)
        }
        if slice(start..<text.count).starts(at: 0, with: Self.mark) {
            return Finding(range: start..<start + Self.mark.utf8CodeUnitCount)
        }
        return value(at: start, of: name, isEncoded: size > 1)
    }

    /// The second of two quoted texts in brackets, `("name", "value")`.
    func value(ofPairAt comma: Int) -> Finding? {
        guard Self.isQuote(byte(comma - 1)), let name = name(before: comma), let quote = name.quote else { return nil }
        let bracket = byte(name.range.lowerBound - 2 - quote.slashes)
        guard byte(name.range.lowerBound - 1) == quote.mark,
            bracket == UInt8(ascii: "(") || bracket == UInt8(ascii: "["),
            plan.names.match(slice(name.range))
        else { return nil }
        let start = end(from: comma + 1, while: Self.isBlank)
        guard Self.isQuote(byte(end(from: start) { $0 == UInt8(ascii: "\\") })) else { return nil }
        return value(at: start, of: name, isEncoded: false)
    }

    /// Whether a name before a colon is no name of a value: in `InvalidTokenError: …` and `/password.rb:12`.
    private func isPlace(_ name: Name, _ separator: Int) -> Bool {
        guard text[separator] == UInt8(ascii: ":"), name.quote == nil else { return false }
        let before = byte(name.range.lowerBound - 1)
        return before == UInt8(ascii: "/") || before == UInt8(ascii: "\\")
            || plan.failures.match(slice(name.range), atEnd: true)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private func name(before separator: Int) -> Name? {
        var end = start(before: separator, limit: Self.spaceLimit, while: Self.isBlank)
        // `params["name"] = …`
        if end > found, byte(end - 1) == UInt8(ascii: "]"), Self.isQuote(byte(end - 2)) { end -= 1 }
        var quote: Quote?
        if end > found, Self.isQuote(text[end - 1]) {
            let slashes = start(before: end - 1, limit: Self.nameLimit) { $0 == UInt8(ascii: "\\") }
            quote = Quote(mark: text[end - 1], slashes: end - 1 - slashes)
            end = slashes
        }
        // Before a colon `auth.js` and `[1]` are parts of places, not of names.
        let isBare = text[separator] == UInt8(ascii: ":") && quote == nil
        let start = start(before: end, limit: Self.nameLimit) { byte in
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"): true
            case UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"): !isBare
            default: UnsafeRawBufferPointer.isWord(byte)
            }
        }
        return start < end ? Name(range: start..<end, quote: quote) : nil
    }

    static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    private func value(at start: Int, of name: Name, isEncoded: Bool) -> Finding? {
        var start = start
        // Python's b'…' and u'…'.
        if Self.isQuote(byte(start + 1)), text[start] | 0x20 == UInt8(ascii: "b") || text[start] == UInt8(ascii: "u") {
            start += 1
        }
        let mark = end(from: start) { $0 == UInt8(ascii: "\\") }
        if Self.isQuote(byte(mark)) {
            let quote = Quote(mark: text[mark], slashes: mark - start)
            return Finding(range: mark + 1..<end(ofQuoted: mark + 1, quote))
        }
        if let closer = Self.closer(of: text[start]) {
            let end = end(ofBracketed: start, closer, name.quote?.slashes ?? 0)
            return Finding(range: start..<end, quote: name.quote)
        }
        var end = end(ofBare: start, isInJSON: name.quote != nil, isEncoded)
        let word = slice(start..<end)
        guard !Self.isNothing(word) else { return nil }
        if Self.isScheme(word), byte(end) == UInt8(ascii: " ") {
            end = self.end(ofBare: end + 1, isInJSON: name.quote != nil, isEncoded)
        }
        // `Optional("…")`, `Some("…")`
        let quoted = self.end(from: end) { $0 == UInt8(ascii: "\\") }
        if byte(end - 1) == UInt8(ascii: "("), Self.isQuote(byte(quoted)) {
            end = self.end(ofBracketed: end - 1, UInt8(ascii: ")"), quoted - end)
        }
        return Finding(range: start..<end, quote: name.quote)
    }

    /// Where a quoted text ends: at the next such mark, or one that is within less quotation; at the text's end if it is cut off.
    ///
    /// With n backslashes before the text's marks, a backslash in it is written as n + 1 twice, a mark in it as 2 n + 1 and the mark.
    private func end(ofQuoted start: Int, _ quote: Quote) -> Int {
        var slashes = 0
        for position in start..<text.count {
            if text[position] == UInt8(ascii: "\\") {
                slashes += 1
                continue
            }
            let surplus = slashes - quote.slashes
            if text[position] == quote.mark, surplus <= 0 || surplus.isMultiple(of: 2 * (quote.slashes + 1)) {
                return position - min(slashes, quote.slashes)
            }
            slashes = 0
        }
        return text.count
    }

    private static func closer(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "{"): UInt8(ascii: "}")
        case UInt8(ascii: "["): UInt8(ascii: "]")
        case UInt8(ascii: "("): UInt8(ascii: ")")
        default: nil
        }
    }

    /// Where brackets end, without regard to those in quoted texts.
    private func end(ofBracketed start: Int, _ closer: UInt8, _ slashes: Int) -> Int {
        let opener = text[start]
        var depth = 0
        var position = start
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") {
                position = end(ofQuoted: position + 1, Quote(mark: byte, slashes: slashes)) + slashes
            } else if byte == opener {
                depth += 1
            } else if byte == closer {
                depth -= 1
                if depth == 0 { return position + 1 }
            }
            position += 1
        }
        return text.count
    }

    /// Where a value without quotes ends.
    private func end(ofBare start: Int, isInJSON: Bool, _ isEncoded: Bool) -> Int {
        var end = start
        while end < text.count {
            switch text[end] {
            case 0...0x20, UInt8(ascii: "&"), UInt8(ascii: ";"), UInt8(ascii: "\""), UInt8(ascii: "'"),
                UInt8(ascii: "`"), UInt8(ascii: "<"), UInt8(ascii: ">"):
                return end
            case UInt8(ascii: ","):
                if isInJSON || byte(end + 1) <= 0x20 { return end }
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
                if isInJSON { return end }
            case UInt8(ascii: "%"):
                if isEncoded, size(ofEncoded: "26", at: end) != nil { return end }
            case UInt8(ascii: "\\"):
                let after = self.end(from: end) { $0 == UInt8(ascii: "\\") }
                if Self.isQuote(byte(after)) { return end }
                end = after
                continue
            default: break
            }
            end += 1
        }
        return end
    }

    /// Whether a word says that there is no value.
    private static func isNothing(_ word: UnsafeRawBufferPointer) -> Bool {
        word.equals("null") || word.equals("true") || word.equals("false") || word.equals("nil") || word.equals("None")
            || word.equals("undefined")
    }

    /// Whether a word is one that a credential follows, RFC 9110, section 11.1.
    private static func isScheme(_ word: UnsafeRawBufferPointer) -> Bool {
        word.equalsIgnoringCase("bearer") || word.equalsIgnoringCase("basic") || word.equalsIgnoringCase("digest")
            || word.equalsIgnoringCase("token") || word.equalsIgnoringCase("negotiate")
    }
}
