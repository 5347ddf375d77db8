internal import CChecksum

/// The bytes of a segment file. Numbers are in network byte order, checksums are CRC32C.
///
/// The file begins with a header of 32 bytes, in every version: `magic` (8), version (4), marker (8), time of creation in
/// microseconds since 1970 (8), checksum of the 28 bytes before (4). Then come records: marker (8), length of the content
/// (4), checksum of the content (4), checksum of the 16 bytes before (4), the content, which is an `EventRecord`.
///
/// The marker is random and stands before each record, so that behind a damage the next record is found again; nobody who
/// sends events can know it, and so nobody can put bytes into an event that would be taken for a record.
package enum SegmentFormat {
    /// The version that this program writes, and the only one that it reads.
    package static let version: UInt32 = 1

    static let magic: UInt64 = 0x4d45_5348_5350_4f4f  // MESHSPOO
    static let headerSize = 32
    static let recordHeaderSize = 20

    /// The most bytes of one record's content; storage takes no larger one.
    package static let maximumLength = 4 << 20

    /// What the beginning of a file says.
    enum Header: Equatable {
        case valid(marker: UInt64)
        /// Sound, and written by another version.
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
        return version == Self.version ? .valid(marker: number(bytes, 12)) : .otherVersion(version)
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

    /// What the 20 bytes before a record's content say of it; nil when they are none of a record of this file.
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
