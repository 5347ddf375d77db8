/// Finds what is to be removed within a text, from front to back, in time that is proportional to its length.
///
/// Without a grammar it is a matter of judgement where a value ends. In doubt more is removed.
struct TextScan {
    /// What is put in the place of what was removed.
    static let mark: StaticString = "[Filtered]"
    /// The same where there is no room for it.
    static let shortMark: StaticString = "*"

    struct Finding {
        let range: Range<Int>
        /// Written around the mark, which replaces a number in JSON within the text.
        var quote: Quote?
    }

    /// A quotation mark, which backslashes stand before where it is within a quoted text.
    struct Quote: Equatable {
        let mark: UInt8
        let slashes: Int
    }

    let text: UnsafeRawBufferPointer
    let plan: ScrubPlan
    /// Whether hosts' addresses are looked for.
    private let findsAddresses: Bool
    /// What is before was looked at.
    var position = 0
    /// What is before was found, or is before that.
    var found = 0
    /// Behind the last separator at which a name was looked for. No name goes beyond.
    var separated = 0
    /// The end of what was looked at last for an address with colons.
    private var addressed = 0

    /// - Parameter isVersion: it is no address whatever it looks like.
    init(_ text: UnsafeRawBufferPointer, _ plan: ScrubPlan, isVersion: Bool = false) {
        self.text = text
        self.plan = plan
        findsAddresses = plan.removesAddresses && !isVersion
    }

    /// Whether a text may hold something to be removed if it has this byte; each such text has one of them.
    static func isTelling(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "%"), UInt8(ascii: "@"),
            UInt8(ascii: "-"),
            UInt8(ascii: " "), 0x30...0x39:
            true
        default: false
        }
    }

    /// The shortest text that may hold something to be removed: `sid=1`.
    static let shortest = 5

    /// What comes next; nil when there is no more.
    mutating func next() -> Finding? {
        while position < text.count {
            let place = position
            position += 1
            let finding: Finding?
            switch text[place] {
            case 0x30...0x39: finding = number(at: place)
            case UInt8(ascii: "="): finding = value(ofNameBefore: place, size: 1)
            case UInt8(ascii: ":"): finding = colon(at: place)
            case UInt8(ascii: ","): finding = value(ofPairAt: place)
            case UInt8(ascii: "%"): finding = encoded(at: place)
            case UInt8(ascii: "@"): finding = mail(at: place, size: 1)
            case UInt8(ascii: " "): finding = bearer(before: place)
            case UInt8(ascii: "-"): finding = privateKey(at: place)
            default: continue
            }
            guard let finding, !finding.range.isEmpty else { continue }
            found = finding.range.upperBound
            position = max(position, found)
            if !slice(finding.range).equals(Self.mark) { return finding }
        }
        return nil
    }

    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: text[range]) }

    /// The byte at a position, 0 beyond the text.
    func byte(_ position: Int) -> UInt8 { position >= 0 && position < text.count ? text[position] : 0 }

    /// The first position from one on at which a byte is not among some, or after so many, or the end.
    func end(from start: Int, limit: Int = .max, while isIncluded: (UInt8) -> Bool) -> Int {
        var end = start
        let last = start + min(limit, text.count - start)
        while end < last, isIncluded(text[end]) { end += 1 }
        return end
    }

    /// The first position of the bytes before one that are among some, at most so many, and nothing that was found.
    func start(before end: Int, limit: Int, while isIncluded: (UInt8) -> Bool) -> Int {
        var start = end
        let first = max(found, separated, end - limit)
        while start > first, isIncluded(text[start - 1]) { start -= 1 }
        return start
    }

    // MARK: Numbers

    private mutating func number(at place: Int) -> Finding? {
        let before = place > found ? text[place - 1] : 0
        position = end(from: place, while: UnsafeRawBufferPointer.isDigit)
        guard !UnsafeRawBufferPointer.isWord(before), before != UInt8(ascii: "."), before != UInt8(ascii: "_") else {
            return nil
        }
        if plan.removesCredentials, let end = CardNumber.end(in: text, from: place) {
            return Finding(range: place..<end)
        }
        return findsAddresses ? fourNumbers(at: place) : nil
    }

    /// An IPv4 address. One that ends with three zeros is a network's, or the version of a browser.
    private func fourNumbers(at place: Int) -> Finding? {
        var parts: [Int] = []
        var position = place
        while parts.count < 4 {
            let end = end(from: position, limit: 4, while: UnsafeRawBufferPointer.isDigit)
            let number = slice(position..<end).reduce(0) { 10 * $0 + Int($1 & 0xF) }
            guard (1...3).contains(end - position), number <= 255 else { return nil }
            parts.append(number)
            position = end
            guard parts.count < 4 else { break }
            guard byte(position) == UInt8(ascii: ".") else { return nil }
            position += 1
        }
        let goesOn = byte(position) == UInt8(ascii: ".") && UnsafeRawBufferPointer.isDigit(byte(position + 1))
        guard !goesOn, !UnsafeRawBufferPointer.isWord(byte(position)), parts[1...].contains(where: { $0 != 0 }) else {
            return nil
        }
        return Finding(range: place..<position)
    }

    /// An IPv6 address that has a colon here, and a digit somewhere.
    private mutating func address(around colon: Int) -> Finding? {
        func isPart(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: ":") || UnsafeRawBufferPointer.hexDigit(byte) != nil
        }
        let start = start(before: colon, limit: 5, while: isPart)
        let end = end(from: colon, limit: 46) { isPart($0) || $0 == UInt8(ascii: ".") }
        // Its other colons would find the same.
        addressed = end
        guard !UnsafeRawBufferPointer.isWord(start > found ? text[start - 1] : 0),
            !UnsafeRawBufferPointer.isWord(byte(end))
        else { return nil }
        var range = start..<end
        // What ends a sentence.
        while let last = slice(range).last, last == UInt8(ascii: ".") { range = start..<range.upperBound - 1 }
        let address = slice(range)
        guard address.contains(where: UnsafeRawBufferPointer.isDigit), IPAddress(address) != nil else { return nil }
        return Finding(range: range)
    }

    // MARK: Colons and their kin

    private mutating func colon(at place: Int) -> Finding? {
        if byte(place + 1) == UInt8(ascii: "/"), byte(place + 2) == UInt8(ascii: "/") {
            return plan.removesCredentials ? userInformation(from: place + 3) : nil
        }
        if findsAddresses, place >= addressed, let finding = address(around: place) { return finding }
        // `::` separates names in many languages.
        guard byte(place + 1) != UInt8(ascii: ":"), byte(place - 1) != UInt8(ascii: ":") else { return nil }
        return value(ofNameBefore: place, size: 1)
    }

    /// What identifies someone before the host of a URL, RFC 3986, section 3.2.1.
    private func userInformation(from start: Int) -> Finding? {
        var at: Int?
        let end = end(from: start) { byte in
            switch byte {
            case 0...0x20, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""),
                UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"):
                false
            default: true
            }
        }
        for position in start..<end where text[position] == UInt8(ascii: "@") { at = position }
        return at.map { Finding(range: start..<$0) }
    }

    /// `%3D` and `%40`, an equals sign and an at sign in a URL that is part of another.
    private mutating func encoded(at place: Int) -> Finding? {
        if let size = size(ofEncoded: "3d", at: place) { return value(ofNameBefore: place, size: size) }
        return size(ofEncoded: "40", at: place).flatMap { mail(at: place, size: $0) }
    }

    /// How many bytes a percent sign and these digits take, `%3D`, or `%253D` in a URL within a URL within another, and so on.
    func size(ofEncoded digits: StaticString, at place: Int) -> Int? {
        var size = 1
        while size < 9, text.starts(at: place + size, with: "25") { size += 2 }
        return text.startsIgnoringCase(at: place + size, with: digits) ? size + 2 : nil
    }

    private func mail(at place: Int, size: Int) -> Finding? {
        guard plan.removesMail else { return nil }
        func isPart(_ byte: UInt8) -> Bool {
            UnsafeRawBufferPointer.isWord(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        var start = start(before: place, limit: 256) {
            isPart($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "+")
        }
        // Not within a character.
        while start < place, text[start] & 0xC0 == 0x80 { start += 1 }
        var end = end(from: place + size, while: isPart)
        while end > place + size, !UnsafeRawBufferPointer.isWord(text[end - 1]) { end -= 1 }
        let domain = slice(place + size..<end)
        guard start < place, let dot = domain.lastIndex(of: UInt8(ascii: ".")), dot > 0, domain.count - dot > 2,
            domain[(dot + 1)...].allSatisfy({ !UnsafeRawBufferPointer.isDigit($0) })
        else { return nil }
        return Finding(range: start..<end)
    }

    /// A token behind the word `Bearer`, RFC 6750.
    private func bearer(before place: Int) -> Finding? {
        guard plan.removesCredentials, text.startsIgnoringCase(at: place - 6, with: "bearer"),
            !UnsafeRawBufferPointer.isWord(byte(place - 7))
        else { return nil }
        let start = end(from: place) { $0 == UInt8(ascii: " ") }
        let end = end(from: start, while: Self.isTokenPart)
        // Otherwise it is a word of a sentence.
        guard slice(start..<end).contains(where: UnsafeRawBufferPointer.isDigit) else { return nil }
        return Finding(range: start..<end)
    }

    /// Whether a byte may be part of a token, which the grammar of RFC 9110 calls `token68`.
    static func isTokenPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
            UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: UnsafeRawBufferPointer.isWord(byte)
        }
    }

    /// What is within `-----BEGIN PRIVATE KEY-----` and the like, RFC 7468, to the end if that is cut off.
    private func privateKey(at place: Int) -> Finding? {
        guard plan.removesCredentials, text.starts(at: place, with: "-----BEGIN ") else { return nil }
        var head = place + 11
        while head < min(place + 64, text.count), !text.starts(at: head, with: "PRIVATE KEY-----") { head += 1 }
        guard text.starts(at: head, with: "PRIVATE KEY-----") else { return nil }
        let start = head + 16
        var end = start
        while end < text.count, !text.starts(at: end, with: "-----END") { end += 1 }
        return Finding(range: start..<end)
    }
}
