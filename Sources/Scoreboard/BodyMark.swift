/// Identifies a request's body, so that it is recognised under another request id.
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

    /// A hash of 64 bits, never 0, of eight bytes at a time. It need not be cryptographic: whoever finds a collision
    /// has both bodies in his own project.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var rest = bytes[...]
        while rest.count >= 8 {
            mix(&hash, bytes.loadUnaligned(fromByteOffset: rest.startIndex, as: UInt64.self))
            rest = rest.dropFirst(8)
        }
        for byte in rest { mix(&hash, UInt64(byte)) }
        return max(hash, 1)
    }

    /// Injective in each word, so two bodies that differ in one word never have the same hash.
    private static func mix(_ hash: inout UInt64, _ word: UInt64) {
        hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 32
    }
}
