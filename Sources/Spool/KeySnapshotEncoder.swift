package import StorageChannel

/// Writes a `KeySnapshot`, in as many pieces as wanted.
///
/// Numbers are in network byte order: the magic (64 bits), the version (32), how many places the database that the keys are of
/// was known by (16) and a hash of each (64); for each key a `Mark` (8) and the key (128), for one that ends the time (64,
/// microseconds since 1970), and for one in force also the project (64), events (32), seconds (32), and the length (16) and bytes
/// of its `AllowedOrigins` and of its `ScrubRules`; the mark of the end (8); a checksum of all before it (64).
package struct KeySnapshotEncoder: ~Copyable {
    private static let offsetBasis: UInt64 = 0xcbf2_9ce4_8422_2325

    private var writer = FrameWriter()
    private var checksum = offsetBasis

    /// - Parameter places: those of the database that the keys are of.
    package init(places: [String]) {
        writer.integer(KeySnapshot.magic)
        writer.integer(KeySnapshot.version)
        writer.integer(UInt16(clamping: places.count))
        for place in places.prefix(Int(UInt16.max)) { writer.integer(Self.hash(place)) }
    }

    /// - Parameters:
    ///   - quota: nil for a key that was revoked.
    ///   - end: when the key is refused, in microseconds since 1970.
    package mutating func append(_ key: KeyID, _ quota: ProjectQuota?, until end: Int64? = nil) {
        let mark = end == nil ? KeySnapshot.Mark.known : KeySnapshot.Mark.ending
        writer.integer(quota == nil ? KeySnapshot.Mark.revoked : mark)
        writer.integer(key.value)
        guard let quota else { return }
        if let end { writer.integer(end) }
        writer.integer(quota.project)
        writer.integer(quota.events)
        writer.integer(quota.seconds)
        for list in [quota.origins.bytes, quota.scrub.bytes] {
            writer.integer(UInt16(clamping: list.count))
            writer.append(Array(list.prefix(Int(UInt16.max))))
        }
    }

    /// What was appended since the last call.
    package mutating func take() -> [UInt8] {
        checksum = writer.bytes.withUnsafeBytes { Self.checksum($0, from: checksum) }
        return writer.take()
    }

    /// The same, to the end of the file.
    package consuming func finish() -> [UInt8] {
        writer.integer(KeySnapshot.Mark.end)
        writer.integer(writer.bytes.withUnsafeBytes { Self.checksum($0, from: checksum) })
        return writer.take()
    }

    static func hash(_ place: String) -> UInt64 {
        Array(place.utf8).withUnsafeBytes { checksum($0) }
    }

    /// FNV-1a: a change of any one byte changes it.
    static func checksum(_ bytes: UnsafeRawBufferPointer, from start: UInt64 = offsetBasis) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
