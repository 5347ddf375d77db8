internal import Glibc
package import System

/// A segment file for reading, by replay and by the operator's commands, even while another process appends to it.
package struct SegmentFile: Sendable {
    /// Some consecutive records, as far as they are intact, and what lies between them.
    package struct Piece: Sendable {
        /// Where it begins in the file, and where the next one does.
        package internal(set) var range: Range<Int>
        /// Where `bytes` begin in the file.
        var start = 0
        /// The bytes that `records` and `damages` name places in.
        package internal(set) var bytes: [UInt8] = []
        package internal(set) var records: [Range<Int>] = []
        /// Damaged parts, to be set aside.
        package internal(set) var damages: [Range<Int>] = []
        /// The bytes of an incomplete write at the end of the file.
        package internal(set) var tornBytes = 0
        /// Nothing follows.
        package internal(set) var isLast = false
    }

    package enum Fault: Error, CustomStringConvertible {
        case system(SystemError)
        /// Written by another version of this program, which can read it.
        case version(UInt32, path: String)

        package var description: String {
            switch self {
            case .system(let error): error.description
            case .version(let version, let path):
                "\(path): format \(version), this program knows \(SegmentFormat.version); the release that wrote it delivers it, or a later one"
            }
        }
    }

    /// Bytes per read: for few events, otherwise, and for the largest record.
    private static let smallWindow = 128 << 10
    private static let windowSize = 1 << 20
    private static let largestWindow = SegmentFormat.maximumLength + 2 * SegmentFormat.recordHeaderSize

    package let number: UInt64
    package let path: String

    package init(_ number: UInt64, in directory: String) {
        self.number = number
        path = "\(directory)/\(Self.name(number))"
    }

    static let suffix = ".segment"

    /// Sixteen digits, so that names sort as numbers.
    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(16 - digits.count, 0)) + digits + suffix
    }

    /// Nil for a name that is not a segment's.
    static func number(of name: String) -> UInt64? {
        guard name.hasSuffix(suffix), let number = UInt64(name.dropLast(suffix.count)) else { return nil }
        return Self.name(number) == name ? number : nil
    }

    /// Why none of it can be read; nil when it can.
    package var fault: Fault? {
        do throws(Fault) {
            _ = try piece(at: 0, events: 1)
            return nil
        } catch {
            return error
        }
    }

    /// Reads what follows an offset.
    ///
    /// - Parameters:
    ///   - offset: 0, or the end of another piece.
    ///   - end: where the file counts as ended; nil for its own end.
    ///   - events: the most records of the piece.
    package func piece(at offset: Int, end: Int? = nil, events: Int = .max) throws(Fault) -> Piece {
        let file = try open()
        let size = try size(of: file)
        let end = min(end ?? size, size)
        let marker = try marker(of: file, end: end)
        let start = max(offset, SegmentFormat.headerSize)
        var piece = Piece(range: offset..<offset)
        guard start < end else {
            // Shorter than a header: its first write was cut off.
            if end < SegmentFormat.headerSize { piece.tornBytes = max(end - offset, 0) }
            piece.range = offset..<max(end, offset)
            piece.isLast = true
            return piece
        }
        piece.start = start
        for size in [events == .max ? Self.windowSize : Self.smallWindow, Self.windowSize, Self.largestWindow] {
            piece.bytes = try read(file, at: start, count: min(size, end - start))
            take(marker, from: start, isEnd: start + piece.bytes.count == end, events: events, &piece)
            if piece.range.upperBound > offset { break }
        }
        piece.isLast = piece.range.upperBound >= end
        return piece
    }

    private func take(_ marker: UInt64?, from start: Int, isEnd: Bool, events: Int, _ piece: inout Piece) {
        guard let marker else {
            // Neither its header nor its first record tells how to find the others: it is unreadable.
            piece.damages = [0..<piece.bytes.count]
            piece.range = piece.range.lowerBound..<start + piece.bytes.count
            return
        }
        let scan = SegmentScan(marker: marker)
        var place = 0
        piece.bytes.withUnsafeBytes { window in
            while piece.records.count < events, let part = scan.part(at: place, of: window, isEnd: isEnd) {
                switch part {
                case .record(let range): piece.records.append(range)
                case .damaged(let range): piece.damages.append(range)
                case .torn(let range): piece.tornBytes = range.count
                }
                place = part.end
            }
        }
        if place > 0 { piece.range = piece.range.lowerBound..<start + place }
    }

    // MARK: The file

    private func open() throws(Fault) -> Descriptor {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw .system(SystemError("open", path)) }
        return Descriptor(adopting: number)
    }

    private func size(of file: borrowing Descriptor) throws(Fault) -> Int {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system(SystemError("fstat", path)) }
        return Int(status.st_size)
    }

    /// The marker of the header or, when that is damaged, of the first record.
    private func marker(of file: borrowing Descriptor, end: Int) throws(Fault) -> UInt64? {
        let size = SegmentFormat.headerSize + SegmentFormat.recordHeaderSize
        let bytes = try read(file, at: 0, count: min(size, max(end, 0)))
        switch bytes.withUnsafeBytes({ SegmentFormat.readHeader($0) }) {
        case .valid(let marker): return marker
        case .otherVersion(let version): throw .version(version, path: path)
        case .damaged:
            return bytes.withUnsafeBytes {
                SegmentFormat.readRecordHeader($0, at: SegmentFormat.headerSize, marker: nil)?.marker
            }
        }
    }

    /// As many bytes as there are, at most `count`. The corresponding C function is `pread`.
    private func read(_ file: borrowing Descriptor, at offset: Int, count: Int) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = bytes.withUnsafeMutableBytes {
                let rest = UnsafeMutableRawBufferPointer(rebasing: $0[filled...])
                return pread(file.number, rest.baseAddress, rest.count, off_t(offset + filled))
            }
            if read < 0 {
                if errno == EINTR { continue }
                throw .system(SystemError("read", path))
            }
            if read == 0 { break }
            filled += read
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}
