/// What an edge and storage say to each other, over a stream socket: a 32-bit length of what follows, one byte that
/// names the kind, the content. Numbers are in network byte order.
///
/// | kind | from | content |
/// |---|---|---|
/// | hello | both, first | the newest version that it speaks (16 bits) |
/// | store | edge | ticket (64), `StoreFlags` (8), `EventRecord` |
/// | stored | storage | for each event: ticket (64), `StoreResult` (8), seconds until another try is worth it (32) |
/// | lookUpKey | edge, when a request has a key that it doesn't know, or has not had yet on this day (UTC) | key (128) |
/// | key | storage, as answer or because it changed | key (128), `KeyState` (8), project (64), events (32), seconds (32), the length (16) and bytes of `AllowedOrigins`, `ScrubRules` (rest); in version 2 `AllowedOrigins` (rest) alone |
/// | probe | edge | ticket (64) |
/// | readiness | storage, as answer; with ticket 0 when it changed, and to a new edge while the host is drained | ticket (64), whether an event can be stored (8), `Degradation` (8) |
/// | redis | edge, when it changes | whether Redis answers (8), why not, or its policy if it evicts counters (text, at most 200 bytes) |
package enum FrameKind: UInt8, Sendable {
    case hello = 1
    case store = 2
    case stored = 3
    case lookUpKey = 4
    case key = 5
    case probe = 6
    case readiness = 7
    case redis = 8
}

package enum Frame {
    /// The newest version that this release speaks. Of two ends that name different ones the newer speaks the other's:
    /// while a release takes the place of another, and for as long as old sessions live, one of each is connected.
    package static let version: UInt16 = 3

    /// The first one in which edges hear of `ScrubRules`.
    package static let firstWithScrubRules: UInt16 = 3

    /// The oldest version that this release speaks.
    package static let oldestVersion: UInt16 = 2

    /// The largest length a frame may announce: an event of 1 MiB, its columns again, and room.
    package static let maximumLength = 4 << 20

    /// The most bytes of a reason.
    package static let reasonLimit = 200

    /// The bytes before the content: length and kind.
    package static let headerSize = 5
}
