/// Inputs made from others by small damage; the same each time.
package struct Mutations {
    private var generator: SplitMix
    private let seeds: [[UInt8]]

    /// Bytes that mean something to a JSON parser, or to one that reads blocks of bytes.
    private static let meaningful: [UInt8] =
        Array("{}[]:,\"\\/bfnrtu0123456789+-.eE \n\r\t'#aNI".utf8) + [
            0, 0x0C, 0x1A, 0x1F, 0x7F, 0x80, 0xBF, 0xC3, 0xED, 0xF4, 0xFF,
        ]

    package init(of seeds: [[UInt8]], seed: UInt64) {
        self.seeds = seeds
        generator = SplitMix(seed: seed)
    }

    package mutating func next() -> [UInt8] {
        var bytes = pick(seeds)
        for _ in 0...below(3) { damage(&bytes) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        let position = below(bytes.count + 1)
        let size = min(below(8) + 1, bytes.count - position)
        switch below(7) {
        case 0 where position < bytes.count: bytes[position] ^= 1 << UInt8(below(8))
        case 1 where position < bytes.count: bytes[position] = pick(Self.meaningful)
        case 2: bytes.insert(pick(Self.meaningful), at: position)
        case 3: bytes.removeSubrange(position..<position + size)
        case 4: bytes.insert(contentsOf: bytes[position..<position + size], at: below(bytes.count + 1))
        case 5: bytes.removeSubrange(position...)
        default:
            let other = pick(seeds)
            bytes.replaceSubrange(position..., with: other[below(other.count + 1)...])
        }
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
