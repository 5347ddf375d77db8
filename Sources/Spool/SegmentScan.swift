/// Finds the records in the bytes of a segment, and the damage between them. A pure value over a window of the file.
struct SegmentScan {
    enum Part: Equatable {
        /// A whole record; the place of its content.
        case record(Range<Int>)
        /// Damaged bytes, of one record or several.
        case damaged(Range<Int>)
        /// An incomplete write at the end of the file, which was never acknowledged.
        case torn(Range<Int>)

        /// Where the next part begins.
        var end: Int {
            switch self {
            case .record(let range), .damaged(let range), .torn(let range): range.upperBound
            }
        }
    }

    let marker: UInt64

    /// The part that begins at an offset.
    ///
    /// - Parameter isEnd: the file ends with the window.
    /// - Returns: nil when nothing is left, or more of the file is needed to tell.
    func part(at offset: Int, of window: UnsafeRawBufferPointer, isEnd: Bool) -> Part? {
        guard offset < window.count else { return nil }
        if let header = SegmentFormat.readRecordHeader(window, at: offset, marker: marker) {
            let start = offset + SegmentFormat.recordHeaderSize
            guard window.count - start >= header.length else { return isEnd ? .torn(offset..<window.count) : nil }
            let content = UnsafeRawBufferPointer(rebasing: window[start..<start + header.length])
            let isSound = SegmentFormat.checksum(content) == header.checksum
            return isSound ? .record(start..<start + header.length) : .damaged(offset..<start + header.length)
        }
        if window.count - offset < SegmentFormat.recordHeaderSize, !isEnd { return nil }
        if let next = nextRecord(behind: offset, in: window) { return .damaged(offset..<next) }
        guard isEnd else {
            // A header may begin in the last bytes.
            let known = window.count - SegmentFormat.recordHeaderSize + 1
            return known > offset ? .damaged(offset..<known) : nil
        }
        return isTorn(window, from: offset) ? .torn(offset..<window.count) : .damaged(offset..<window.count)
    }

    private func nextRecord(behind offset: Int, in window: UnsafeRawBufferPointer) -> Int? {
        var place = offset + 1
        while place + SegmentFormat.recordHeaderSize <= window.count {
            if SegmentFormat.readRecordHeader(window, at: place, marker: marker) != nil { return place }
            place += 1
        }
        return nil
    }

    /// Whether the rest is the beginning of a header, or zeros: a file's length can reach the disk before its content.
    private func isTorn(_ window: UnsafeRawBufferPointer, from offset: Int) -> Bool {
        let rest = UnsafeRawBufferPointer(rebasing: window[offset...])
        if rest.allSatisfy({ $0 == 0 }) { return true }
        guard rest.count < SegmentFormat.recordHeaderSize else { return false }
        return withUnsafeBytes(of: marker.bigEndian) { marker in
            zip(rest, marker).allSatisfy { $0 == $1 }
        }
    }
}
