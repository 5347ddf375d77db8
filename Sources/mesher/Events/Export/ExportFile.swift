internal import Deflate
internal import Glibc
internal import System

/// Where lines go: a file or standard output, plain or as gzip. A gzip file gets a member of its own for each page, so that it can
/// be continued after the last whole one.
struct ExportFile: ~Copyable {
    /// Lines are collected up to this many bytes.
    private static let room = 1 << 20

    private let path: String
    private let descriptor: CInt
    private let isGzip: Bool
    /// A terminal would obey the control characters that a stranger sent.
    private let isTerminal: Bool
    private var lines: [UInt8] = []
    /// The last whole line that was in the file, and is followed by what is written.
    let lastLine: [UInt8]?

    private init(_ descriptor: CInt, _ path: String, isGzip: Bool, isTerminal: Bool = false, lastLine: [UInt8]? = nil) {
        self.descriptor = descriptor
        self.path = path
        self.isGzip = isGzip
        self.isTerminal = isTerminal
        self.lastLine = lastLine
    }

    /// A new file, or standard output.
    ///
    /// - Throws: `CommandError` when the file is there already, `SystemError`.
    static func create(_ path: String?, isGzip: Bool) throws -> ExportFile {
        guard let path else {
            let isTerminal = !isGzip && isatty(STDOUT_FILENO) == 1
            return ExportFile(STDOUT_FILENO, "standard output", isGzip: isGzip, isTerminal: isTerminal)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { return ExportFile(descriptor, path, isGzip: isGzip) }
        guard errno == EEXIST else { throw SystemError("open", path) }
        throw CommandError(.dataError, "\(path) is there: go on with it by --resume, or remove it")
    }

    /// A file that was begun, or a new one: what follows its last whole line, or its last whole member, is cut off.
    ///
    /// - Throws: `CommandError` when it is not what this command writes, `SystemError`.
    static func resume(_ path: String, isGzip: Bool) throws -> ExportFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", path) }
        do {
            let (end, line) = try isGzip ? ExportTail.ofGzip(descriptor, path) : ExportTail.ofText(descriptor, path)
            guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, off_t(end), SEEK_SET) >= 0 else {
                throw SystemError("ftruncate", path)
            }
            return ExportFile(descriptor, path, isGzip: isGzip, lastLine: line)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        if descriptor != STDOUT_FILENO { close(descriptor) }
    }

    /// Takes a line, and writes when there are many.
    mutating func append(_ line: [UInt8]) throws(SystemError) {
        lines += isTerminal ? Array(JSON.verbatim(String(decoding: line, as: UTF8.self)).description.utf8) : line
        lines.append(0x0A)
        if lines.count >= Self.room { try flush() }
    }

    /// Writes what was taken.
    mutating func flush() throws(SystemError) {
        guard !lines.isEmpty else { return }
        if isGzip {
            var member: [UInt8] = []
            guard lines.withUnsafeBytes({ GzipMember.write($0) { member += $0 } }) else {
                throw SystemError("compress", path, code: ENOMEM)
            }
            try write(member)
        } else {
            try write(lines)
        }
        lines.removeAll(keepingCapacity: true)
    }

    /// Writes all, and returns when it is on disk. The corresponding C function is `fsync`.
    mutating func finish() throws(SystemError) {
        try flush()
        // A pipe cannot be synchronised.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw SystemError("fsync", path) }
    }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { throw SystemError("write", path) }
        }
    }
}

/// Where what is whole of an export ends, and its last line.
enum ExportTail {
    /// More than a line can have.
    private static let window = 8 << 20

    static func ofText(_ descriptor: CInt, _ path: String) throws -> (end: Int, line: [UInt8]?) {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size >= 0 else { throw SystemError("lseek", path) }
        let start = max(size - window, 0)
        let bytes = try read(descriptor, path, at: start, count: size - start)
        guard let end = bytes.lastIndex(of: 0x0A) else {
            guard start == 0 else { throw CommandError(.dataError, "\(path): its end is no line of an export") }
            return (0, nil)
        }
        let first = bytes[..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return (start + end + 1, Array(bytes[first..<end]))
    }

    /// Reads all of it.
    static func ofGzip(_ descriptor: CInt, _ path: String) throws -> (end: Int, line: [UInt8]?) {
        var inflater = Inflater()
        guard inflater.begin(.gzip) else { throw SystemError("inflate", path, code: ENOMEM) }
        var room = [UInt8](repeating: 0, count: 256 << 10)
        var (offset, end) = (0, 0)
        var (tail, line): ([UInt8], [UInt8]?) = ([], nil)
        while true {
            let piece = try read(descriptor, path, at: offset, count: 256 << 10)
            guard !piece.isEmpty else { return (end, line) }
            let isWhole = piece.withUnsafeBytes { bytes in
                var rest = bytes
                while true {
                    let progress = room.withUnsafeMutableBytes { inflater.inflate(&rest, into: $0) }
                    switch progress {
                    case .invalid: return false
                    case .more(let count):
                        tail += room[..<count]
                        keepLine(&tail)
                        if count < room.count, rest.isEmpty { return true }
                    case .end(let count):
                        tail += room[..<count]
                        keepLine(&tail)
                        (end, line) = (offset + bytes.count - rest.count, tail.last == 0x0A ? tail.dropLast() : line)
                        guard inflater.beginNext() else { return false }
                        if rest.isEmpty { return true }
                    }
                }
            }
            // What follows the last whole member is the begin of one, or rests of a disk that was full.
            guard isWhole else { return (end, line) }
            offset += piece.count
        }
    }

    /// Drops all but the last line.
    private static func keepLine(_ bytes: inout [UInt8]) {
        guard let last = bytes.dropLast().lastIndex(of: 0x0A) else { return }
        bytes.removeFirst(last + 1)
    }

    private static func read(_ descriptor: CInt, _ path: String, at start: Int, count: Int) throws(SystemError)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(count, 1), 256 << 10))
        while bytes.count < count {
            let got = pread(descriptor, &chunk, min(chunk.count, count - bytes.count), off_t(start + bytes.count))
            if got == 0 { break }
            if got > 0 { bytes += chunk[..<got] } else if errno != EINTR { throw SystemError("read", path) }
        }
        return bytes
    }
}
