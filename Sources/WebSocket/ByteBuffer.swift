/// Bytes that are appended at the end and dropped from the front. The memory of a large content is released with it,
/// since a connection may live for days.
struct ByteBuffer: ~Copyable {
    /// The capacity that an empty buffer keeps.
    private static let kept = 16 << 10

    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    private var end = 0

    deinit {
        memory.deallocate()
    }

    var count: Int { end - start }

    /// The bytes, until the buffer is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    /// Room after the bytes, for `append(count:)`; at least `size`.
    mutating func room(_ size: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count - end < size { grow(size) }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    /// Takes over as many bytes as were written into the room.
    mutating func append(count: Int) {
        end += min(max(count, 0), memory.count - end)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        room(bytes.count).copyMemory(from: bytes)
        append(count: bytes.count)
    }

    mutating func dropFirst(_ count: Int) {
        start += min(max(count, 0), end - start)
        if start == end { removeAll() }
    }

    mutating func dropLast(_ count: Int) {
        end -= min(max(count, 0), end - start)
    }

    mutating func removeAll() {
        start = 0
        end = 0
        guard memory.count > Self.kept else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private mutating func grow(_ size: Int) {
        let used = bytes
        // Doubled, so that content in pieces is not copied for each piece.
        let capacity = used.count + size <= memory.count / 2 ? memory.count : max(memory.count * 2, used.count + size)
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(capacity, 1 << 10), alignment: 16)
        larger.copyMemory(from: used)
        memory.deallocate()
        memory = larger
        end = used.count
        start = 0
    }
}
