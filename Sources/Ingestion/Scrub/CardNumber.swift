/// The numbers of payment cards, ISO/IEC 7812: 13 to 19 digits that begin as one of the large issuers' and end with the check
/// digit of Luhn's algorithm. They may be written in groups of three digits or more.
enum CardNumber {
    private static let lengths = 13...19

    /// Where a card number ends that begins at a position; nil when none does. No digit stands before it.
    static func end(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        // No issuer's number begins otherwise.
        guard (0x32...0x36).contains(text[start]) else { return nil }
        var digits = Digits()
        var found: Int?
        var position = start
        while true {
            let group = position
            while position < text.count, UnsafeRawBufferPointer.isDigit(text[position]),
                digits.count <= lengths.upperBound
            {
                digits.append(text[position] & 0xF)
                position += 1
            }
            if digits.isCard, isEnd(text, position) { found = position }
            guard position - group >= 3, digits.count < lengths.upperBound, position + 1 < text.count,
                isSeparator(text[position]), UnsafeRawBufferPointer.isDigit(text[position + 1])
            else { return found }
            position += 1
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    /// Whether no word or fraction goes on at a position.
    private static func isEnd(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        guard position < text.count else { return true }
        if text[position] == UInt8(ascii: ".") {
            return position + 1 == text.count || !UnsafeRawBufferPointer.isDigit(text[position + 1])
        }
        return !UnsafeRawBufferPointer.isWord(text[position]) && text[position] != UInt8(ascii: "_")
    }

    /// The digits so far.
    private struct Digits {
        private(set) var count = 0
        /// The first six.
        private var prefix = 0
        /// Their sums as Luhn's algorithm has them, when every second digit is doubled from the first on, or from the second.
        private var sums = (even: 0, odd: 0)

        mutating func append(_ digit: UInt8) {
            let digit = Int(digit)
            let doubled = digit < 5 ? 2 * digit : 2 * digit - 9
            if count < 6 { prefix = 10 * prefix + digit }
            sums.even += count.isMultiple(of: 2) ? doubled : digit
            sums.odd += count.isMultiple(of: 2) ? digit : doubled
            count += 1
        }

        var isCard: Bool {
            guard lengths.contains(count) else { return false }
            return (count.isMultiple(of: 2) ? sums.even : sums.odd).isMultiple(of: 10) && isIssued
        }

        /// Whether an issuer's numbers begin so and are so long.
        private var isIssued: Bool {
            switch prefix {
            // Visa
            case 400_000...499_999: count == 13 || count == 16 || count == 19
            // Mastercard
            case 510_000...559_999, 222_100...272_099: count == 16
            // American Express
            case 340_000...349_999, 370_000...379_999: count == 15
            // Diners Club
            case 300_000...305_999, 309_500...309_599, 360_000...369_999, 380_000...399_999: count >= 14
            // Discover, JCB, UnionPay
            case 601_100...601_199, 644_000...659_999, 352_800...358_999, 620_000...629_999: count >= 16
            // Maestro
            case 501_800...501_899, 502_000...502_099, 503_800...503_899, 589_300...589_399, 630_400...630_499,
                675_900...675_999, 676_100...676_399:
                true
            default: false
            }
        }
    }
}
