internal import Glibc
internal import System

/// The connection to the client: received bytes that were not handled, and outgoing bytes that are not frames.
struct PeerSocket: ~Copyable {
    enum Progress {
        case bytes, nothing
        /// The peer has closed its direction, or the connection is gone.
        case ended
    }

    /// Maximum size of one read.
    private static let inputSize = 16 << 10

    private let descriptor: Descriptor
    private let room: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var text: [UInt8] = []
    private var written = 0

    /// - Throws: `SystemError` when the descriptor cannot be made non-blocking.
    static func open(adopting descriptor: consuming Descriptor) throws(SystemError) -> PeerSocket {
        try descriptor.setBlocking(false)
        // Answers are small and many. On a unix socket this fails harmlessly.
        var isOn: CInt = 1
        setsockopt(descriptor.number, CInt(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<CInt>.size))
        return PeerSocket(descriptor)
    }

    private init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
        room = .allocate(byteCount: Self.inputSize, alignment: 16)
    }

    deinit {
        room.deallocate()
    }

    var number: CInt { descriptor.number }

    // MARK: Input

    var hasInput: Bool { start < end }

    /// What has come, until the next `read`.
    var input: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[start..<end]) }

    /// Drops the front of the input, all but the last `count` bytes.
    mutating func keepInput(last count: Int) {
        start = end - min(max(count, 0), end - start)
    }

    /// Reads what is available, as far as there is room. The corresponding C function is `recv`.
    mutating func read() -> Progress {
        if start == end {
            start = 0
            end = 0
        }
        let free = UnsafeMutableRawBufferPointer(rebasing: room[end...])
        guard !free.isEmpty else { return .nothing }
        let count = recv(number, free.baseAddress, free.count, 0)
        if count > 0 {
            end += count
            return .bytes
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
    }

    // MARK: Output

    /// The bytes of `text` that wait.
    var waiting: Int { text.count - written }

    /// Appends bytes that go out before any frame.
    mutating func append(_ bytes: [UInt8]) {
        text += bytes
    }

    /// Writes what the socket accepts of them; nil when the connection is gone.
    mutating func flush() -> Int? {
        guard waiting > 0 else { return 0 }
        let count = text.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[written...])) }
        written += count ?? 0
        if written == text.count {
            text = []
            written = 0
        }
        return count
    }

    /// Gives up the bytes of it that wait.
    mutating func dropOutput() {
        text = []
        written = 0
    }

    /// Writes what the socket accepts; nil when the connection is gone. The corresponding C function is `send`.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = send(number, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// Says that nothing more is written. The corresponding C function is `shutdown`.
    func endOutput() {
        shutdown(number, CInt(SHUT_WR))
    }
}
