/// What is removed from a project's events before they are stored: `default`, `ip`, `email` and names of fields, in small
/// letters, separated by spaces.
package struct ScrubRules: Hashable, Sendable {
    private let list: [UInt8]

    /// Nothing is removed.
    package static let off = ScrubRules([])

    /// - Parameter list: none means nothing.
    package init(_ list: some Sequence<UInt8>) {
        self.list = Array(list)
    }

    package var bytes: [UInt8] { list }

    package var isOff: Bool { list.isEmpty }

    /// Each of them.
    package var items: [ArraySlice<UInt8>] { list.split(separator: UInt8(ascii: " ")) }
}
