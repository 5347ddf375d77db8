internal import Glibc

/// The lines of a descriptor. A line that is longer than an event may be is cut there, and its rest dropped, so that no
/// input takes more memory than that.
struct LineReader {
    /// The number of the line that `next` returned last, from 1.
    private(set) var number = 0
    /// Whether the descriptor has no more.
    private(set) var isAtEnd = false

    private let descriptor: CInt
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    private var isDropping = false

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Reads what is available, 64 KiB at most. It blocks unless poll(2) has reported input.
    ///
    /// - Throws: `CommandError` when the descriptor cannot be read.
    mutating func fill() throws(CommandError) {
        bytes.removeFirst(start)
        start = 0
        var count = 0
        let room = 64 << 10
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
            count = read(descriptor, buffer.baseAddress, room)
            initialized = max(count, 0)
        }
        if count < 0, errno != EAGAIN, errno != EINTR {
            throw CommandError(.unavailable, "standard input: \(String(cString: strerror(errno)))")
        }
        isAtEnd = count == 0
        if isAtEnd, !bytes.isEmpty { bytes.append(0x0A) }
        bytes += piece
    }

    /// The next line that is whole, without its end; empty ones are passed over. A line that is too long has one byte more
    /// than the limit.
    mutating func next() -> ArraySlice<UInt8>? {
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            let line = bytes[start..<end]
            start = end + 1
            if isDropping {
                isDropping = false
                continue
            }
            number += 1
            let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            if !isBlank { return line.prefix(EventLine.limit + 1) }
        }
        if isDropping {
            start = bytes.count
        } else if bytes.count - start > EventLine.limit {
            let line = bytes[start..<(start + EventLine.limit + 1)]
            start = bytes.count
            isDropping = true
            number += 1
            return line
        }
        return nil
    }
}
