internal import Glibc

/// A small file that is replaced atomically, so that no reader sees half of it. The corresponding C function is
/// `rename`.
enum ReplacedFile {
    /// - Parameter mode: who may read it.
    /// - Returns: whether it could be written; the reason is in `errno`.
    static func write(_ text: String, to path: String, mode: mode_t) -> Bool {
        let temporary = path + ".new"
        // Its own file: root may write into a folder of the service's user, who could have put a link there.
        unlink(temporary)
        let number = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else { return false }
        fchmod(number, mode)
        var text = text
        let size = text.utf8.count
        let count = text.withUTF8 { Glibc.write(number, $0.baseAddress, $0.count) }
        close(number)
        return count == size && rename(temporary, path) == 0
    }
}
