internal import Glibc

/// Frames that were written once and are copied no more: whoever may have to send them again shares them with the
/// connection that sends them.
package final class FrameBlock {
    /// Valid as long as this block.
    package let bytes: UnsafeRawBufferPointer

    /// An empty one.
    package init() {
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// - Parameter bytes: memory of malloc(3), which it frees.
    fileprivate init(adopting bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    deinit {
        free(UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    package var count: Int { bytes.count }
}

/// Writes frames of known size in place, for a block.
package struct FrameBlockWriter: ~Copyable {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    /// The bytes that were written.
    package private(set) var count = 0

    package init() {}

    deinit {
        free(memory)
    }

    /// Makes room for this many bytes in all, so that writing them copies none.
    package mutating func reserve(_ size: Int) {
        guard size > capacity, let larger = realloc(memory, size) else { return }
        memory = larger
        capacity = size
    }

    /// Appends one frame. Its first content needs exactly its own room, which is all that most requests have.
    ///
    /// - Parameters:
    ///   - size: of its content in bytes.
    ///   - write: fills all of the content.
    /// - Returns: false when there is no memory for it.
    package mutating func frame(_ kind: FrameKind, size: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) -> Bool
    {
        let end = count + Frame.headerSize + size
        if end > capacity { reserve(max(end, 2 * capacity)) }
        guard let memory, end <= capacity else { return false }
        let frame = UnsafeMutableRawBufferPointer(start: memory + count, count: Frame.headerSize + size)
        frame.storeBytes(of: UInt32(truncatingIfNeeded: size + 1).bigEndian, as: UInt32.self)
        frame[4] = kind.rawValue
        write(UnsafeMutableRawBufferPointer(rebasing: frame[Frame.headerSize...]))
        count = end
        return true
    }

    /// Appends frames that were written elsewhere.
    fileprivate mutating func append(_ frames: [UInt8]) {
        reserve(count + frames.count)
        guard let memory, count + frames.count <= capacity else { return }
        frames.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { (memory + count).copyMemory(from: start, byteCount: bytes.count) }
        }
        count += frames.count
    }

    /// The written bytes, valid until the next change.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    /// What was written, in no more memory than it needs. Nothing is left here.
    package mutating func finish() -> FrameBlock {
        if capacity - count > count / 8, count > 0, let fitting = realloc(memory, count) { memory = fitting }
        defer {
            memory = nil
            capacity = 0
            count = 0
        }
        return FrameBlock(adopting: bytes)
    }
}

extension FrameBlock {
    /// A copy of small frames.
    static func copying(_ frames: borrowing FrameWriter) -> FrameBlock {
        var writer = FrameBlockWriter()
        writer.append(frames.bytes)
        return writer.finish()
    }
}
