internal import Glibc
internal import Journal
internal import System

/// The standard error of a child and of what it has forked: the reading end of a pipe, from which whole lines are
/// forwarded. So the last line is known when a child dies.
///
/// Neither side waits for the other. When the pipe is full the child's write fails, and the child counts what it drops.
/// While standard error is full, up to `limit` bytes are kept here, and as many again in the pipe.
final class ErrorOutput {
    enum Progress {
        /// All output so far is forwarded; more may come.
        case waiting
        /// Standard error is full at the moment.
        case blocked
        /// No writer is left, and all output is forwarded.
        case ended
    }

    /// Maximum number of bytes that wait here, and that one call of `forward` reads.
    static let limit = 65_536
    /// The most bytes of a line that are kept as the last words.
    private static let wordsLimit = 400

    /// Identifies it in the loop; unlike a process ID it is never reused.
    let serial: UInt32
    private let reading: Descriptor
    private let lines: RecentLines
    private var pending: [UInt8] = []
    /// How many of the pending bytes were looked at.
    private var notedBytes = 0
    private var hasEnded = false
    /// Whether the loop does not watch it, because standard error is full.
    var isLeftOut = false
    /// The last line that was not empty, without its priority or time; a fatal error is the last, whatever follows it.
    private(set) var lastLine = ""
    private var isFatal = false

    init(serial: UInt32, reading: consuming Descriptor, lines: RecentLines = RecentLines()) {
        self.serial = serial
        self.lines = lines
        self.reading = reading
    }

    /// Readable when there is output, or when no writer is left.
    var number: CInt { reading.number }

    /// The pipe as `JOURNAL_STREAM` names a stream, sd-daemon(3): what the child writes gets there all the same.
    var streamIdentity: String? {
        var status = stat()
        guard fstat(reading.number, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino)"
    }

    /// Forwards whole lines; a line is truncated at `PIPE_BUF` bytes.
    ///
    /// - Parameter target: where to; never waited for.
    func forward(to target: CInt = STDERR_FILENO) -> Progress {
        receive()
        while let count = completeBytes() {
            guard write(count, to: target) else { return .blocked }
        }
        return hasEnded ? .ended : .waiting
    }

    private func receive() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !hasEnded, pending.count < Self.limit {
            let count = read(reading.number, &chunk, chunk.count)
            guard count != 0 else {
                hasEnded = true
                if let last = pending.last, last != UInt8(ascii: "\n") { pending.append(UInt8(ascii: "\n")) }
                break
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                break
            }
            pending += chunk[..<count]
        }
        noteLines()
    }

    /// How many of the pending bytes to write at once: as many lines as surely fit, pipe(7); nil when there is no whole one.
    private func completeBytes() -> Int? {
        let most = Int(PIPE_BUF)
        if let newline = pending.prefix(most).lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return pending.count > most ? most : nil
    }

    private func write(_ count: Int, to target: CInt) -> Bool {
        var room = pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
        guard poll(&room, 1, 0) == 1 else { return false }
        // A closed reader will never read: the output is lost, as it would be for the child itself.
        let written = pending.withUnsafeBytes { Glibc.write(target, $0.baseAddress, count) }
        if written < 0, errno == EAGAIN || errno == EINTR { return false }
        let gone = written > 0 ? written : count
        pending.removeFirst(gone)
        notedBytes = max(notedBytes - gone, 0)
        return true
    }

    private func noteLines() {
        guard let end = pending.lastIndex(of: UInt8(ascii: "\n")), end >= notedBytes else { return }
        let wall = Clock.wall()
        for var line in pending[notedBytes..<end].split(separator: UInt8(ascii: "\n")) {
            // "<3>", the priority.
            if line.count > 3, line[line.startIndex] == UInt8(ascii: "<"),
                line[line.startIndex + 2] == UInt8(ascii: ">")
            {
                line = line.dropFirst(3)
            } else if LogTime.begins(line) {
                line = line.dropFirst(LogTime.length)
            }
            lines.note(line, wall: wall)
            if isFatal { continue }
            lastLine = String(decoding: line.prefix(Self.wordsLimit), as: UTF8.self)
            // Swift's runtime may append the location.
            isFatal = lastLine.contains("Fatal error: ")
        }
        notedBytes = end + 1
    }
}
