/// A request's body: `count` bytes, behind which `padding` zero bytes may be read. Freed when lost.
package struct Body: ~Copyable {
    /// The bytes behind the body that may be read; always zero.
    package static let padding = 64

    package private(set) var count: Int
    private let bytes: UnsafeMutableRawPointer

    /// Makes room for `count` bytes, which are not initialised; below zero is taken as none.
    package init(count: Int) {
        self.count = max(count, 0)
        bytes = .allocate(byteCount: self.count + Self.padding, alignment: 16)
        clearPadding()
    }

    deinit {
        bytes.deallocate()
    }

    /// Passes on exactly `count` bytes, which hold until `body` returns.
    package mutating func withUnsafeMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: bytes, count: count))
    }

    /// Passes on exactly `count` bytes, which hold until `body` returns.
    package borrowing func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Whether it is a JSON array, by its first byte that is no white space.
    package var isArray: Bool {
        BulkSplitter.isArray(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Drops what is behind the first `count` bytes; more than there are leaves all.
    package mutating func truncate(to count: Int) {
        self.count = min(max(count, 0), self.count)
        clearPadding()
    }

    private func clearPadding() {
        (bytes + count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }
}
