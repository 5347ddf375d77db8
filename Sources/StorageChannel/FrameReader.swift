/// One frame's content, read front to back. Reading past its end returns zeros and makes `isIntact` false: check that
/// once, at the end.
package struct FrameContent: ~Copyable {
    @usableFromInline var rest: UnsafeRawBufferPointer
    @usableFromInline package internal(set) var isIntact = true

    package init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    package var isAtEnd: Bool { rest.isEmpty }

    // Inlined, since without knowing the type each call looks up its metadata.
    @inlinable @inline(__always)
    package mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value {
        let size = MemoryLayout<Value>.size
        guard rest.count >= size else {
            isIntact = false
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            return 0
        }
        let value = rest.loadUnaligned(as: Value.self)
        rest = UnsafeRawBufferPointer(rebasing: rest[size...])
        return Value(bigEndian: value)
    }

    package mutating func key() -> KeyID {
        KeyID(integer())
    }

    /// What is left of a `key` frame behind key and state.
    ///
    /// - Parameter version: the one that storage speaks.
    package mutating func quota(version: UInt16) -> ProjectQuota {
        let (project, events, seconds) = (integer(Int64.self), integer(UInt32.self), integer(UInt32.self))
        guard version >= Frame.firstWithScrubRules else {
            return ProjectQuota(
                project: project, events: events, seconds: seconds, origins: AllowedOrigins(remainder()))
        }
        return ProjectQuota(
            project: project, events: events, seconds: seconds,
            origins: AllowedOrigins(bytes(Int(integer(UInt16.self)))), scrub: ScrubRules(remainder()))
    }

    /// The next bytes, none when there are fewer.
    package mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        guard count >= 0, rest.count >= count else {
            isIntact = false
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            return rest
        }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }

    /// All that is left.
    package mutating func remainder() -> UnsafeRawBufferPointer {
        defer { rest = UnsafeRawBufferPointer(start: nil, count: 0) }
        return rest
    }
}

/// Bytes that came from the other end, and the frames in them.
package struct FrameReader: ~Copyable {
    package enum Fault: Error {
        /// The peer sent a length beyond `Frame.maximumLength`, or 0.
        case length(Int)
        /// The peer sent a kind that this version does not know.
        case kind(UInt8)
    }

    private var bytes: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    package init(capacity: Int = 64 << 10) {
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }

    /// Lets `read` fill the room behind the bytes in hand, at least 16 KiB, and takes over as many as it returns; what it
    /// returns below zero is passed on.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        makeRoom(16 << 10)
        let count = read(UnsafeMutableRawBufferPointer(rebasing: bytes[end...]))
        end += max(count, 0)
        return count
    }

    /// Calls `body` with each whole frame in hand; what is incomplete stays for the next call.
    package mutating func forEachFrame(
        _ body: (FrameKind, UnsafeRawBufferPointer) -> Void
    ) throws(Fault) {
        while end - start >= Frame.headerSize {
            let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
            guard length >= 1, length <= Frame.maximumLength else { throw .length(length) }
            guard end - start - 4 >= length else {
                makeRoom(4 + length - (end - start))
                return
            }
            guard let kind = FrameKind(rawValue: bytes[start + 4]) else { throw .kind(bytes[start + 4]) }
            let content = UnsafeRawBufferPointer(rebasing: bytes[start + Frame.headerSize..<start + 4 + length])
            start += 4 + length
            body(kind, content)
        }
    }

    /// Gives back the memory that a large frame needed, once nothing is in hand: a connection may live for days after it.
    package mutating func shrink(to capacity: Int = 64 << 10) {
        guard start == end, bytes.count > capacity else { return }
        bytes.deallocate()
        bytes = .allocate(byteCount: capacity, alignment: 16)
        start = 0
        end = 0
    }

    private mutating func makeRoom(_ room: Int) {
        if bytes.count - end >= room { return }
        let used = end - start
        if used + room <= bytes.count {
            if used > 0, let base = bytes.baseAddress { base.copyMemory(from: base + start, byteCount: used) }
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(bytes.count * 2, used + room), alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            bytes.deallocate()
            bytes = larger
        }
        start = 0
        end = used
    }
}
