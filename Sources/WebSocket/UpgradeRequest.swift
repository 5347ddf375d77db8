/// A client's opening handshake, RFC 6455, section 4.2.1: a view of the bytes it was made from, valid as long as they
/// are.
package struct UpgradeRequest {
    /// As in the request, not decoded.
    package let path: UnsafeRawBufferPointer
    /// The part after the question mark.
    package let query: UnsafeRawBufferPointer?
    /// The offer that can be kept to.
    package let compression: MessageCompression?
    let key: UnsafeRawBufferPointer
    private let head: HTTPHead

    /// - Parameter bytes: a whole head, with its empty line.
    /// - Throws: what is wrong with it.
    package init(_ bytes: UnsafeRawBufferPointer) throws(UpgradeRefusal) {
        guard let head = HTTPHead(bytes) else { throw UpgradeRefusal.malformedHead }
        self.head = head
        let target = try Self.target(of: head.startLine)
        (path, query) = try Self.split(target)
        guard head.only("host") != nil else { throw UpgradeRefusal.host }
        guard head.count("transfer-encoding") == 0, head.only("content-length")?.equals("0") ?? true,
            head.count("content-length") <= 1
        else { throw UpgradeRefusal.body }
        guard head.lists("upgrade", "websocket") else { throw UpgradeRefusal.upgrade }
        guard head.lists("connection", "upgrade") else { throw UpgradeRefusal.connection }
        guard let version = head.only("sec-websocket-version"), version.equals("13") else {
            throw UpgradeRefusal.version
        }
        guard let key = head.only("sec-websocket-key"), AcceptKey.isNonce(key) else {
            throw UpgradeRefusal.key
        }
        self.key = key
        guard head.count("origin") <= 1 else { throw UpgradeRefusal.origin }
        compression = try Self.compression(head)
        guard Self.areSubprotocolsSound(head) else { throw UpgradeRefusal.malformedSubprotocols }
    }

    /// The value of the only header of a name, which is written in small letters; nil when there is none or more than one.
    package func header(_ name: StaticString) -> UnsafeRawBufferPointer? {
        head.only(name)
    }

    /// Whether the client offers this subprotocol, letter for letter.
    package func offers(subprotocol name: StaticString) -> Bool {
        var isOffered = false
        forEachSubprotocol { if $0.equals(name) { isOffered = true } }
        return isOffered
    }

    /// What follows `prefix` in the first subprotocol offered that begins with it.
    package func subprotocol(after prefix: StaticString) -> UnsafeRawBufferPointer? {
        var rest: UnsafeRawBufferPointer?
        forEachSubprotocol {
            guard rest == nil, $0.hasPrefix(prefix) else { return }
            rest = UnsafeRawBufferPointer(rebasing: $0[prefix.utf8CodeUnitCount...])
        }
        return rest
    }

    private func forEachSubprotocol(_ body: (UnsafeRawBufferPointer) -> Void) {
        head.forEach("sec-websocket-protocol") { value in
            var elements = HeaderElements(value)
            while let token = elements.nextToken() { body(token) }
        }
    }

    private static func areSubprotocolsSound(_ head: HTTPHead) -> Bool {
        var isSound = true
        head.forEach("sec-websocket-protocol") { value in
            var elements = HeaderElements(value)
            while elements.nextToken() != nil {}
            isSound = isSound && elements.isSound
        }
        return isSound
    }

    private static func compression(_ head: HTTPHead) throws(UpgradeRefusal) -> MessageCompression? {
        var accepted: MessageCompression?
        var isSound = true
        head.forEach("sec-websocket-extensions") { value in
            var offers = HeaderElements(value)
            let offered = MessageCompression.accepted(among: &offers)
            accepted = accepted ?? offered
            isSound = isSound && offers.isSound
        }
        guard isSound else { throw UpgradeRefusal.malformedExtensions }
        return accepted
    }

    /// Of `GET target HTTP/1.1`.
    private static func target(of line: UnsafeRawBufferPointer) throws(UpgradeRefusal) -> UnsafeRawBufferPointer {
        guard line.hasPrefix("GET ") else { throw UpgradeRefusal.method }
        let rest = UnsafeRawBufferPointer(rebasing: line[4...])
        guard let space = rest.firstIndex(of: 0x20) else { throw UpgradeRefusal.malformedHead }
        guard UnsafeRawBufferPointer(rebasing: rest[space...]).equals(" HTTP/1.1") else {
            throw UpgradeRefusal.httpVersion
        }
        return UnsafeRawBufferPointer(rebasing: rest[..<space])
    }

    /// The path and query of a target in origin form, or in absolute form, of which a server must take the path (RFC 9112,
    /// section 3.2.2).
    private static func split(
        _ target: UnsafeRawBufferPointer
    ) throws(UpgradeRefusal) -> (path: UnsafeRawBufferPointer, query: UnsafeRawBufferPointer?) {
        guard target.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw UpgradeRefusal.malformedTarget
        }
        var origin = target
        for scheme: StaticString in ["http://", "https://"] where target.hasPrefix(scheme) {
            let rest = target[scheme.utf8CodeUnitCount...]
            guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { break }
            origin = UnsafeRawBufferPointer(rebasing: rest[slash...])
        }
        guard origin.first == UInt8(ascii: "/") else { throw UpgradeRefusal.malformedTarget }
        guard let mark = origin.firstIndex(of: UInt8(ascii: "?")) else { return (origin, nil) }
        return (
            UnsafeRawBufferPointer(rebasing: origin[..<mark]), UnsafeRawBufferPointer(rebasing: origin[(mark + 1)...])
        )
    }
}
