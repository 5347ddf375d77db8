internal import FoundationEssentials
internal import Glibc
internal import Spool
internal import System

/// A file of the quarantine.
struct QuarantinedItem {
    /// What its first line says.
    private struct Line: Decodable {
        let version: Int
        let setAsideAt: Double
        let sqlstate: String?
        let reason: String?
        let segment: UInt64?
        let offset: Int?
        let checksum: UInt32
    }

    let entry: Quarantine.Entry
    let path: String
    /// Seconds since 1970.
    let setAsideAt: Double
    /// Why it is here.
    let reason: String
    /// The event's record, or what was found.
    let bytes: [UInt8]

    /// The event; nil when the bytes are none.
    var event: SpooledEvent? { entry.kind == .event ? SpooledEvent(bytes) : nil }

    /// - Throws: `SystemError`, or `CommandError` when it is not as this program writes it.
    init(_ entry: Quarantine.Entry, in directory: String) throws {
        self.entry = entry
        path = "\(directory)/\(entry.name)"
        guard let file = fopen(path, "re") else { throw SystemError("open", path) }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { content += chunk[..<count] }
        guard ferror(file) == 0 else { throw SystemError("read", path) }
        let line = content.prefix { $0 != UInt8(ascii: "\n") }
        bytes = Array(content.dropFirst(line.count + 1))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let said = try? decoder.decode(Line.self, from: Data(line)), said.version == 1 else {
            throw CommandError(.dataError, "\(path): of another version, or damaged")
        }
        guard bytes.withUnsafeBytes({ SegmentFormat.checksum($0) }) == said.checksum else {
            throw CommandError(.dataError, "\(path): damaged: its checksum is wrong")
        }
        setAsideAt = said.setAsideAt
        switch entry.kind {
        case .event:
            if let words = said.reason, said.sqlstate == nil {
                reason = words
            } else {
                let words = said.reason.map { ": \($0)" } ?? ""
                reason = "PostgreSQL refused it\(words)" + (said.sqlstate.map { ", SQLSTATE \($0)" } ?? "")
            }
        case .damaged: reason = "damaged in segment \(said.segment ?? 0) at byte \(said.offset ?? 0)"
        }
    }

    /// Removes the file. The corresponding C function is `unlink`.
    func remove() throws(SystemError) {
        guard unlink(path) == 0 else { throw SystemError("unlink", path) }
    }
}
