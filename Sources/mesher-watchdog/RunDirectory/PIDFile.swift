internal import Glibc
internal import System

/// The file that says which process watches over a run directory, and is locked as long as it does. The corresponding C
/// function is `flock`.
struct PIDFile: ~Copyable {
    private let path: String
    private let descriptor: Descriptor

    enum Fault: Error, CustomStringConvertible {
        /// Another process holds the lock; its number as the file has it.
        case taken(String, by: String)
        case system(SystemError)

        var description: String {
            switch self {
            case .taken(let path, let owner): "\(path): another watchdog is running, process \(owner)"
            case .system(let error): error.description
            }
        }
    }

    /// Locks the file and writes this process's number into it.
    static func open(at path: String) throws(Fault) -> PIDFile {
        let descriptor = try lock(path)
        let text = "\(getpid())\n"
        guard ftruncate(descriptor.number, 0) == 0, pwrite(descriptor.number, text, text.utf8.count, 0) > 0 else {
            throw .system(SystemError("write", path))
        }
        return PIDFile(path: path, descriptor: descriptor)
    }

    /// Removes the file while the lock still holds.
    consuming func remove() {
        unlink(path)
    }

    private static func lock(_ path: String) throws(Fault) -> Descriptor {
        while true {
            let number = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard number >= 0 else { throw .system(SystemError("open", path)) }
            let descriptor = Descriptor(adopting: number)
            guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { throw .taken(path, by: content(number)) }
                throw .system(SystemError("flock", path))
            }
            // A watchdog that was just ending may have removed the file between `open` and `flock`.
            var locked = stat()
            var named = stat()
            if fstat(number, &locked) == 0, stat(path, &named) == 0, locked.st_ino == named.st_ino {
                return descriptor
            }
        }
    }

    private static func content(_ number: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(number, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 0x0a }, as: UTF8.self)
    }
}
