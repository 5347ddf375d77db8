import Glibc
import System

/// A small file that is replaced as a whole. After a crash or a power failure it is the old one or the new one, never a part.
/// Only its owner may read it.
struct DurableFile {
    /// None of our files is longer. A longer one is somebody else's.
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
        try complete(replacement)
    }

    /// Begins a file beside it that will take its place.
    func begin() throws(SystemError) -> ReplacedFile { try ReplacedFile(path) }

    /// Puts that file in its place, and returns when both its content and its name have reached the disk.
    func complete(_ replacement: borrowing ReplacedFile) throws(SystemError) {
        try replacement.synchronize()
        try replacement.complete()
        try ReplacedFile.synchronizeFolder(of: path)
    }
}
