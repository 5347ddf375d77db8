internal import Glibc

/// The time at the beginning of a line without a journal: `2026-11-28T08:51:53.123Z`.
///
/// Computed without the C library's calendar, which would open a file: processes that have given up all files log too.
package struct LogTime: Equatable, CustomStringConvertible {
    /// The size of its text, including the space after it.
    package static let length = 25

    /// Milliseconds since 1970-01-01T00:00:00Z.
    let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The corresponding C function is `clock_gettime`.
    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package var description: String {
        let second = milliseconds / 1_000
        let date = Self.date(ofDay: second / 86_400)
        let clock = second % 86_400
        return Self.digits(date.year, 4) + "-" + Self.digits(date.month, 2) + "-" + Self.digits(date.day, 2) + "T"
            + Self.digits(clock / 3_600, 2) + ":" + Self.digits(clock / 60 % 60, 2) + ":" + Self.digits(clock % 60, 2)
            + "." + Self.digits(milliseconds % 1_000, 3) + "Z"
    }

    /// Whether a line begins with one.
    package static func begins(_ line: some Collection<UInt8>) -> Bool {
        let pattern: StaticString = "0000-00-00T00:00:00.000Z "
        guard line.count >= length else { return false }
        return zip(line, UnsafeBufferPointer(start: pattern.utf8Start, count: length)).allSatisfy { byte, expected in
            expected == UInt8(ascii: "0") ? (0x30...0x39).contains(byte) : byte == expected
        }
    }

    /// The date of a day by its number since 1970-01-01, in years that begin with March: a leap day is then the last one.
    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = number + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let isNextYear = month >= 10
        return (
            era * 400 + yearOfEra + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
