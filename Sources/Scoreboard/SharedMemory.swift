internal import Glibc
internal import Synchronization
package import System

/// A mapping of 64-bit words that several processes may see, each read and written as a whole without a lock. The
/// corresponding C function is `mmap`.
///
/// Unless said otherwise each word has one writer at a time, so that adding is a load and a store and needs no locked
/// instruction.
package struct SharedMemory: ~Copyable {
    /// Bytes of a word.
    static let wordSize = MemoryLayout<UInt64>.size

    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    package let count: Int
    /// Whether several processes add to the same words.
    var hasManyWriters = false

    private init(adopting address: UnsafeMutableRawPointer, count: Int) {
        words = address.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        self.count = count
    }

    deinit {
        munmap(words, count * Self.wordSize)
    }

    /// Memory that this process shares with those forked from it, all zeros.
    package static func shared(words count: Int) throws(SystemError) -> SharedMemory {
        try map(MAP_SHARED | MAP_ANONYMOUS, file: -1, offset: 0, count, isWritable: true)
    }

    /// A part of a file.
    ///
    /// - Parameters:
    ///   - offset: in bytes, a multiple of the page size.
    ///   - count: the words; the file must be so long.
    ///   - isWritable: false for one who only looks; writing ends the process then.
    package static func file(
        _ number: CInt, offset: Int, words count: Int, isWritable: Bool = true
    ) throws(SystemError) -> SharedMemory {
        try map(MAP_SHARED, file: number, offset: offset, count, isWritable: isWritable)
    }

    private static func map(
        _ flags: CInt, file: CInt, offset: Int, _ count: Int, isWritable: Bool
    ) throws(SystemError) -> SharedMemory {
        let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let address = mmap(nil, count * wordSize, protection, flags, file, offset),
            address != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw SystemError("mmap") }
        return SharedMemory(adopting: address, count: count)
    }

    package subscript(_ position: Int) -> UInt64 {
        get {
            precondition(position >= 0 && position < count)
            return words[position].load(ordering: .relaxed)
        }
        nonmutating set {
            precondition(position >= 0 && position < count)
            words[position].store(newValue, ordering: .relaxed)
        }
    }

    package func add(_ amount: UInt64, at position: Int) {
        if hasManyWriters { return addAtOnce(amount, at: position) }
        self[position] = self[position] &+ amount
    }

    /// Adds to a word that other processes add to as well, by a locked instruction.
    func addAtOnce(_ amount: UInt64, at position: Int) {
        precondition(position >= 0 && position < count)
        words[position].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Replaces a word if it has the expected value; of several that try, one succeeds.
    func replace(_ expected: UInt64, with value: UInt64, at position: Int) -> Bool {
        precondition(position >= 0 && position < count)
        return words[position].compareExchange(
            expected: expected, desired: value, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Stores a word so that of two processes, each of which first stores and then looks, one at least sees the other's.
    func announce(_ value: UInt64, at position: Int) {
        precondition(position >= 0 && position < count)
        words[position].store(value, ordering: .sequentiallyConsistent)
    }

    /// Looks at a word that another process may have announced.
    func announced(at position: Int) -> UInt64 {
        precondition(position >= 0 && position < count)
        return words[position].load(ordering: .sequentiallyConsistent)
    }

    /// Raises a word to at least a value.
    func raise(to value: UInt64, at position: Int) {
        precondition(position >= 0 && position < count)
        words[position].max(value, ordering: .relaxed)
    }

    /// Stores a word that says that those stored before are there; whoever reads it by `acquire` sees them too.
    func publish(_ value: UInt64, at position: Int) {
        precondition(position >= 0 && position < count)
        words[position].store(value, ordering: .releasing)
    }

    func acquire(_ position: Int) -> UInt64 {
        precondition(position >= 0 && position < count)
        return words[position].load(ordering: .acquiring)
    }

    /// Stores text as UTF-8, cut to the room there is and filled up with zeros.
    func store(_ text: String, at position: Int, words count: Int) {
        for (place, value) in Self.words(text, count).enumerated() { self[position + place] = value }
    }

    /// Text that was stored.
    func text(at position: Int, words count: Int) -> String {
        Self.text(copy(position..<position + count)[...])
    }

    /// Some words as they are now.
    func copy(_ range: Range<Int>) -> [UInt64] {
        range.map { self[$0] }
    }

    static func words(_ text: String, _ count: Int) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: count)
        for (place, byte) in text.utf8.prefix(count * wordSize).enumerated() {
            words[place / wordSize] |= UInt64(byte) << (8 * (place % wordSize))
        }
        return words
    }

    static func text(_ words: ArraySlice<UInt64>) -> String {
        let bytes = words.flatMap { word in (0..<wordSize).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
