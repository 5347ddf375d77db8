package import EventLoop
internal import Glibc
internal import Synchronization

/// A mapping of 64-bit words that several processes may see, each read and written as a whole without a lock. The
/// corresponding C function is `mmap`.
///
/// Each word has one writer at a time, so that adding is a load and a store and needs no locked instruction.
package struct SharedMemory: ~Copyable {
    /// Bytes of a word.
    static let wordSize = MemoryLayout<UInt64>.size

    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    package let count: Int

    private init(adopting address: UnsafeMutableRawPointer, count: Int) {
        words = address.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        self.count = count
    }

    deinit {
        munmap(words, count * Self.wordSize)
    }

    /// Memory of this process alone, all zeros.
    package static func anonymous(words count: Int) throws(SystemError) -> SharedMemory {
        try map(MAP_PRIVATE | MAP_ANONYMOUS, file: -1, offset: 0, count)
    }

    /// A part of a file.
    ///
    /// - Parameters:
    ///   - offset: in bytes, a multiple of the page size.
    ///   - count: the words; the file must be so long.
    package static func file(_ number: CInt, offset: Int, words count: Int) throws(SystemError) -> SharedMemory {
        try map(MAP_SHARED, file: number, offset: offset, count)
    }

    private static func map(_ flags: CInt, file: CInt, offset: Int, _ count: Int) throws(SystemError) -> SharedMemory {
        guard let address = mmap(nil, count * wordSize, PROT_READ | PROT_WRITE, flags, file, offset),
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
        self[position] = self[position] &+ amount
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
}
