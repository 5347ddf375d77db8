/// A point in time as events carry it, in microseconds since 1970-01-01T00:00:00Z. Finer digits are cut off.
enum Timestamp {
    enum Fault: Error {
        /// Malformed.
        case shape
        /// Outside the years 0001 to 9999.
        case range
    }

    /// 0001-01-01T00:00:00Z, and the microsecond before the year 10000.
    static let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    private static let second: Int64 = 1_000_000

    /// A date and time of RFC 3339, section 5.6, where the `T` may be a space, and `T` and `Z` in lower case; without an
    /// offset it is in UTC. A leap second is the start of the next.
    static func dateTime(_ text: UnsafeRawBufferPointer) throws(Fault) -> Int64 {
        try dateTime(Scanner(rest: text, isLenient: false))
    }

    /// The same in the looser forms that senders write with `strftime` and the like: white space between and around its
    /// parts, one-digit numbers, and an offset without colon or minutes (`+0200`), after a space, or named `UTC` or
    /// `GMT`.
    static func lenientDateTime(_ text: UnsafeRawBufferPointer) throws(Fault) -> Int64 {
        try dateTime(Scanner(rest: text.trimmingWhiteSpace(), isLenient: true))
    }

    private static func dateTime(_ scanner: consuming Scanner) throws(Fault) -> Int64 {
        let year = try scanner.year()
        try scanner.skip("-")
        let month = try scanner.number()
        try scanner.skip("-")
        let day = try scanner.number()
        guard (1...12).contains(month), day >= 1, day <= days(in: month, of: year) else { throw .shape }
        try scanner.separator()
        let hour = try scanner.number()
        try scanner.skip(":")
        let minute = try scanner.number()
        try scanner.skip(":")
        let seconds = try scanner.number()
        guard hour <= 23, minute <= 59, seconds <= 60 else { throw .shape }
        var microseconds = try scanner.fraction()
        if seconds == 60 { microseconds = 0 }
        let offset = try scanner.offset()
        guard scanner.rest.isEmpty else { throw .shape }

        let dayOfEpoch = daysSinceEpoch(year, month, day)
        let result =
            (dayOfEpoch * 86_400 + hour * 3_600 + (minute - offset) * 60 + seconds) * second + microseconds
        guard range.contains(result) else { throw .range }
        return result
    }

    /// Seconds since 1970-01-01T00:00:00Z, as a JSON number: exact, however it is written.
    static func seconds(_ number: UnsafeRawBufferPointer) throws(Fault) -> Int64 {
        // The number is 0.d1d2d3… · 10^point with d1 not zero: first where its digits are, then what they are worth.
        var point = 0
        var first: Int?
        var isFraction = false
        var end = number.count
        var exponent = 0
        scan: for index in number.indices {
            switch number[index] {
            case UInt8(ascii: "."):
                isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                end = index
                exponent = Self.exponent(UnsafeRawBufferPointer(rebasing: number[(index + 1)...]))
                break scan
            case let digit where isDigit(digit):
                if first == nil, digit != UInt8(ascii: "0") { first = index }
                // Before the point digits push it to the right; behind it leading zeros push it to the left.
                if first != nil { point += isFraction ? 0 : 1 } else if isFraction { point -= 1 }
            default:
                break
            }
        }
        guard let first else { return 0 }
        // The largest second within range has 12 digits.
        let places = point + exponent
        guard places <= 12 else { throw .range }
        var magnitude: Int64 = 0
        var left = max(places + 6, 0)
        for byte in number[first..<end] where isDigit(byte) && left > 0 {
            magnitude = magnitude * 10 + Int64(byte - UInt8(ascii: "0"))
            left -= 1
        }
        for _ in 0..<left { magnitude *= 10 }
        let result = number.first == UInt8(ascii: "-") ? -magnitude : magnitude
        guard range.contains(result) else { throw .range }
        return result
    }

    /// The exponent of a number, bounded by what any text's digits can make up for.
    private static func exponent(_ text: UnsafeRawBufferPointer) -> Int {
        var value = 0
        for byte in text where isDigit(byte) {
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1 << 32)
        }
        return text.first == UInt8(ascii: "-") ? -value : value
    }

    fileprivate static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March so that the leap day is
    /// the last.
    private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let leapDays = marchYear >= 0 ? marchYear / 4 - marchYear / 100 + marchYear / 400 : -1
        return marchYear * 365 + leapDays + dayOfYear - 719_468
    }
}

/// The parts of a date and time, front to back.
private struct Scanner {
    var rest: UnsafeRawBufferPointer
    let isLenient: Bool

    private mutating func next() -> UInt8? {
        guard let byte = rest.first else { return nil }
        drop(1)
        return byte
    }

    private mutating func drop(_ count: Int) {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }

    /// Skips white space, which the strict form does not allow.
    private mutating func skipSpaces() {
        guard isLenient else { return }
        while let byte = rest.first, byte == 0x20 || (0x09...0x0D).contains(byte) { drop(1) }
    }

    mutating func skip(_ expected: Unicode.Scalar) throws(Timestamp.Fault) {
        skipSpaces()
        guard next() == UInt8(ascii: expected) else { throw .shape }
        skipSpaces()
    }

    /// Between date and time.
    mutating func separator() throws(Timestamp.Fault) {
        let count = rest.count
        skipSpaces()
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "t") || (byte == 0x20 && !isLenient) { drop(1) }
        guard rest.count < count else { throw .shape }
        skipSpaces()
    }

    mutating func year() throws(Timestamp.Fault) -> Int64 {
        if isLenient, rest.first == UInt8(ascii: "+") { drop(1) }
        return try digits(4)
    }

    /// Two digits, or one where it may be so.
    mutating func number() throws(Timestamp.Fault) -> Int64 {
        let isShort = isLenient && (rest.count < 2 || !Timestamp.isDigit(rest[1]))
        return try digits(isShort ? 1 : 2)
    }

    private mutating func digits(_ count: Int) throws(Timestamp.Fault) -> Int64 {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let byte = next(), Timestamp.isDigit(byte) else { throw .shape }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// Microseconds of a fraction of a second of any length, if there is one.
    mutating func fraction() throws(Timestamp.Fault) -> Int64 {
        guard rest.first == UInt8(ascii: ".") else { return 0 }
        drop(1)
        var value = try digits(1) * 100_000
        var worth: Int64 = 10_000
        while let byte = rest.first, Timestamp.isDigit(byte) {
            value += try digits(1) * worth
            worth /= 10
        }
        return value
    }

    /// Minutes that local time is ahead of UTC.
    mutating func offset() throws(Timestamp.Fault) -> Int64 {
        skipSpaces()
        if isLenient {
            if rest.equalsIgnoringCase("utc") || rest.equalsIgnoringCase("gmt") { drop(3) }
            if rest.starts(at: 0, with: "\u{2212}") {
                drop(3)
                return try -distance()
            }
        }
        switch next() {
        case nil, UInt8(ascii: "Z"), UInt8(ascii: "z"): return 0
        case UInt8(ascii: "+"): return try distance()
        case UInt8(ascii: "-"): return try -distance()
        default: throw .shape
        }
    }

    private mutating func distance() throws(Timestamp.Fault) -> Int64 {
        let hours = try digits(2)
        if isLenient {
            skipSpaces()
            if rest.isEmpty { return try minutes(hours, 0) }
            if rest.first == UInt8(ascii: ":") { drop(1) }
            skipSpaces()
        } else {
            try skip(":")
        }
        return try minutes(hours, digits(2))
    }

    private func minutes(_ hours: Int64, _ minutes: Int64) throws(Timestamp.Fault) -> Int64 {
        guard hours <= 23, minutes <= 59 else { throw .shape }
        return hours * 60 + minutes
    }
}
