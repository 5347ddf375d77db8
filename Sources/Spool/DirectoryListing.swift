internal import Glibc
internal import System

/// A directory and the names in it.
enum DirectoryListing {
    /// A descriptor to sync the directory. The corresponding C function is `open`.
    static func open(_ path: String) throws(SystemError) -> Descriptor {
        let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open", path) }
        return Descriptor(adopting: number)
    }

    /// Creates a directory, mode 0700, if it is missing, and returns when its name is on disk; otherwise a power
    /// failure could lose all of it. The corresponding C functions are `mkdir` and `fsync`.
    static func make(_ path: String) throws(SystemError) {
        let isNew = mkdir(path, 0o700) == 0
        guard isNew || errno == EEXIST else { throw SystemError("mkdir", path) }
        do throws(SystemError) {
            // Even if it exists: its creator may have died before this.
            let parent = try open(parent(of: path))
            guard fsync(parent.number) == 0 else { throw SystemError("fsync", path) }
        } catch {
            // The operator's directory may be in one that this user cannot open.
            if isNew || error.code != EACCES { throw error }
        }
    }

    private static func parent(of path: String) -> String {
        var name = path[...]
        while name.count > 1, name.last == "/" { name = name.dropLast() }
        guard let slash = name.lastIndex(of: "/") else { return "." }
        return slash == name.startIndex ? "/" : String(name[..<slash])
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
