internal import EventLoop
internal import Glibc

/// A directory and the names in it.
enum DirectoryListing {
    /// A descriptor by which the directory is made durable. The corresponding C function is `open`.
    static func open(_ path: String) throws(SystemError) -> Descriptor {
        let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open", path) }
        return Descriptor(adopting: number)
    }

    /// All but `.` and `..`, in no order. The corresponding C functions are `opendir` and `readdir`.
    static func names(of path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw SystemError("readdir", path) }
        return names
    }
}
