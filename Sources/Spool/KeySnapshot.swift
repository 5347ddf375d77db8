package import StorageChannel

/// The keys as they are kept on disk, so that storage knows them also when it starts while PostgreSQL is away.
///
/// `KeySnapshotEncoder` says how it is written. Version 3 lacks `ScrubRules`. So does version 2, which has in place of the places
/// one hash, that of the list of all servers; then the numbers of keys in force and of revoked ones (32 each), and first the
/// former and then the latter without a `Mark`.
package struct KeySnapshot: Equatable, Sendable {
    /// Why bytes are not taken for keys.
    package enum Fault: Error, Equatable, CustomStringConvertible {
        /// No snapshot of keys at all.
        case foreign
        case version(UInt32)
        /// Keys of another database than that which storage is to use.
        case database
        /// Cut off, or changed since they were written.
        case damaged

        package var description: String {
            switch self {
            case .foreign: "it is no snapshot of keys"
            case .version(let version): "its version is \(version), this release reads \(KeySnapshot.version)"
            case .database: "it is of another database"
            case .damaged: "it is damaged"
            }
        }
    }

    /// What follows in the file.
    enum Mark {
        static let end: UInt8 = 0
        static let known: UInt8 = 1
        static let revoked: UInt8 = 2
        /// In force until some time.
        static let ending: UInt8 = 3
    }

    /// "MSHRKEYS"
    static let magic: UInt64 = 0x4d53_4852_4b45_5953
    static let version: UInt32 = 4
    private static let firstWithScrubRules: UInt32 = 4
    private static let oldestVersion: UInt32 = 2

    /// The keys in force, and what the project of each may send.
    package var quotas: [KeyID: ProjectQuota] = [:]
    /// When some of these are refused, in microseconds since 1970.
    package var endings: [KeyID: Int64] = [:]
    /// Revoking is for good: these are refused also while PostgreSQL cannot be asked.
    package var revoked: Set<KeyID> = []

    package init(
        quotas: [KeyID: ProjectQuota] = [:], endings: [KeyID: Int64] = [:], revoked: Set<KeyID> = []
    ) {
        self.quotas = quotas
        self.endings = endings
        self.revoked = revoked
    }

    /// Reads what `encoded` has written.
    ///
    /// - Parameter places: those of the database that the keys must be of, one of which must be the same; nil for any.
    package init(decoding bytes: UnsafeRawBufferPointer, places: [String]?) throws(Fault) {
        var snapshot = KeySnapshot()
        try Self.forEachKey(in: bytes, places: places) { key, quota, end in
            if let quota { snapshot.quotas[key] = quota } else { snapshot.revoked.insert(key) }
            if let end { snapshot.endings[key] = end }
        }
        self = snapshot
    }

    /// Calls `body` with each key; those that were revoked have no quota, and few are refused from some time on. When it throws
    /// it may have called it for some.
    package static func forEachKey(
        in bytes: UnsafeRawBufferPointer, places: [String]?, _ body: (KeyID, ProjectQuota?, Int64?) -> Void
    ) throws(Fault) {
        var content = FrameContent(bytes)
        guard content.integer(UInt64.self) == magic else { throw .foreign }
        let version = content.integer(UInt32.self)
        guard (oldestVersion...Self.version).contains(version) else {
            throw content.isIntact ? .version(version) : .damaged
        }
        let isOld = version == oldestVersion
        let hashes = (0..<(isOld ? 1 : content.integer(UInt16.self))).map { _ in content.integer(UInt64.self) }
        guard content.isIntact, bytes.count >= 8,
            bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self).bigEndian
                == KeySnapshotEncoder.checksum(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8)))
        else { throw .damaged }
        if let places, !places.contains(where: { hashes.contains(KeySnapshotEncoder.hash($0)) }) { throw .database }
        if isOld {
            try readCounted(&content, body)
        } else {
            try readMarked(&content, hasScrubRules: version >= firstWithScrubRules, body)
        }
        _ = content.integer(UInt64.self)
        guard content.isIntact, content.isAtEnd else { throw .damaged }
    }

    private static func readMarked(
        _ content: inout FrameContent, hasScrubRules: Bool, _ body: (KeyID, ProjectQuota?, Int64?) -> Void
    ) throws(Fault) {
        while true {
            let mark = content.integer(UInt8.self)
            guard mark != Mark.end else { return }
            guard [Mark.known, Mark.revoked, Mark.ending].contains(mark) else { throw .damaged }
            try readKey(&content, mark, hasScrubRules: hasScrubRules, body)
        }
    }

    private static func readCounted(
        _ content: inout FrameContent, _ body: (KeyID, ProjectQuota?, Int64?) -> Void
    ) throws(Fault) {
        let counts = (known: content.integer(UInt32.self), revoked: content.integer(UInt32.self))
        for _ in 0..<counts.known { try readKey(&content, Mark.known, hasScrubRules: false, body) }
        for _ in 0..<counts.revoked { try readKey(&content, Mark.revoked, hasScrubRules: false, body) }
    }

    private static func readKey(
        _ content: inout FrameContent, _ mark: UInt8, hasScrubRules: Bool,
        _ body: (KeyID, ProjectQuota?, Int64?) -> Void
    ) throws(Fault) {
        let key = content.key()
        let end: Int64? = mark == Mark.ending ? content.integer() : nil
        let quota =
            mark == Mark.revoked
            ? nil
            : ProjectQuota(
                project: content.integer(), events: content.integer(), seconds: content.integer(),
                origins: AllowedOrigins(content.bytes(Int(content.integer(UInt16.self)))),
                scrub: hasScrubRules ? ScrubRules(content.bytes(Int(content.integer(UInt16.self)))) : .off)
        guard content.isIntact else { throw .damaged }
        body(key, quota, end)
    }

    package func encoded(places: [String]) -> [UInt8] {
        var encoder = KeySnapshotEncoder(places: places)
        for (key, quota) in quotas { encoder.append(key, quota, until: endings[key]) }
        for key in revoked { encoder.append(key, nil) }
        return encoder.finish()
    }
}
