import Foundation

/// A file system as POSIX promises it: what was not synchronised may be on the disk after a power loss or not, content and
/// names each for itself, in any order.
struct Disk {
    /// What a loss has left of the content that was not synchronised.
    enum Content: CaseIterable {
        case none, all
        /// The last writing was cut off in its middle.
        case torn
        /// The lengths have reached the disk, and not the content.
        case zeros
        /// The last writing has reached the disk, and not those before it.
        case lastOnly
    }

    /// What is found at the next start.
    struct Image: Hashable {
        var folders: Set<String> = []
        var files: [String: [UInt8]] = [:]
    }

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(length: Int)

        func apply(to bytes: inout [UInt8]) {
            switch self {
            case .write(let offset, let new):
                let end = offset + new.count
                if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
                bytes.replaceSubrange(offset..<end, with: new)
            case .truncate(let length):
                bytes = Array(bytes.prefix(length)) + [UInt8](repeating: 0, count: max(length - bytes.count, 0))
            }
        }
    }

    private struct File {
        var durable: [UInt8] = []
        var changes: [Change] = []

        func content(after loss: Content) -> [UInt8] {
            var bytes = durable
            switch loss {
            case .none: break
            case .all: for change in changes { change.apply(to: &bytes) }
            case .lastOnly: changes.last?.apply(to: &bytes)
            case .torn:
                for change in changes.dropLast() { change.apply(to: &bytes) }
                if case .write(let offset, let new) = changes.last {
                    Change.write(offset: offset, bytes: Array(new.prefix(new.count / 2))).apply(to: &bytes)
                }
            case .zeros:
                for case .write(let offset, let new) in changes {
                    Change.write(offset: offset, bytes: [UInt8](repeating: 0, count: new.count)).apply(to: &bytes)
                }
            }
            return bytes
        }
    }

    private enum Node {
        case folder
        case file(Int)
    }

    /// What one call does to the names of a folder: each gets a node, or goes.
    private typealias NameChange = (folder: String, names: [(String, Node?)])

    private var files: [File] = []
    /// As the process sees them.
    private var names: [String: Node] = [:]
    private var durableNames: [String: Node] = [:]
    private var nameChanges: [NameChange] = []

    mutating func perform(_ operation: DiskOperation) {
        switch operation {
        case .makeFolder(let path): change([(path, .folder)])
        case .create(let path):
            files.append(File())
            change([(path, .file(files.count - 1))])
        case .write(let path, let offset, let bytes): change(path, .write(offset: offset, bytes: bytes))
        case .truncate(let path, let length): change(path, .truncate(length: length))
        case .rename(let path, let other): change([(path, nil), (other, names[path])])
        case .unlink(let path): change([(path, nil)])
        case .synchronize(let path): synchronize(path)
        case .answer: break
        }
    }

    /// A file as the process sees it.
    func content(of path: String) -> [UInt8]? {
        if case .file(let number) = names[path] { files[number].content(after: .all) } else { nil }
    }

    /// All that may be found after a loss of power now.
    func images() -> Set<Image> {
        let count = nameChanges.count
        // All combinations of a few; of more those in which the later ones are missing, and those in which one is.
        let choices =
            count <= 4
            ? (0..<(1 << count)).map { choice in (0..<count).map { choice >> $0 & 1 == 1 } }
            : (0...count).map { kept in (0..<count).map { $0 < kept } }
                + (0..<count).map { missing in (0..<count).map { $0 != missing } }
        var images: Set<Image> = []
        for choice in choices {
            var found = durableNames
            for (change, isKept) in zip(nameChanges, choice) where isKept {
                for (name, node) in change.names { found[name] = node }
            }
            for loss in Content.allCases { images.insert(image(found, loss)) }
        }
        return images
    }

    private func image(_ names: [String: Node], _ loss: Content) -> Image {
        var image = Image()
        for (path, node) in names {
            var parent = Self.parent(of: path)
            while !parent.isEmpty, case .folder = names[parent] { parent = Self.parent(of: parent) }
            guard parent.isEmpty else { continue }
            switch node {
            case .folder: image.folders.insert(path)
            case .file(let number): image.files[path] = files[number].content(after: loss)
            }
        }
        return image
    }

    private mutating func change(_ path: String, _ change: Change) {
        if case .file(let number) = names[path] { files[number].changes.append(change) }
    }

    private mutating func change(_ changes: [(String, Node?)]) {
        for (name, node) in changes { names[name] = node }
        nameChanges.append((Self.parent(of: changes[0].0), changes))
    }

    private mutating func synchronize(_ path: String) {
        if case .file(let number) = names[path] {
            files[number].durable = files[number].content(after: .all)
            files[number].changes = []
        } else {
            for change in nameChanges where change.folder == path {
                for (name, node) in change.names { durableNames[name] = node }
            }
            nameChanges.removeAll { $0.folder == path }
        }
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
