internal import StorageChannel

/// The relevant parts of a DSN, `http://KEY[:SECRET]@host[:port][/path]/PROJECT`. Host and path are ignored, and so are
/// slashes and a query after the project.
struct DSN: Equatable {
    let key: KeyID
    let project: ProjectClaim

    /// - Returns: nil when it is no DSN, or its key is not 32 hex digits.
    init?(_ text: UnsafeRawBufferPointer) {
        let query = text.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? text.count
        let slashes = text[..<query].reversed().prefix { $0 == UInt8(ascii: "/") }
        let text = UnsafeRawBufferPointer(rebasing: text[..<(query - slashes.count)])
        guard let at = text.firstIndex(of: UInt8(ascii: "@")), let slash = text.lastIndex(of: UInt8(ascii: "/")),
            slash > at, let scheme = text[..<at].lastIndex(of: UInt8(ascii: "/"))
        else { return nil }
        let credentials = text[(scheme + 1)..<at]
        let end = credentials.firstIndex(of: UInt8(ascii: ":")) ?? at
        guard let key = UnsafeRawBufferPointer(rebasing: credentials[..<end]).hexNumber() else { return nil }
        self.key = KeyID(key)
        project = ProjectClaim(UnsafeRawBufferPointer(rebasing: text[(slash + 1)...]))
    }
}
