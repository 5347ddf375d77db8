internal import StorageChannel

/// What a request says before its body, as bytes that belong to the caller; nil where the header or parameter is absent.
package struct RequestHead {
    package var method: UnsafeRawBufferPointer?
    /// The path, decoded, without the query.
    package var path: UnsafeRawBufferPointer?
    package var query: UnsafeRawBufferPointer?
    package var contentType: UnsafeRawBufferPointer?
    package var contentEncoding: UnsafeRawBufferPointer?
    /// The header `X-Sentry-Auth`.
    package var sentryAuthorization: UnsafeRawBufferPointer?
    package var authorization: UnsafeRawBufferPointer?
    /// 32 hex digits, the same across nginx's retries of one request.
    package var requestID: UnsafeRawBufferPointer?
    /// The time of receipt: seconds since 1970 with three decimals, nginx's `$msec`.
    package var receivedAt: UnsafeRawBufferPointer?

    package init() {}
}

/// What is kept of a head while its body waits: everything is copied or decided.
struct AcceptedHead {
    let route: Route
    let key: KeyID?
    let encoding: Result<ContentEncoding, Refusal>
    let isNDJSON: Bool
    let requestID: UInt128
    /// Microseconds since 1970.
    let receivedAt: Int64

    /// - Parameter wall: now, in microseconds since 1970, for a head that names no time of receipt.
    init(_ head: RequestHead, route: Route, wall: Int64) {
        self.route = route
        key = KeyExtraction.key(of: head)
        do throws(Refusal) {
            encoding = .success(try ContentEncoding.named(head.contentEncoding))
        } catch {
            encoding = .failure(error)
        }
        isNDJSON = Self.isNDJSON(head.contentType)
        requestID = head.requestID?.hexNumber() ?? .random(in: .min ... .max)
        receivedAt = head.receivedAt.flatMap(Self.microseconds) ?? wall
    }

    /// The head of a stream's message, which has none of its own.
    init(route: Route, key: KeyID?, requestID: UInt128, receivedAt: Int64) {
        self.route = route
        self.key = key
        self.requestID = requestID
        self.receivedAt = receivedAt
        encoding = .success(.identity)
        isNDJSON = false
    }

    private static func isNDJSON(_ type: UnsafeRawBufferPointer?) -> Bool {
        guard let type else { return false }
        let end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.count
        let essence = type.trimmed(from: 0, to: end)
        for name: StaticString in ["application/x-ndjson", "application/ndjson", "application/jsonl"] {
            if essence.count == name.utf8CodeUnitCount, essence.startsIgnoringCase(at: 0, with: name) { return true }
        }
        return false
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
