internal import Configuration
internal import Glibc
internal import Spool
internal import StorageChannel
internal import System

/// A spool as it is looked at, also while storage works with it: nothing is changed.
struct SpoolInspection {
    /// What reading a segment from end to end has shown.
    struct Finding {
        let segment: UInt64
        var events = 0
        var damages = 0
        var tornBytes = 0
        /// Why it could not be read.
        var fault: String?

        var isSound: Bool { damages == 0 && fault == nil }

        var state: String {
            if let fault { return fault }
            if damages > 0 { return "damaged" }
            return tornBytes > 0 ? "sound, with an unfinished end of \(tornBytes) bytes" : "sound"
        }

        var json: JSON {
            .object([
                "segment": .integer(Int64(clamping: segment)), "events": .integer(Int64(events)),
                "damaged": .integer(Int64(damages)), "unfinished_bytes": .integer(Int64(tornBytes)),
                "fault": .optional(fault),
            ])
        }
    }

    let directory: String
    /// In bytes.
    let limit: Int
    /// Oldest first.
    let segments: [SegmentFile]
    /// Of segments and quarantine.
    let bytes: Int
    /// Files in the quarantine.
    let quarantined: Int

    /// - Throws: `SystemError` when there is no directory, or it may not be read.
    init(_ settings: Settings) throws(SystemError) {
        directory = settings.spoolDirectory
        limit = settings.integer(.spoolLimit) << 20
        let index = try SpoolIndex(directory)
        segments = index.segments.map(\.file)
        let quarantine = SpoolDirectory.quarantine(in: directory)
        let entries = access(quarantine, F_OK) == 0 ? try Quarantine.list(quarantine) : []
        quarantined = entries.count
        bytes = index.size + entries.reduce(0) { $0 + $1.bytes }
    }

    /// Whether a process owns it. The corresponding C function is `flock`.
    var isInUse: Bool {
        let number = open(directory + "/lock", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return false }
        let file = Descriptor(adopting: number)
        return flock(file.number, LOCK_SH | LOCK_NB) != 0
    }

    /// When the first event of a segment was received, RFC 3339.
    func oldest(_ segment: SegmentFile) -> String? {
        guard let piece = try? segment.piece(at: 0, events: 1), let range = piece.records.first else { return nil }
        return SpooledEvent(Array(piece.bytes[range]))?[.receivedAt]
    }

    /// Reads a segment to its end; why that was not possible, nil when it was.
    func forEachPiece(of segment: SegmentFile, _ body: (SegmentFile.Piece) -> Void) -> String? {
        var offset = 0
        while true {
            do throws(SegmentFile.Fault) {
                let piece = try segment.piece(at: offset)
                body(piece)
                if piece.isLast || piece.range.isEmpty { return nil }
                offset = piece.range.upperBound
            } catch {
                return error.description
            }
        }
    }

    func verify(_ segment: SegmentFile) -> Finding {
        var finding = Finding(segment: segment.number)
        finding.fault = forEachPiece(of: segment) { piece in
            finding.events += piece.records.count
            finding.damages += piece.damages.count
            finding.tornBytes += piece.tornBytes
        }
        return finding
    }
}
