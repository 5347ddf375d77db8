import Glibc

/// A request's body: `count` bytes, followed by `padding` readable zero bytes. Freed with the value.
package struct Body: ~Copyable {
    /// The bytes behind the body that may be read; always zero.
    package static let padding = 64

    package private(set) var count: Int
    private let bytes: UnsafeMutableRawPointer

    /// Allocates `count` uninitialised bytes; a negative count means none.
    package init(count: Int) {
        self.count = max(count, 0)
        bytes = .allocate(byteCount: self.count + Self.padding, alignment: 16)
        clearPadding()
    }

    deinit {
        bytes.deallocate()
    }

    /// Passes exactly `count` bytes, which are valid until `body` returns.
    package mutating func withUnsafeMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: bytes, count: count))
    }

    /// Passes exactly `count` bytes, which are valid until `body` returns.
    package borrowing func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Whether it is a JSON array, judged by its first byte that is not white space.
    package var isArray: Bool {
        BulkSplitter.isArray(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The first byte that is no white space.
    var firstByte: UInt8? {
        withUnsafeBytes { $0.first { !UnsafeRawBufferPointer.isJSONSpace($0) } }
    }

    /// Whether the first line begins and ends as an object does, and something follows it.
    var hasObjectInFirstLine: Bool {
        withUnsafeBytes { bytes in
            guard bytes.first == UInt8(ascii: "{"), let base = bytes.baseAddress,
                let found = memchr(base, 0x0a, bytes.count)
            else { return false }
            let end = UnsafeRawPointer(found) - base
            return bytes[..<end].last { !UnsafeRawBufferPointer.isJSONSpace($0) } == UInt8(ascii: "}")
                && !bytes[end...].allSatisfy(UnsafeRawBufferPointer.isJSONSpace)
        }
    }

    /// Drops everything after the first `count` bytes.
    package mutating func truncate(to count: Int) {
        self.count = min(max(count, 0), self.count)
        clearPadding()
    }

    private func clearPadding() {
        (bytes + count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }
}
