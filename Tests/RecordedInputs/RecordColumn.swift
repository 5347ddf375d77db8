import Ingestion

/// Columns of an event's record as the edges write them.
package enum RecordColumn {
    /// A column without a value.
    package static let null = text(nil)

    package static func number<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        written(4 + MemoryLayout<Value>.size) { $0.element(value) }
    }

    /// Text or json; nil is NULL. `prefix` is jsonb's version byte.
    package static func text(_ text: String?, prefix: UInt8? = nil) -> [UInt8] {
        guard let text else { return written(RecordWriter.size(of: nil)) { $0.element(nil) } }
        return Array(text.utf8).withUnsafeBytes { content in
            written(RecordWriter.size(of: content, prefix: prefix)) { $0.element(content, prefix: prefix) }
        }
    }

    private static func written(_ size: Int, _ write: (inout RecordWriter) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        bytes.withUnsafeMutableBytes { room in
            var writer = RecordWriter(room)
            write(&writer)
        }
        return bytes
    }
}
