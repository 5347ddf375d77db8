/// Bodies that take their decoders far more processor time than honest ones of their size.
package enum SlowBodies {
    /// A brotli stream (RFC 7932) of blocks that say they have 256 literal block types, and so a context map of 16,384
    /// entries, which takes no bits. Each gives one byte. Some 1,500 ns a byte.
    package static func brotli(_ size: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.put(0, 1)
        while bits.bytes.count < size { block(&bits) }
        // An empty block, the last.
        bits.put(0b11, 2)
        return bits.finished()
    }

    private static func block(_ bits: inout BitWriter) {
        // Not the last; of one byte; compressed.
        bits.put(0, 1)
        bits.put(0, 18)
        bits.put(0, 1)
        // 256 types of literals, one of commands, one of distances.
        bits.put(1 | 7 << 1 | 127 << 4, 11)
        simpleCode(&bits, of: 0, bits: 9)
        simpleCode(&bits, of: 0, bits: 5)
        bits.put(0, 2)
        bits.put(0, 2)
        bits.put(0, 6)
        for _ in 0..<256 { bits.put(0, 2) }
        // Two trees of literals; the map is all of the second, with an inverse move-to-front.
        bits.put(1, 4)
        bits.put(0, 1)
        simpleCode(&bits, of: 1, bits: 1)
        bits.put(1, 1)
        bits.put(0, 1)
        for _ in 0..<2 { simpleCode(&bits, of: 0x61, bits: 8) }
        // Insert one, copy two.
        simpleCode(&bits, of: 8, bits: 10)
        simpleCode(&bits, of: 0, bits: 6)
    }

    /// A prefix code of one symbol, which then takes no bits.
    private static func simpleCode(_ bits: inout BitWriter, of symbol: UInt64, bits count: Int) {
        bits.put(1, 2)
        bits.put(0, 2)
        bits.put(symbol, count)
    }

    /// A Zstandard frame (RFC 8878) of blocks of 16 bytes, each with three FSE tables of its own. Some 190 ns a byte.
    package static func zstandard(_ size: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]
        bytes += [16 << 3, 0, 0] + [UInt8](repeating: 0x61, count: 16)
        let tables: [[UInt8]] = [[0xf4, 0x3f], [0xf3, 0x1f], [0xf4, 0x3f]]
        let content = [0, 1, 0xa8] + tables.joined() + [0, 0, 0, 4]
        let block = [UInt8(content.count << 3 | 2 << 1), 0, 0] + content
        while bytes.count < size { bytes += block }
        return bytes + [1, 0, 0]
    }
}

/// Bits as brotli has them: the lowest of a byte first.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var count = 0

    mutating func put(_ value: UInt64, _ width: Int) {
        pending |= value << UInt64(count)
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    func finished() -> [UInt8] {
        count == 0 ? bytes : bytes + [UInt8(truncatingIfNeeded: pending)]
    }
}
