package import StorageChannel

/// Finds the key in a request: `X-Sentry-Auth`, then `Authorization`, then the query's `sentry_key`; the first that
/// holds 32 hex digits is used.
package enum KeyExtraction {
    /// The newest supported protocol version of Sentry SDKs.
    static let newestVersion = 7

    /// The key of a request, without looking at its body.
    package static func key(of head: RequestHead) -> KeyID? {
        if case .key(let key) = credential(of: head) { key } else { nil }
    }

    static func credential(of head: RequestHead) -> Credential {
        var isMalformed = false
        if let value = head.sentryAuthorization {
            let value = value.trimmed(from: 0, to: value.count)
            let field = sentry(value)
            if let key = (field ?? value).hexNumber() { return .key(KeyID(key)) }
            isMalformed = field != nil
        }
        if let value = head.authorization {
            let value = value.trimmed(from: 0, to: value.count)
            let field = sentry(value)
            if let key = field?.hexNumber().map(KeyID.init) ?? authorization(value) { return .key(key) }
            isMalformed = isMalformed || field != nil
        }
        if let value = head.query.flatMap({ SentryFields(query: $0)["sentry_key"] }) {
            if let key = value.hexNumber() { return .key(KeyID(key)) }
            isMalformed = true
        }
        return isMalformed ? .malformed : .absent
    }

    /// The field `sentry_client` beside the key: `NAME/VERSION`. Nil when it is absent or malformed.
    static func client(of head: RequestHead) -> [UInt8]? {
        let name: StaticString = "sentry_client"
        let client = headerField(name, of: head).map(Array.init) ?? queryField(name, of: head).map(FormText.decode)
        guard let client, (1...TextLimit.sdk).contains(client.count),
            client.allSatisfy({ (0x20...0x7e).contains($0) })
        else { return nil }
        return client
    }

    /// The field `sentry_timestamp` beside the key: when it was sent by the sender's clock, in microseconds since 1970.
    static func sentAt(of head: RequestHead) -> Int64? {
        let name: StaticString = "sentry_timestamp"
        if let text = headerField(name, of: head) { return SentryEvent.time(ofText: text) }
        guard let text = queryField(name, of: head) else { return nil }
        return FormText.decode(text).withUnsafeBytes(SentryEvent.time(ofText:))
    }

    private static func headerField(_ name: StaticString, of head: RequestHead) -> UnsafeRawBufferPointer? {
        head.sentryAuthorization.flatMap { SentryFields(header: $0)[name] }
            ?? head.authorization.flatMap { SentryFields(header: $0)[name] }
    }

    private static func queryField(_ name: StaticString, of head: RequestHead) -> UnsafeRawBufferPointer? {
        head.query.flatMap { SentryFields(query: $0)[name] }
    }

    /// Whether a request names a protocol version newer than the supported ones.
    static func isVersionTooNew(_ head: RequestHead) -> Bool {
        let name: StaticString = "sentry_version"
        let version = headerField(name, of: head) ?? queryField(name, of: head)
        // Some write "2.0".
        let digits = version?.prefix { (0x30...0x39).contains($0) } ?? []
        var number = 0
        for digit in digits { number = min(number * 10 + Int(digit & 0xf), 1_000) }
        return number > newestVersion
    }

    /// `Sentry sentry_key=K, …`: the key's value; nil for any other scheme.
    private static func sentry(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard value.startsIgnoringCase(at: 0, with: "sentry") else { return nil }
        // Unnamed text after it is not part of it.
        return SentryFields(header: value)["sentry_key"].map {
            UnsafeRawBufferPointer(rebasing: $0.prefix { !UnsafeRawBufferPointer.isSpace($0) })
        }
    }

    private static func authorization(_ value: UnsafeRawBufferPointer) -> KeyID? {
        if value.startsIgnoringCase(at: 0, with: "bearer ") {
            return value.trimmed(from: 7, to: value.count).hexNumber().map(KeyID.init)
        }
        if value.startsIgnoringCase(at: 0, with: "basic ") {
            return basic(value.trimmed(from: 6, to: value.count))
        }
        return value.hexNumber().map(KeyID.init)
    }

    /// `base64(K:anything)` of RFC 7617: only the first 33 decoded bytes are looked at.
    private static func basic(_ value: UnsafeRawBufferPointer) -> KeyID? {
        var decoded: UInt32 = 0
        var bits = 0
        var number: UInt128 = 0
        var digits = 0
        for byte in value {
            guard let sextet = Base64.sextet(byte) else { break }
            decoded = decoded << 6 | UInt32(sextet)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            let character = UInt8(truncatingIfNeeded: decoded >> UInt32(bits))
            if digits == 32 { return character == UInt8(ascii: ":") ? KeyID(number) : nil }
            guard let digit = UnsafeRawBufferPointer.hexDigit(character) else { return nil }
            number = number << 4 | UInt128(digit)
            digits += 1
        }
        return digits == 32 ? KeyID(number) : nil
    }
}
