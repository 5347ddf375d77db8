/// Names whose values are removed, compared by their letters and digits, in any case: `apiKey`, `X-API-Key` and `api_key` have
/// the same.
struct SensitiveNames: Sendable {
    /// Where in a name these letters must stand.
    enum Extent {
        case anywhere
        /// They begin and end where words do: at a separator, at a capital after a small letter, or at an end.
        case words
        case whole
    }

    private struct Entry {
        let letters: [UInt8]
        let extent: Extent
    }

    /// Sorted by their first letters.
    private var entries: [Entry] = []
    /// The letters of the shortest.
    private var shortest = Int.max
    /// A bit for each pair of first letters.
    private var pairs = [UInt64](repeating: 0, count: 16)
    /// Where in `entries` those begin that have a first letter.
    private var starts = [Int](repeating: 0, count: 257)

    /// The most letters and digits that are compared, the last ones, and the most bytes that are looked at for them.
    private static let mostLetters = 64
    private static let mostBytes = 256

    init(_ names: [(name: [UInt8], extent: Extent)]) {
        for (name, extent) in names {
            let letters = name.filter(Self.isSignificant).map(UnsafeRawBufferPointer.lower)
            guard !letters.isEmpty else { continue }
            entries.append(Entry(letters: letters, extent: extent))
            shortest = min(shortest, letters.count)
            for second in letters.count > 1 ? [letters[1]] : Array(0..<32) { note(pair: letters[0], second) }
        }
        entries.sort { $0.letters[0] < $1.letters[0] }
        for byte in 0..<256 {
            starts[byte] = entries.firstIndex { Int($0.letters[0]) >= byte } ?? entries.count
        }
        starts[256] = entries.count
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Whether a name is, or contains, one of them.
    ///
    /// - Parameter atEnd: it must be at the end of the name.
    func match(_ name: UnsafeRawBufferPointer, atEnd: Bool = false) -> Bool {
        guard name.count >= shortest else { return false }
        return withUnsafeTemporaryAllocation(byteCount: Self.mostLetters, alignment: 1) { room in
            let (first, words) = Self.fold(name, into: room)
            let letters = UnsafeRawBufferPointer(rebasing: room[first...])
            return pairs.withUnsafeBufferPointer { pairs in
                for place in 0..<letters.count {
                    let pair = Self.pair(letters[place], place + 1 < letters.count ? letters[place + 1] : 0)
                    guard pairs[pair >> 6] & 1 << UInt64(pair & 63) != 0 else { continue }
                    if match(letters, words >> UInt64(first), at: place, atEnd: atEnd) { return true }
                }
                return false
            }
        }
    }

    /// Whether one of them begins at a place of a name's letters.
    private func match(_ letters: UnsafeRawBufferPointer, _ words: UInt64, at place: Int, atEnd: Bool) -> Bool {
        func isEdge(_ place: Int) -> Bool { place == letters.count || words & 1 << UInt64(place) != 0 }
        for entry in entries[starts[Int(letters[place])]..<starts[Int(letters[place]) + 1]] {
            let end = place + entry.letters.count
            guard end <= letters.count, !atEnd || end == letters.count else { continue }
            switch entry.extent {
            case .anywhere: break
            case .words: guard isEdge(place), isEdge(end) else { continue }
            case .whole: guard place == 0, end == letters.count else { continue }
            }
            if letters[place..<end].elementsEqual(entry.letters) { return true }
        }
        return false
    }

    private mutating func note(pair first: UInt8, _ second: UInt8) {
        let pair = Self.pair(first, second)
        pairs[pair >> 6] |= 1 << UInt64(pair & 63)
    }

    /// A number below 1,024.
    private static func pair(_ first: UInt8, _ second: UInt8) -> Int { Int(first & 31) << 5 | Int(second & 31) }

    /// Writes the letters and digits of a name to the end of the room, in small letters.
    ///
    /// - Returns: where the first is, and a bit for each place at which a word begins.
    private static func fold(
        _ name: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> (first: Int, words: UInt64) {
        var place = room.count
        var words: UInt64 = 0
        var index = name.count
        let last = max(0, name.count - mostBytes)
        while index > last, place > 0 {
            index -= 1
            let byte = name[index]
            guard isSignificant(byte) else { continue }
            if isPercentEncoded(name, endingAt: index) {
                // A separator, as most characters are that are written so.
                if place < room.count { words |= 1 << UInt64(place) }
                index -= 2
                continue
            }
            place -= 1
            room[place] = UnsafeRawBufferPointer.lower(byte)
            let before = index > 0 ? name[index - 1] : 0
            let after = index + 1 < name.count ? name[index + 1] : 0
            let isCapital = isUpper(byte) && (!isUpper(before) || isLower(after))
            if !isSignificant(before) || isCapital { words |= 1 << UInt64(place) }
        }
        return (place, words)
    }

    private static func isPercentEncoded(_ name: UnsafeRawBufferPointer, endingAt index: Int) -> Bool {
        index >= 2 && name[index - 2] == UInt8(ascii: "%") && UnsafeRawBufferPointer.hexDigit(name[index]) != nil
            && UnsafeRawBufferPointer.hexDigit(name[index - 1]) != nil
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }

    /// Whether a byte is part of a name's words: a letter, a digit, or part of a character beyond ASCII.
    private static func isSignificant(_ byte: UInt8) -> Bool {
        UnsafeRawBufferPointer.isWord(byte)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a byte is a letter, a digit, or part of a character beyond ASCII.
    static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte >= 0x80 }
}
