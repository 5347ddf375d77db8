internal import Glibc

/// An IPv4 or IPv6 address as text.
package struct IPAddress: Equatable, Sendable {
    /// Hexadecimal digits, points and colons.
    let text: [UInt8]

    /// The prefix of an IPv4 client's address at a dual-stack socket.
    private static let mapped = Array("::ffff:".utf8)

    /// Nil for anything else, such as nginx's `unix:`. The corresponding C function is `inet_pton`.
    package init?(_ text: UnsafeRawBufferPointer) {
        guard text.count < INET6_ADDRSTRLEN, !text.contains(0) else { return nil }
        let terminated = text.map { CChar(bitPattern: $0) } + [0]
        var address = in6_addr()
        if inet_pton(AF_INET, terminated, &address) == 1 {
            self.text = Array(text)
        } else if inet_pton(AF_INET6, terminated, &address) == 1 {
            let isMapped = text.starts(with: Self.mapped) && text.contains(UInt8(ascii: "."))
            self.text = Array(isMapped ? text[Self.mapped.count...] : text[...])
        } else {
            return nil
        }
    }
}
