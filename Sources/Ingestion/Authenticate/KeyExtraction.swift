package import StorageChannel

/// Finds the key in a request: `X-Sentry-Auth`, then `Authorization`, then the query's `sentry_key`; the first that
/// holds 32 hex digits is used.
package enum KeyExtraction {
    package static func key(of head: RequestHead) -> KeyID? {
        if let value = head.sentryAuthorization, let key = sentry(value) ?? bare(value) { return key }
        if let value = head.authorization, let key = authorization(value) { return key }
        return head.query.flatMap(query)
    }

    private static func bare(_ value: UnsafeRawBufferPointer) -> KeyID? {
        value.trimmed(from: 0, to: value.count).hexNumber().map(KeyID.init)
    }

    private static func authorization(_ value: UnsafeRawBufferPointer) -> KeyID? {
        let value = value.trimmed(from: 0, to: value.count)
        if value.startsIgnoringCase(at: 0, with: "bearer ") {
            return bare(UnsafeRawBufferPointer(rebasing: value[7...]))
        }
        if value.startsIgnoringCase(at: 0, with: "basic ") {
            return basic(value.trimmed(from: 6, to: value.count))
        }
        return sentry(value) ?? bare(value)
    }

    /// `Sentry sentry_key=K, sentry_version=7`: fields in any order and case, parted by commas or spaces, with or without
    /// quotes.
    private static func sentry(_ value: UnsafeRawBufferPointer) -> KeyID? {
        let value = value.trimmed(from: 0, to: value.count)
        guard value.startsIgnoringCase(at: 0, with: "sentry") else { return nil }
        var position = 0
        while position < value.count {
            var end = position
            while end < value.count, value[end] != UInt8(ascii: ","), !UnsafeRawBufferPointer.isSpace(value[end]) {
                end += 1
            }
            if value.startsIgnoringCase(at: position, with: "sentry_key=") {
                var field = UnsafeRawBufferPointer(rebasing: value[(position + 11)..<max(end, position + 11)])
                if field.count == 34, field[0] == UInt8(ascii: "\""), field[33] == UInt8(ascii: "\"") {
                    field = UnsafeRawBufferPointer(rebasing: field[1..<33])
                }
                return field.hexNumber().map(KeyID.init)
            }
            position = end + 1
        }
        return nil
    }

    /// `base64(K:anything)` of RFC 7617: only the first 33 decoded bytes are looked at.
    private static func basic(_ value: UnsafeRawBufferPointer) -> KeyID? {
        var decoded: UInt32 = 0
        var bits = 0
        var number: UInt128 = 0
        var digits = 0
        for byte in value {
            guard let sextet = base64(byte) else { break }
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

    private static func base64(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte &- 0x41
        case 0x61...0x7a: byte &- 0x61 &+ 26
        case 0x30...0x39: byte &- 0x30 &+ 52
        case 0x2b, 0x2d: 62
        case 0x2f, 0x5f: 63
        default: nil
        }
    }

    private static func query(_ value: UnsafeRawBufferPointer) -> KeyID? {
        var position = 0
        while position < value.count {
            var end = position
            while end < value.count, value[end] != UInt8(ascii: "&") { end += 1 }
            if value.starts(at: position, with: "sentry_key=") {
                return UnsafeRawBufferPointer(rebasing: value[(position + 11)..<end]).hexNumber().map(KeyID.init)
            }
            position = end + 1
        }
        return nil
    }
}
