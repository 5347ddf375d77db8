import Foundation

/// Something that storage did to its files, or an answer that it gave, as `CDiskRecorder` notes them. Paths are below
/// `MESHER_STATE_DIR`, which itself is the empty path.
enum DiskOperation {
    case makeFolder(String)
    case create(String)
    case write(String, offset: Int, bytes: [UInt8])
    case truncate(String, length: Int)
    case rename(String, to: String)
    case unlink(String)
    /// What was written to a file, or the names of a folder, have reached the disk.
    case synchronize(String)
    case answer(connection: UInt64, bytes: [UInt8])

    /// Reads all operations of a recording.
    ///
    /// - Parameter folder: `MESHER_STATE_DIR`.
    static func read(_ log: [UInt8], folder: String) -> [DiskOperation] {
        var operations: [DiskOperation] = []
        log.withUnsafeBytes { bytes in
            var place = 0
            while place + 24 <= bytes.count {
                let kind = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                let pathLength = Int(bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
                let number = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
                let length = Int(bytes.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self))
                let pathEnd = place + 24 + pathLength
                let path = relative(bytes[place + 24..<pathEnd], folder)
                let content = Array(bytes[pathEnd..<pathEnd + length])
                place = pathEnd + length
                switch UnicodeScalar(kind).map(Character.init) {
                case "m": operations.append(.makeFolder(path))
                case "c": operations.append(.create(path))
                case "w": operations.append(.write(path, offset: Int(number), bytes: content))
                case "t": operations.append(.truncate(path, length: Int(number)))
                case "r": operations.append(.rename(path, to: relative(content[...], folder)))
                case "u": operations.append(.unlink(path))
                case "s": operations.append(.synchronize(path))
                default: operations.append(.answer(connection: number, bytes: content))
                }
            }
        }
        return operations
    }

    private static func relative(_ path: some Sequence<UInt8>, _ folder: String) -> String {
        String(String(decoding: Array(path), as: UTF8.self).dropFirst(folder.count).drop { $0 == "/" })
    }
}
