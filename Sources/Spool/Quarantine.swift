internal import Glibc
package import System

/// Events that PostgreSQL refuses and damaged bytes of the spool: one file each, until the operator decides.
///
/// A file is named `NUMBER-PROJECT.event` or `NUMBER-0.damaged`. It holds a line of JSON that describes it, followed by
/// the bytes as they are: an `EventRecord`, or what was found.
package struct Quarantine: ~Copyable {
    package enum Kind: String, Sendable {
        /// An event that was accepted, and that PostgreSQL refused.
        case event
        /// Damaged bytes of a segment.
        case damaged
    }

    /// One file.
    package struct Entry: Equatable, Sendable {
        package let number: UInt64
        /// 0 when unknown.
        package let project: Int64
        package let kind: Kind
        package let bytes: Int

        package var name: String { "\(number)-\(project).\(kind.rawValue)" }
    }

    package let path: String
    /// By number, the oldest first.
    package private(set) var entries: [Entry] = []
    private let directory: Descriptor
    private var last: UInt64 = 0
    private var changedAt = timespec()

    /// Opens the directory, and makes it, mode 0700, when it is not there.
    package static func open(_ path: String) throws(SystemError) -> Quarantine {
        try DirectoryListing.make(path)
        var quarantine = Quarantine(path, try DirectoryListing.open(path))
        for name in try DirectoryListing.names(of: path) where name.hasSuffix(".new") { unlink("\(path)/\(name)") }
        try quarantine.refresh()
        return quarantine
    }

    private init(_ path: String, _ directory: consuming Descriptor) {
        self.path = path
        self.directory = directory
    }

    /// Bytes that its files take.
    package var size: Int { entries.reduce(0) { $0 + $1.bytes } }

    /// Its files, for readers. The corresponding C function is `readdir`.
    package static func list(_ path: String) throws(SystemError) -> [Entry] {
        var entries: [Entry] = []
        for name in try DirectoryListing.names(of: path) {
            guard let (number, project, kind) = parse(name) else { continue }
            var status = stat()
            // Skips a file that was removed meanwhile.
            guard stat("\(path)/\(name)", &status) == 0 else { continue }
            entries.append(Entry(number: number, project: project, kind: kind, bytes: Int(status.st_size)))
        }
        return entries.sorted { $0.number < $1.number }
    }

    /// Reads the directory again after a change.
    package mutating func refresh() throws(SystemError) {
        var status = stat()
        guard fstat(directory.number, &status) == 0 else { throw SystemError("fstat", path) }
        let changed = status.st_mtim
        if changed.tv_sec == changedAt.tv_sec, changed.tv_nsec == changedAt.tv_nsec { return }
        entries = try Self.list(path)
        last = max(last, entries.last?.number ?? 0)
        changedAt = changed
    }

    /// Sets bytes aside and returns when all of them are on disk. Each file is written under a temporary name first, so
    /// that there is never half of one. The corresponding C function is `fsync`.
    ///
    /// - Throws: `SystemError`; some of them may be on disk.
    package mutating func add(_ items: [QuarantineItem]) throws(SystemError) {
        for item in items {
            let content = item.file
            let entry = Entry(number: last + 1, project: item.project, kind: item.kind, bytes: content.count)
            let file = try ReplacedFile("\(path)/\(entry.name)")
            do throws(SystemError) {
                try file.append(content)
                try file.synchronize()
                try file.complete()
            } catch {
                file.discard()
                throw error
            }
            last += 1
            entries.append(entry)
        }
        guard fsync(directory.number) == 0 else { throw SystemError("fsync", path) }
    }

    private static func parse(_ name: String) -> (number: UInt64, project: Int64, kind: Kind)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[1])),
            let dash = parts[0].firstIndex(of: "-"), let number = UInt64(parts[0][..<dash]),
            let project = Int64(parts[0][parts[0].index(after: dash)...])
        else { return nil }
        return (number, project, kind)
    }
}
