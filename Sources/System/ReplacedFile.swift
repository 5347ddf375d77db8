internal import Glibc

/// A file that takes the place of another as a whole: whoever reads it, or has it open, has the former one or the new one,
/// and never a part. It is written beside it, as `PATH.new`.
///
/// The corresponding C functions are `open`, `write`, `fsync` and `rename`.
package struct ReplacedFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let file: Descriptor

    /// Begins the new file, instead of what an earlier attempt has left. It follows no link: root may write into a folder of
    /// the service's user, who could have put one there.
    ///
    /// - Parameter mode: who may read and write it, less what the process's umask takes away.
    package init(_ path: String, mode: UInt32 = 0o600) throws(SystemError) {
        self.path = path
        temporary = path + ".new"
        unlink(temporary)
        let number = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else { throw SystemError("open", temporary) }
        file = Descriptor(adopting: number)
    }

    /// Writes all of a small file.
    ///
    /// - Parameter mode: who may read and write it, whatever the process's umask is.
    package static func write(_ text: String, to path: String, mode: UInt32) throws(SystemError) {
        let file = try ReplacedFile(path, mode: mode)
        fchmod(file.number, mode)
        try file.append(Array(text.utf8))
        try file.complete()
    }

    /// The new file's descriptor, open for reading and writing.
    package var number: CInt { file.number }

    package func append(_ bytes: [UInt8]) throws(SystemError) {
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(file.number, $0.baseAddress.map { $0 + length }, $0.count - length)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", temporary, code: count < 0 ? nil : ENOSPC) }
            length += count
        }
    }

    /// Waits until what was appended has reached the disk.
    package func synchronize() throws(SystemError) {
        guard fsync(file.number) == 0 else { throw SystemError("fsync", temporary) }
    }

    /// Gives it its name. Only after `synchronize` is its content there after a power failure, and only once its folder
    /// was synchronized its name.
    package func complete() throws(SystemError) {
        guard rename(temporary, path) == 0 else { throw SystemError("rename", path) }
    }

    /// Waits until the names in a file's folder have reached the disk.
    package static func synchronizeFolder(of path: String) throws(SystemError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open", folder) }
        let descriptor = Descriptor(adopting: number)
        guard fsync(descriptor.number) == 0 else { throw SystemError("fsync", folder) }
    }

    /// Removes it; the former one stays.
    package func discard() {
        unlink(temporary)
    }
}
