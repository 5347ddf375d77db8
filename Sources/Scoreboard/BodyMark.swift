/// By what the body of a request is known again when it comes with another request's id.
package struct BodyMark: Equatable, Sendable {
    package let project: Int64
    /// Bytes, as they were received.
    package let size: Int
    /// Of those bytes, see `hash`; 0 when it was not computed.
    package let hash: UInt64

    package init(project: Int64 = 0, size: Int = 0, hash: UInt64 = 0) {
        self.project = project
        self.size = size
        self.hash = hash
    }

    /// FNV-1a of 64 bits, never 0. It takes a nanosecond a byte: only of what is under suspicion it is computed.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return max(hash, 1)
    }
}
