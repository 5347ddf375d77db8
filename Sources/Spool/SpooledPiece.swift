package import System

/// Consecutive events of the spool, to be delivered together.
package struct SpooledPiece: Sendable {
    package let segment: UInt64
    package let content: SegmentFile.Piece

    /// Damaged bytes, to be set aside.
    package func damage(_ range: Range<Int>, wall: Int64) -> QuarantineItem {
        QuarantineItem(
            damaged: Array(content.bytes[range]), segment: segment, offset: content.start + range.lowerBound, wall: wall
        )
    }
}

/// A finding for the operator.
package enum SpoolFinding: CustomStringConvertible {
    /// A segment ends with an incomplete write, which was never acknowledged.
    case torn(UInt64, bytes: Int)
    /// A segment cannot be read, and stays as it is.
    case left(SegmentFile.Fault)
    /// Somebody has deleted a segment, with the events in it.
    case deleted(String)
    /// Somebody, or the disk, has truncated a segment, with the events in it.
    case cut(String, bytes: Int)
    /// A delivered segment could not be removed; after a restart it is delivered again.
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
