internal import CChecksum

/// The bytes of a segment file. Numbers are in network byte order, checksums are CRC32C.
///
/// The file begins with a header of 32 bytes, in every version: `magic` (8), version (4), marker (8), time of creation in
/// microseconds since 1970 (8), checksum of the 28 bytes before (4). Then come records: marker (8), length of the content
/// (4), checksum of the content (4), checksum of the 16 bytes before (4), the content, which is an `EventRecord`.
///
/// The marker is random and precedes each record, so that the next record can be found after damaged bytes. Senders
/// cannot know it, so they cannot forge a record inside an event.
package enum SegmentFormat {
    /// The version that this program writes, and the oldest that it reads. An event's columns have none of their own here: a
    /// record says how many it has.
    package static let version: UInt32 = 1
    private static let oldestVersion: UInt32 = 1

    static let magic: UInt64 = 0x4d45_5348_5350_4f4f  // MESHSPOO
    static let headerSize = 32
    static let recordHeaderSize = 20

    /// Maximum size of one record's content; storage accepts no larger one.
    package static let maximumLength = 4 << 20

    /// The beginning of a file.
    enum Header: Equatable {
        case valid(marker: UInt64)
        /// Intact, and written by another version.
        case otherVersion(UInt32)
        /// Cut short or changed.
        case damaged
    }

    static func header(marker: UInt64, wall: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        append(magic, to: &bytes)
        append(version, to: &bytes)
        append(marker, to: &bytes)
        append(wall, to: &bytes)
        append(bytes.withUnsafeBytes { checksum($0) }, to: &bytes)
        return bytes
    }

    static func readHeader(_ bytes: UnsafeRawBufferPointer) -> Header {
        guard bytes.count >= headerSize, number(bytes, 0, as: UInt64.self) == magic,
            number(bytes, 28, as: UInt32.self) == checksum(UnsafeRawBufferPointer(rebasing: bytes[..<28]))
        else { return .damaged }
        let version = number(bytes, 8, as: UInt32.self)
        let isKnown = (oldestVersion...Self.version).contains(version)
        return isKnown ? .valid(marker: number(bytes, 12)) : .otherVersion(version)
    }

    /// Appends one record.
    static func append(record content: UnsafeRawBufferPointer, marker: UInt64, to bytes: inout [UInt8]) {
        let start = bytes.count
        append(marker, to: &bytes)
        append(UInt32(clamping: content.count), to: &bytes)
        append(checksum(content), to: &bytes)
        append(bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }, to: &bytes)
        bytes.append(contentsOf: content)
    }

    /// Parses the 20 bytes before a record's content; nil when they do not belong to a record of this file.
    ///
    /// - Parameter marker: nil takes any, for a file whose header is damaged.
    static func readRecordHeader(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, marker: UInt64?
    ) -> (marker: UInt64, length: Int, checksum: UInt32)? {
        guard offset >= 0, bytes.count - offset >= recordHeaderSize else { return nil }
        let found = number(bytes, offset, as: UInt64.self)
        guard marker == nil || found == marker else { return nil }
        let length = Int(number(bytes, offset + 8, as: UInt32.self))
        guard length <= maximumLength,
            number(bytes, offset + 16, as: UInt32.self)
                == checksum(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 16]))
        else { return nil }
        return (found, length, number(bytes, offset + 12))
    }

    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        mesher_crc32c(0, bytes.baseAddress, bytes.count)
    }

    static func number<Value: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, as: Value.Type = Value.self
    ) -> Value {
        Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    private static func append<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
