package import EventLoop

/// Events of the spool that follow each other, to be delivered together.
package struct SpooledPiece: Sendable {
    package let segment: UInt64
    package let content: SegmentFile.Piece

    /// Some of its bytes, to be set aside since they are no record.
    package func damage(_ range: Range<Int>, wall: Int64) -> QuarantineItem {
        QuarantineItem(
            damaged: Array(content.bytes[range]), segment: segment, offset: content.start + range.lowerBound, wall: wall
        )
    }
}

/// Something that the operator should know of.
package enum SpoolFinding: CustomStringConvertible {
    /// The end of a segment was cut off in the middle of a writing that was never acknowledged.
    case torn(UInt64, bytes: Int)
    /// A segment cannot be read, and stays as it is.
    case left(SegmentFile.Fault)
    /// Somebody has deleted a segment with what was in it.
    case deleted(String)
    /// Somebody, or the disk, has taken the end of a segment with what was in it.
    case cut(String, bytes: Int)
    /// A segment is delivered and could not be removed; after a restart it is delivered again.
    case notRemoved(SystemError)

    package var description: String {
        switch self {
        case .torn(let segment, let bytes): "segment \(segment): an unfinished end of \(bytes) bytes was cut off"
        case .left(let fault): "left alone: \(fault)"
        case .deleted(let path): "\(path): somebody has deleted it with what was in it"
        case .cut(let path, let bytes): "\(path): somebody has cut off \(bytes) bytes with what was in them"
        case .notRemoved(let error): "delivered and not removed: \(error)"
        }
    }
}
