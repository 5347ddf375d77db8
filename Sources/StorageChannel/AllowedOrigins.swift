/// The origins (RFC 6454) of the pages that may send to a project: `https://shop.example`, `https://*.shop.example:8080`,
/// in small letters, separated by spaces.
package struct AllowedOrigins: Equatable, Sendable {
    private let list: [UInt8]

    /// No restriction.
    package static let all = AllowedOrigins([])

    /// - Parameter list: none means all.
    package init(_ list: some Sequence<UInt8>) {
        self.list = Array(list)
    }

    package var bytes: [UInt8] { list }

    /// Whether a page of this origin may send; a program that is no browser names none, and may.
    package func allows(_ origin: [UInt8]?) -> Bool {
        guard !list.isEmpty, let origin else { return true }
        let lower = origin.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        return list.split(separator: UInt8(ascii: " ")).contains { Self.matches(lower[...], $0) }
    }

    /// An asterisk after the scheme stands for any names before the domain that follows.
    private static func matches(_ origin: ArraySlice<UInt8>, _ allowed: ArraySlice<UInt8>) -> Bool {
        guard let asterisk = allowed.firstIndex(of: UInt8(ascii: "*")) else { return origin == allowed }
        let scheme = allowed[..<asterisk]
        let domain = allowed[(asterisk + 1)...]
        return origin.starts(with: scheme) && origin.count > scheme.count + domain.count
            && origin.suffix(domain.count) == domain
    }
}
