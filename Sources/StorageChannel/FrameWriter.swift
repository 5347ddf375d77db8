/// Outgoing bytes: frames are appended, and the front is dropped once it was written.
package struct FrameWriter: ~Copyable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Forgets all; the memory is kept for the next frames, unless it is much.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
    }

    /// Gives the bytes away, and holds none afterwards.
    package mutating func take() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    package mutating func append(_ frames: [UInt8]) {
        bytes.append(contentsOf: frames)
    }

    /// Appends one frame whose content `body` writes; its length is filled in afterwards.
    package mutating func frame(_ kind: FrameKind, _ body: (inout FrameWriter) -> Void) {
        let start = bytes.count
        integer(UInt32(0))
        bytes.append(kind.rawValue)
        body(&self)
        let length = UInt32(truncatingIfNeeded: bytes.count - start - 4).bigEndian
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt32.self) }
    }

    package mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func raw(_ content: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: content)
    }

    package mutating func hello() {
        frame(.hello) { $0.integer(Frame.version) }
    }

    package mutating func lookUp(_ key: KeyID) {
        frame(.lookUpKey) { $0.integer(key.value) }
    }

    /// - Parameter version: the one that the edge speaks.
    package mutating func key(
        _ key: KeyID, _ state: KeyState, _ quota: ProjectQuota?, version: UInt16 = Frame.version
    ) {
        frame(.key) {
            $0.integer(key.value)
            $0.integer(state.rawValue)
            $0.integer(quota?.project ?? 0)
            $0.integer(quota?.events ?? 0)
            $0.integer(quota?.seconds ?? 0)
            let origins = (quota?.origins.bytes ?? []).prefix(Int(UInt16.max))
            if version >= Frame.firstWithScrubRules { $0.integer(UInt16(origins.count)) }
            $0.append(Array(origins))
            if version >= Frame.firstWithScrubRules, let quota { $0.append(quota.scrub.bytes) }
        }
    }

    package mutating func probe(_ ticket: UInt64) {
        frame(.probe) { $0.integer(ticket) }
    }

    package mutating func readiness(_ ticket: UInt64, accepts: Bool, _ degradation: Degradation) {
        frame(.readiness) {
            $0.integer(ticket)
            $0.integer(UInt8(accepts ? 1 : 0))
            $0.integer(degradation.rawValue)
        }
    }

    /// - Parameters:
    ///   - failure: why Redis does not answer; nil when it does.
    ///   - eviction: its `maxmemory-policy`, if it evicts counters.
    package mutating func redis(failure: String?, eviction: String? = nil) {
        frame(.redis) {
            $0.integer(UInt8(failure == nil ? 1 : 0))
            $0.append(Array((failure ?? eviction ?? "").utf8.prefix(Frame.reasonLimit)))
        }
    }

    /// One event's part of a `stored` frame; call it inside `frame(.stored)`.
    package mutating func stored(_ ticket: UInt64, _ result: StoreResult, retryAfter: UInt32) {
        integer(ticket)
        integer(result.rawValue)
        integer(retryAfter)
    }
}
