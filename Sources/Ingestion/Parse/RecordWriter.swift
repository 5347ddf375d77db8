/// Writes the content of a `store` frame in place, where its exact size is known.
package struct RecordWriter {
    private var rest: UnsafeMutableRawBufferPointer

    package init(_ room: UnsafeMutableRawBufferPointer) {
        rest = room
    }

    /// A column that is a number.
    package mutating func element<Value: FixedWidthInteger>(_ value: Value) {
        integer(UInt32(MemoryLayout<Value>.size))
        integer(value)
    }

    /// A column that is text or json; nil is NULL. `prefix` is jsonb's version byte.
    package mutating func element(_ content: UnsafeRawBufferPointer?, prefix: UInt8? = nil) {
        guard let content else { return integer(Int32(-1)) }
        integer(UInt32(truncatingIfNeeded: Self.size(of: content, prefix: prefix) - 4))
        if let prefix { integer(prefix) }
        append(content)
    }

    /// A payload, perhaps with another text in the place of some of its bytes.
    mutating func element(_ payload: UnsafeRawBufferPointer?, _ edit: PayloadEdit?) {
        guard let payload, let edit else { return element(payload) }
        integer(UInt32(truncatingIfNeeded: Self.size(of: payload) + edit.growth - 4))
        append(UnsafeRawBufferPointer(rebasing: payload[..<edit.replaced.lowerBound]))
        append(edit.text)
        append(edit.comma)
        append(UnsafeRawBufferPointer(rebasing: payload[edit.replaced.upperBound...]))
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        rest.copyMemory(from: bytes)
        advance(bytes.count)
    }

    mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
        rest.storeBytes(of: value.bigEndian, as: Value.self)
        advance(MemoryLayout<Value>.size)
    }

    private mutating func advance(_ size: Int) {
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[size...])
    }

    /// The room that `element` takes for the same column.
    package static func size(of content: UnsafeRawBufferPointer?, prefix: UInt8? = nil) -> Int {
        4 + (content?.count ?? 0) + (content != nil && prefix != nil ? 1 : 0)
    }
}
