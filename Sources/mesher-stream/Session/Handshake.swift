internal import Ingestion
internal import StorageChannel
internal import WebSocket

/// A client's request for an upgrade, from its first byte to the answer.
struct Handshake: ~Copyable {
    /// Nanoseconds that a client may take for its request, and storage to look up its key.
    static let patience: Int64 = 10_000_000_000

    /// The subprotocol that is selected when offered, and the one by which browsers, which cannot set headers, send
    /// their key.
    private static let subprotocol: StaticString = "mesher.v1"
    private static let keySubprotocol: StaticString = "mesher.key."

    private var reader = HeadReader()

    /// Takes what belongs to the request from the front of `bytes`.
    ///
    /// - Returns: the client's key once the request is whole, nil before.
    /// - Throws: why there is no upgrade.
    mutating func receive(_ bytes: inout UnsafeRawBufferPointer) throws(HTTPRefusal) -> KeyID? {
        switch reader.receive(&bytes) {
        case .incomplete: return nil
        case .tooLong: throw .invalid(.headTooLong)
        case .complete: break
        }
        return try withRequest { (request) throws(HTTPRefusal) in
            guard request.path.equals("/api/v1/stream") || request.path.equals("/ingest") else {
                throw HTTPRefusal.notFound
            }
            guard let key = Self.key(of: request) else { throw HTTPRefusal.unauthorized }
            return key
        }
    }

    /// The answer with 101, and what was agreed on.
    func accept() throws(HTTPRefusal) -> (text: [UInt8], compression: MessageCompression?) {
        try withRequest { (request) throws(HTTPRefusal) in
            let chosen = request.offers(subprotocol: Self.subprotocol) ? Self.subprotocol : nil
            return (UpgradeResponse.accepting(request, subprotocol: chosen), request.compression)
        }
    }

    /// Whether a page of the request's origin, RFC 6455, section 10.2, may send. Programs other than browsers name
    /// none, and may.
    func isAllowed(by origins: AllowedOrigins) throws(HTTPRefusal) -> Bool {
        try withRequest { (request) throws(HTTPRefusal) in
            origins.allows(request.header("origin").map { Array($0) })
        }
    }

    /// The client's address as nginx names it, nil when it does not.
    func proxiedPeer() -> String? {
        guard
            let name = try? withRequest({ (request) throws(HTTPRefusal) in
                request.header("mesher-peer").map { String(decoding: $0.prefix(48), as: UTF8.self) }
            })
        else { return nil }
        return name
    }

    private func withRequest<Result>(
        _ body: (UpgradeRequest) throws(HTTPRefusal) -> Result
    ) throws(HTTPRefusal) -> Result {
        try reader.withHead { (bytes) throws(HTTPRefusal) in
            let request: UpgradeRequest
            do throws(UpgradeRefusal) {
                request = try UpgradeRequest(bytes)
            } catch {
                throw HTTPRefusal.invalid(error)
            }
            return try body(request)
        }
    }

    private static func key(of request: UpgradeRequest) -> KeyID? {
        var head = RequestHead()
        head.sentryAuthorization = request.header("x-sentry-auth")
        head.authorization = request.header("authorization")
        head.query = request.query
        return KeyExtraction.key(of: head)
            ?? request.subprotocol(after: keySubprotocol)?.hexNumber().map(KeyID.init)
    }
}
