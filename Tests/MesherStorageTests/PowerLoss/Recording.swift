import Foundation
import Spool
import StorageChannel

@testable import mesher_storage

/// All that storage did to its disk in a run, and what must be there if the power had failed in between.
struct Recording {
    var operations: [DiskOperation]
    /// Those of the database of the run.
    let places: [String]
    /// Ids by ticket, of the events for which the disk had to answer.
    let events: [UInt64: UInt128]
    /// Ids of those among them that PostgreSQL never takes.
    let refused: Set<UInt128>

    /// Loses the power after each operation, in every way that the disk may take it.
    ///
    /// - Parameter limit: so many faults are enough.
    /// - Returns: what was acknowledged and is not there, with the operation after which; the number of disks that were looked at.
    func faults(limit: Int = 10) throws -> (faults: [String], disks: Int) {
        // In memory: a real disk would take its time for each fsync.
        let folder = "/dev/shm/mesher-disk.\(UInt32.random(in: .min ... .max))"
        var known: [Disk.Image: RecoveredState] = [:]
        var faults: [String] = []
        var disk = Disk()
        var answers: [UInt64: [UInt8]] = [:]
        var promised: Set<UInt128> = []
        /// What PostgreSQL has.
        var delivered: Set<UInt128> = []
        var keys = 0
        for (position, operation) in operations.enumerated() {
            switch operation {
            case .answer(let connection, let bytes):
                answers[connection, default: []] += bytes
                promised.formUnion(acknowledged(answers[connection, default: []]))
            case .unlink(let path) where path.hasSuffix(".segment"):
                let file = Disk.Image(folders: ["spool"], files: [path: disk.content(of: path) ?? []])
                let events = try RecoveredState(file, in: folder, places: places).events
                delivered.formUnion(events.subtracting(refused))
            case .synchronize(""):
                let file = Disk.Image(files: disk.content(of: "keys").map { ["keys": $0] } ?? [:])
                keys = try RecoveredState(file, in: folder, places: places).keys?.quotas.count ?? 0
            default: break
            }
            disk.perform(operation)
            for image in disk.images() {
                let place = "\(position), \(operation.name)"
                do {
                    let found = try known[image] ?? RecoveredState(image, in: folder, places: places)
                    known[image] = found
                    let lost = promised.subtracting(delivered).subtracting(found.events)
                    if !lost.isEmpty { faults.append("\(place): \(lost.count) events lost") }
                    if found.keys?.quotas.count ?? 0 < keys { faults.append("\(place): keys lost") }
                } catch {
                    faults.append("\(place): \(error)")
                }
                if faults.count >= limit { return (faults, known.count) }
            }
        }
        return (faults, known.count)
    }

    /// The events that the answers on one connection say are durable.
    private func acknowledged(_ bytes: [UInt8]) -> Set<UInt128> {
        var reader = FrameReader()
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = reader.fill { room in
                let part = rest.prefix(room.count)
                room.copyBytes(from: part)
                return part.count
            }
            rest = rest.dropFirst(count)
        }
        var durable: Set<UInt128> = []
        try? reader.forEachFrame { kind, content in
            guard case .stored(let entries) = StorageMessage(kind, content) else { return }
            for entry in entries where entry.result == .durable {
                if let event = events[entry.ticket] { durable.insert(event) }
            }
        }
        return durable
    }

    /// The same run of a program that leaves some of the operations out.
    func without(_ isLeftOut: (DiskOperation) -> Bool) -> Recording {
        var other = self
        other.operations.removeAll(where: isLeftOut)
        return other
    }
}

extension DiskOperation {
    /// Without the content.
    var name: String {
        switch self {
        case .makeFolder(let path): "mkdir \(path)"
        case .create(let path): "open \(path)"
        case .write(let path, let offset, let bytes): "write \(bytes.count) bytes at \(offset) of \(path)"
        case .truncate(let path, let length): "truncate \(path) to \(length)"
        case .rename(let path, let other): "rename \(path) to \(other)"
        case .unlink(let path): "unlink \(path)"
        case .synchronize(let path): "fsync \(path.isEmpty ? "." : path)"
        case .answer(_, let bytes): "answer of \(bytes.count) bytes"
        }
    }
}
