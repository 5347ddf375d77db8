import Glibc

/// A file beside this one. In `formats` is what a version of each format has left: such a file never changes, and each later
/// release reads it.
package enum RecordedFile {
    package static func bytes(_ name: String) -> [UInt8] {
        let source = #filePath
        let path = source[..<(source.lastIndex(of: "/") ?? source.startIndex)] + "/" + name
        guard let file = fopen(String(path), "r") else { fatalError("cannot open \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while true {
            let count = bytes.count
            bytes += [UInt8](unsafeUninitializedCapacity: 65_536) { $1 = fread($0.baseAddress, 1, 65_536, file) }
            if bytes.count == count { return bytes }
        }
    }
}
