import Foundation
import Spool
import StorageChannel

@testable import mesher_storage

/// What storage finds when it starts on a disk, read by the code that it starts with.
struct RecoveredState {
    /// Ids of the events in the spool and in the quarantine.
    var events: Set<UInt128> = []
    /// Nil when there is no file of them.
    let keys: KeySnapshot?

    /// - Parameters:
    ///   - folder: where the disk is made; it must not be there, and is removed.
    ///   - places: those of the database of the keys.
    init(_ image: Disk.Image, in folder: String, places: [String]) throws {
        let files = FileManager.default
        for path in [""] + image.folders.sorted() {
            try files.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: false)
        }
        defer { try? files.removeItem(atPath: folder) }
        for (path, bytes) in image.files { _ = files.createFile(atPath: "\(folder)/\(path)", contents: Data(bytes)) }

        keys = try DurableFile(path: folder + "/keys").read().map { bytes in
            try bytes.withUnsafeBytes { try KeySnapshot(decoding: $0, places: places) }
        }
        let path = folder + "/spool"
        let limits = SpoolDirectory.Limits(bytes: 1 << 30, projectBytes: 1 << 30)
        let spool = try SpoolDirectory.open(path, limits: limits)
        while !spool.index.isCounted { spool.survey() }
        while let piece = spool.oldest(events: 500) {
            piece.content.bytes.withUnsafeBytes { bytes in
                for record in piece.content.records { insert(UnsafeRawBufferPointer(rebasing: bytes[record])) }
            }
            spool.delivered(piece)
        }
        let quarantine = SpoolDirectory.quarantine(in: path)
        for entry in try Quarantine.list(quarantine) where entry.kind == .event {
            let content = files.contents(atPath: "\(quarantine)/\(entry.name)") ?? Data()
            Array(content.drop { $0 != UInt8(ascii: "\n") }.dropFirst()).withUnsafeBytes { insert($0) }
        }
    }

    private mutating func insert(_ record: UnsafeRawBufferPointer) {
        if let head = RecordHead(record) { events.insert(head.eventID) }
    }
}
