internal import Configuration
internal import FoundationEssentials
internal import Notation
internal import PostgreSQL
internal import Schema
internal import Spool
internal import StorageChannel

/// Whether a database is the one by whose keys the events of a spool were accepted: a key is in no other.
struct SpoolOrigin {
    private let path: String
    /// The keys as storage last had them; nil when that cannot be told.
    private let keys: KeySnapshot?

    init(_ settings: Settings) {
        path = settings.text(.stateDirectory) + "/keys"
        keys = KeySnapshot.read(path)
    }

    /// Why events of these projects must not go into a database; nil when they may.
    func fault(
        _ projects: Set<Int64>, on connection: borrowing Connection
    ) throws(DatabaseError) -> String? {
        guard !projects.isEmpty else { return nil }
        guard let keys else { return "\(path) does not tell which database the events were accepted for" }
        let rows = try connection.query(
            """
            SELECT p.id, k.key FROM public.projects p LEFT JOIN public.api_keys k ON k.project_id = p.id
            WHERE p.id = ANY ($1::bigint[])
            """, ["{\(projects.map(String.init).joined(separator: ","))}"])
        var found: [Int64: Set<String>] = [:]
        for row in 0..<rows.count {
            guard let project = rows[row: row, column: 0].flatMap({ Int64($0) }) else { continue }
            found[project, default: []].formUnion(rows[row: row, column: 1].map { [$0] } ?? [])
        }
        let proven = keys.quotas.lazy.filter { found[$0.value.project]?.contains($0.key.value.hexDigits) == true }
        let others = Set(found.keys).subtracting(proven.map(\.value.project)).sorted()
        if !others.isEmpty {
            let names = others.prefix(10).map(String.init).joined(separator: ", ")
            return "it has none of the keys by which events of project \(names) were accepted"
        }
        return found.isEmpty ? "it has none of the projects of these events" : nil
    }
}

/// The ids of projects that this host has seen: in its spool, its quarantine and its keys.
enum SeenProjects {
    /// The highest of them, as far as they can be read; 0 when there is none.
    static func highest(_ settings: Settings) -> Int64 {
        var highest: Int64 = 0
        if let keys = KeySnapshot.read(settings.text(.stateDirectory) + "/keys") {
            highest = keys.quotas.values.map(\.project).max() ?? 0
        }
        func note(_ project: Int64) {
            if project <= ProjectIDs.limit { highest = max(highest, project) }
        }
        let quarantine = SpoolDirectory.quarantine(in: settings.spoolDirectory)
        for entry in (try? Quarantine.list(quarantine)) ?? [] { note(entry.project) }
        guard let spool = try? SpoolInspection(settings) else { return highest }
        for segment in spool.segments {
            _ = spool.forEachPiece(of: segment) { piece in
                piece.bytes.withUnsafeBytes { bytes in
                    for range in piece.records {
                        if let head = RecordHead(UnsafeRawBufferPointer(rebasing: bytes[range])) { note(head.project) }
                    }
                }
            }
        }
        return highest
    }
}

extension KeySnapshot {
    /// That of a file, of whatever database; nil when there is none that can be read.
    fileprivate static func read(_ path: String) -> KeySnapshot? {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return bytes.withUnsafeBytes { try? KeySnapshot(decoding: $0, places: nil) }
    }
}
