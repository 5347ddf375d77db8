internal import CFastCGI
internal import Glibc
internal import Ingestion
internal import System

/// One connection of nginx, and the request that is read from it or answered on it. nginx sends the next request only
/// after it has the answer, so there is at most one. The corresponding libfcgi type is `FCGX_Request`.
///
/// The socket blocks, since libfcgi treats EAGAIN inside a stream as its end. Reading begins when the socket is
/// readable, and nginx, which buffers requests, sends the rest at once. A receive timeout covers the rest.
final class FastCGIConnection {
    /// Timeout of one read or write, in seconds.
    private static let patience = 2

    let number: CInt
    private let request: UnsafeMutablePointer<FCGX_Request>
    private var head = RoutedHead(RequestHead())
    /// The length of the body as nginx says it; nil when it does not.
    private var announced: Int?
    private var body: Body?
    private(set) var isOversized = false
    /// Whether a request was read and not answered.
    private(set) var isAnswering = false
    /// When its request was read, in nanoseconds of the monotonic clock.
    var receivedAt: Int64 = 0
    /// nginx closed the connection while its request was in flight: the connection ends with the answer.
    var isAbandoned = false

    init(adopting descriptor: consuming Descriptor) {
        number = descriptor.release()
        request = .allocate(capacity: 1)
        FCGX_InitRequest(request, -1, 0)
        request.pointee.ipcFd = number
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit {
        // Detached first, because libfcgi would wait for the peer to close.
        FCGX_Detach(request)
        if request.pointee.ipcFd >= 0 { FCGX_Free(request, 1) }
        request.deallocate()
    }

    /// Reads the next request with its whole body. The connection must be readable and not closed: at its end libfcgi
    /// would fall through to a listener.
    ///
    /// - Returns: whether it arrived whole, for `withHead`. If not, the peer broke off or sent nonsense, and the
    ///   connection is to be closed.
    func read() -> Bool {
        request.pointee.keepConnection = 1
        FCGX_Detach(request)
        CheckedReading.begin()
        guard FCGX_Accept_r(request) == 0 else { return false }
        readHead()
        guard readBody(), CheckedReading.isWhole else { return false }
        isAnswering = true
        return true
    }

    /// Lets `use` have the request's head; its bytes are valid until then.
    func withHead(_ use: (RoutedHead, consuming Body?) -> Void) {
        use(head, body.take())
    }

    private func readHead() {
        var head = RequestHead()
        announced = nil
        var next = request.pointee.envp
        while let entry = next, let parameter = entry.pointee {
            read(UnsafeRawBufferPointer(start: parameter, count: strlen(parameter)), into: &head)
            next = entry + 1
        }
        self.head = RoutedHead(head)
    }

    /// Sends a CGI response (RFC 3875, section 6) and ends the request.
    ///
    /// - Returns: whether the connection is kept for another.
    func answer(_ response: [UInt8]) -> Bool {
        response.withUnsafeBytes { bytes in
            _ = FCGX_PutStr(bytes.baseAddress, CInt(clamping: bytes.count), request.pointee.out)
        }
        FCGX_Detach(request)
        FCGX_Finish_r(request)
        isAnswering = false
        return request.pointee.ipcFd >= 0 && !isAbandoned
    }

    private func readBody() -> Bool {
        body = nil
        isOversized = false
        let limit = head.bodyLimit
        if let announced, announced > limit {
            isOversized = true
            return readPast() == announced
        }
        let stream = request.pointee.in
        var received = Body(count: max(0, announced ?? min(limit, Limits.smallBytes)))
        var count = Self.fill(&received, from: 0, stream)
        // A body of unknown length gets a small buffer first: most requests without a length have no body at all.
        if announced == nil, count == received.count, count < limit {
            var larger = Body(count: limit)
            larger.withUnsafeMutableBytes { all in received.withUnsafeMutableBytes { all.copyMemory(from: .init($0)) } }
            received = larger
            count = Self.fill(&received, from: count, stream)
        }
        // Whatever the announced length, read the stream to its end: leftovers would be taken for the next request.
        let surplus = readPast()
        guard FCGX_GetError(stream) == 0 else { return false }
        if let announced, count < announced || surplus > 0 { return false }
        isOversized = surplus > 0
        received.truncate(to: count)
        body = consume received
        return true
    }

    /// Reads behind the first `start` bytes until the body is full or the stream ends.
    ///
    /// - Returns: how many bytes the body now holds.
    private static func fill(_ body: inout Body, from start: Int, _ stream: UnsafeMutablePointer<FCGX_Stream>?) -> Int {
        body.withUnsafeMutableBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress else { return start }
            return start + Int(FCGX_GetStr(base + start, CInt(clamping: bytes.count - start), stream))
        }
    }

    private func readPast() -> Int {
        var total = 0
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { chunk in
            while case let count = FCGX_GetStr(chunk.baseAddress, 1024, request.pointee.in), count > 0 {
                total += Int(count)
            }
        }
        return total
    }

    private static var several: UnsafeRawBufferPointer {
        let text: StaticString = "several"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Reads one `NAME=value` of environ(7) form into the head.
    private func read(_ parameter: UnsafeRawBufferPointer, into head: inout RequestHead) {
        func value(_ name: StaticString) -> UnsafeRawBufferPointer? {
            guard parameter.starts(at: 0, with: name) else { return nil }
            let value = parameter[name.utf8CodeUnitCount...]
            return value.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: value)
        }
        guard let first = parameter.first else { return }
        switch first {
        case UInt8(ascii: "R"):
            if let value = value("REQUEST_METHOD=") { head.method = value }
            if let value = value("REMOTE_ADDR=") { head.remoteAddress = value }
        case UInt8(ascii: "D"):
            if let value = value("DOCUMENT_URI=") { head.path = value }
        case UInt8(ascii: "Q"):
            if let value = value("QUERY_STRING=") { head.query = value }
        case UInt8(ascii: "C"):
            if let value = value("CONTENT_TYPE=") { head.contentType = value }
            if let value = value("CONTENT_LENGTH=") { announced = Int(String(decoding: value, as: UTF8.self)) }
        case UInt8(ascii: "M"):
            if let value = value("MESHER_REQUEST_ID=") { head.requestID = value }
            if let value = value("MESHER_RECEIVED=") { head.receivedAt = value }
        case UInt8(ascii: "H"):
            if let value = value("HTTP_AUTHORIZATION=") { head.authorization = value }
            if let value = value("HTTP_CONTENT_ENCODING=") {
                // A second one, which would have to be decoded first, must not go unnoticed.
                head.contentEncoding = head.contentEncoding == nil ? value : Self.several
            }
            if let value = value("HTTP_ORIGIN=") { head.origin = value }
            if let value = value("HTTP_X_SENTRY_AUTH=") { head.sentryAuthorization = value }
        default: break
        }
    }
}
