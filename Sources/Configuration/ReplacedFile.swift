internal import Glibc

/// A small file that is replaced atomically, so that no reader sees half of it. The corresponding C function is
/// `rename`.
enum ReplacedFile {
    /// - Parameter mode: who may read it.
    /// - Returns: whether it could be written; the reason is in `errno`.
    static func write(_ text: String, to path: String, mode: mode_t) -> Bool {
        let temporary = path + ".new"
        let number = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard number >= 0 else { return false }
        var text = text
        let size = text.utf8.count
        let count = text.withUTF8 { Glibc.write(number, $0.baseAddress, $0.count) }
        close(number)
        return count == size && rename(temporary, path) == 0
    }
}
