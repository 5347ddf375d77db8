import Glibc
import System

/// A small file that is replaced as a whole: after a crash or a power failure it is the former or the new one, and never
/// a part. Only its owner may read it.
struct DurableFile {
    /// No file of ours is longer; one that is was put there by somebody else.
    private static let sizeLimit = 1 << 30

    let path: String

    /// The whole content; nil when there is no file. The corresponding C functions are `open`, `fstat` and `read`.
    func read() throws(SystemError) -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard number >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("open", path)
        }
        let file = Descriptor(adopting: number)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw SystemError("fstat", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("read", path, code: EINVAL) }
        guard status.st_size <= Self.sizeLimit else { throw SystemError("read", path, code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(file.number, $0.baseAddress.map { $0 + length }, $0.count - length)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", path) }
            if count == 0 { break }
            length += count
        }
        return Array(bytes.prefix(length))
    }

    /// Writes it anew, as a whole.
    func replace(with bytes: [UInt8]) throws(SystemError) {
        let replacement = try begin()
        try replacement.append(bytes)
        try replacement.complete()
    }

    /// Begins a file beside it that will take its place.
    func begin() throws(SystemError) -> Replacement { try Replacement(path) }

    /// The file beside it. The corresponding C functions are `open`, `write`, `fsync` and `rename`.
    struct Replacement: ~Copyable {
        private let path: String
        private let temporary: String
        private let file: Descriptor

        fileprivate init(_ path: String) throws(SystemError) {
            self.path = path
            temporary = path + ".new"
            unlink(temporary)
            let number = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard number >= 0 else { throw SystemError("open", temporary) }
            file = Descriptor(adopting: number)
        }

        func append(_ bytes: [UInt8]) throws(SystemError) {
            var length = 0
            while length < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.write(file.number, $0.baseAddress.map { $0 + length }, $0.count - length)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw SystemError("write", temporary) }
                length += count
            }
        }

        /// Waits until what was appended has reached the disk.
        func synchronize() throws(SystemError) {
            guard fsync(file.number) == 0 else { throw SystemError("fsync", temporary) }
        }

        /// Gives it its name once its content has reached the disk.
        func complete() throws(SystemError) {
            try synchronize()
            guard rename(temporary, path) == 0 else { throw SystemError("rename", path) }
            // The new name is on disk only when its folder is.
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard number >= 0 else { throw SystemError("open", folder) }
            let descriptor = Descriptor(adopting: number)
            guard fsync(descriptor.number) == 0 else { throw SystemError("fsync", folder) }
        }
    }
}
