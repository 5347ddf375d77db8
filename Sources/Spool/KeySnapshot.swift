package import StorageChannel

/// The keys as they are kept on disk, so that storage knows them also when it starts while PostgreSQL is away.
///
/// Numbers are in network byte order: the magic (64 bits), the version (32), the database that the keys are of (64), the
/// numbers of keys in force and of revoked ones (32 each); for each in force the key (128), project (64), events (32), seconds (32),
/// and the length (16) and bytes of its `AllowedOrigins`; for each revoked the key (128); a checksum of all before it (64).
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

    /// "MSHRKEYS"
    private static let magic: UInt64 = 0x4d53_4852_4b45_5953
    private static let version: UInt32 = 2
    private static let headerSize = 28

    /// The keys in force, and what the project of each may send.
    package var quotas: [KeyID: ProjectQuota] = [:]
    /// Revoking is for good: these are refused also while PostgreSQL cannot be asked.
    package var revoked: Set<KeyID> = []

    package init(quotas: [KeyID: ProjectQuota] = [:], revoked: Set<KeyID> = []) {
        self.quotas = quotas
        self.revoked = revoked
    }

    /// Reads what `encoded` has written.
    ///
    /// - Parameter database: names the database that the keys must be of; nil for any.
    package init(decoding bytes: UnsafeRawBufferPointer, database: String?) throws(Fault) {
        var content = FrameContent(bytes)
        guard content.integer(UInt64.self) == Self.magic else { throw .foreign }
        let version = content.integer(UInt32.self)
        guard version == Self.version else { throw content.isIntact ? .version(version) : .damaged }
        let identity = content.integer(UInt64.self)
        let counts = (known: content.integer(UInt32.self), revoked: content.integer(UInt32.self))
        guard content.isIntact, bytes.count >= Self.headerSize + 8,
            bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self).bigEndian
                == Self.checksum(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8)))
        else { throw .damaged }
        guard database.map({ identity == Self.identity($0) }) ?? true else { throw .database }
        for _ in 0..<counts.known {
            let key = content.key()
            quotas[key] = ProjectQuota(
                project: content.integer(), events: content.integer(), seconds: content.integer(),
                origins: AllowedOrigins(content.bytes(Int(content.integer(UInt16.self)))))
            guard content.isIntact else { throw .damaged }
        }
        for _ in 0..<counts.revoked {
            revoked.insert(content.key())
            guard content.isIntact else { throw .damaged }
        }
        _ = content.integer(UInt64.self)
        guard content.isIntact, content.isAtEnd else { throw .damaged }
    }

    package func encoded(database: String) -> [UInt8] {
        var writer = FrameWriter(reserving: Self.headerSize + 8 + quotas.count * 34 + revoked.count * 16)
        writer.integer(Self.magic)
        writer.integer(Self.version)
        writer.integer(Self.identity(database))
        writer.integer(UInt32(clamping: quotas.count))
        writer.integer(UInt32(clamping: revoked.count))
        for (key, quota) in quotas {
            writer.integer(key.value)
            writer.integer(quota.project)
            writer.integer(quota.events)
            writer.integer(quota.seconds)
            writer.integer(UInt16(clamping: quota.origins.bytes.count))
            writer.append(Array(quota.origins.bytes.prefix(Int(UInt16.max))))
        }
        for key in revoked { writer.integer(key.value) }
        writer.integer(writer.bytes.withUnsafeBytes(Self.checksum))
        return writer.take()
    }

    private static func identity(_ database: String) -> UInt64 {
        Array(database.utf8).withUnsafeBytes(checksum)
    }

    /// FNV-1a: a change of any one byte changes it.
    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
