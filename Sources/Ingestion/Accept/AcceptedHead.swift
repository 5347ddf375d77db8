internal import StorageChannel

/// What is kept of a request's head while its body waits. Everything is copied or decided.
struct AcceptedHead {
    let target: Target
    let credential: Credential
    /// It names a protocol version newer than the supported ones.
    let isVersionTooNew: Bool
    let sender: SentrySender
    /// The page's origin; nil for a program that is no browser.
    let origin: [UInt8]?
    let encoding: Result<ContentEncoding, Refusal>
    let format: BodyFormat
    let requestID: UInt128
    /// Microseconds since 1970.
    let receivedAt: Int64

    var route: Route { target.route }

    /// Whether the body is one event that is not encoded.
    var isPlain: Bool {
        guard case .success(.identity) = encoding else { return false }
        return format == .event
    }

    /// Whether its key, if any, is in the body, which must be decoded to find it.
    var hidesKey: Bool {
        guard credential == .absent, format == .envelope, case .success(let encoding) = encoding else { return false }
        return encoding != .identity
    }

    /// - Parameters:
    ///   - takesAddress: whether the operator wants the sender's address.
    ///   - wall: now, in microseconds since 1970, for a head that names no time of receipt.
    init(_ head: RequestHead, target: Target, takesAddress: Bool, wall: Int64) {
        self.target = target
        credential = KeyExtraction.credential(of: head)
        isVersionTooNew = target.route.dialect == .sentry && KeyExtraction.isVersionTooNew(head)
        sender =
            target.route.dialect == .sentry
            ? SentrySender(head, target.route, takesAddress: takesAddress) : .silent
        origin = head.origin.map(Array.init)
        do throws(Refusal) {
            encoding = .success(try ContentEncoding.named(head.contentEncoding))
        } catch {
            encoding = .failure(error)
        }
        format = BodyFormat(target.route, contentType: head.contentType)
        requestID = head.requestID?.hexNumber() ?? .random(in: .min ... .max)
        receivedAt = head.receivedAt.flatMap(Self.microseconds) ?? wall
    }

    /// The head of a stream's message, which has none of its own.
    init(route: Route, key: KeyID?, requestID: UInt128, receivedAt: Int64) {
        target = Target(route: route, project: .unnamed)
        credential = key.map(Credential.key) ?? .absent
        isVersionTooNew = false
        sender = .silent
        origin = nil
        encoding = .success(.identity)
        format = BodyFormat(route, contentType: nil)
        self.requestID = requestID
        self.receivedAt = receivedAt
    }

    /// `1700000000.123` in microseconds; nil for anything else.
    private static func microseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        var value: Int64 = 0
        var decimals: Int?
        guard !text.isEmpty, text.count <= 18 else { return nil }
        for byte in text {
            if byte == UInt8(ascii: "."), decimals == nil {
                decimals = 0
            } else if (0x30...0x39).contains(byte) {
                guard decimals ?? 0 < 6 else { break }
                value = value &* 10 &+ Int64(byte &- 0x30)
                if let digits = decimals { decimals = digits + 1 }
            } else {
                return nil
            }
        }
        for _ in (decimals ?? 0)..<6 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        return value
    }
}
