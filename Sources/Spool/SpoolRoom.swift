internal import Glibc
package import System

/// The space that the spool's file system has left for users other than root.
package struct SpoolRoom: Equatable, Sendable {
    /// The minimum space for a usable spool, in bytes.
    package static let least: UInt64 = 64 << 10

    package let bytes: UInt64
    /// Inodes; nil where a file system has no fixed number of them.
    package let files: UInt64?

    package init(bytes: UInt64, files: UInt64?) {
        self.bytes = bytes
        self.files = files
    }

    /// Nil when the file system does not say. The corresponding C function is `statvfs`.
    package init?(of path: String) {
        var system = statvfs()
        guard statvfs(path, &system) == 0, system.f_blocks > 0 else { return nil }
        let (bytes, overflow) = UInt64(system.f_bavail).multipliedReportingOverflow(by: UInt64(system.f_frsize))
        self.init(bytes: overflow ? .max : bytes, files: system.f_files > 0 ? UInt64(system.f_favail) : nil)
    }

    /// Whether no event fits, or no file can be made.
    package var isExhausted: Bool { bytes < Self.least || files == 0 }

    /// Whether a spool of this many bytes could not grow to its limit.
    package func isTooSmall(used: UInt64, limit: UInt64) -> Bool {
        files == 0 || limit > used && bytes < limit - used
    }
}

extension SpoolDirectory {
    /// Whether its disk accepts writes again: writes a small file, syncs it and removes it. The corresponding C
    /// functions are `open`, `write`, `fdatasync` and `unlink`.
    package static func probe(_ directory: String) throws(SystemError) {
        let path = directory + "/probe.new"
        let number = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("open", path) }
        let file = Descriptor(adopting: number)
        defer { unlink(path) }
        let bytes = [UInt8](repeating: 0, count: Int(SpoolRoom.least))
        let count = Glibc.write(file.number, bytes, bytes.count)
        guard count == bytes.count else { throw SystemError("write", path, code: count < 0 ? nil : ENOSPC) }
        guard fdatasync(file.number) == 0 else { throw SystemError("fdatasync", path) }
    }
}
