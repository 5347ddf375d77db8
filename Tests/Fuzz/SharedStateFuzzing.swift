import Glibc
import Ingestion
import RecordedInputs
import Scoreboard
import Spool
import StorageChannel
import System

/// A folder for the files that are read, for as long as the process runs.
private func makeFolder() -> String {
    var template = Array("/tmp/mesher-fuzz.XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "no folder below /tmp")
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func overwrite(_ path: String, _ input: [UInt8], at offset: Int, whole: Bool = false) {
    let number = open(path, O_WRONLY | O_CREAT | (whole ? O_TRUNC : 0), 0o600)
    precondition(number >= 0, "cannot write \(path)")
    _ = pwrite(number, input, input.count, off_t(offset))
    close(number)
}

/// What the watchdog and the operator's commands read of processes that may have been taken over: slots, suspects,
/// sessions.
enum ScoreboardFuzzing {
    static let seeds: [[UInt8]] = [0, 1, 0x7f, 0xff].map { [UInt8](repeating: $0, count: 4_096) }

    static func makeConsumer() -> ([UInt8]) -> Void {
        let folder = makeFolder()
        guard let scoreboard = try? ScoreboardFile.open(in: folder), let sessions = try? SessionTable.create(in: folder)
        else { preconditionFailure("no scoreboard in \(folder)") }
        for number in 0..<4 { _ = scoreboard.claim(ProcessRole.allCases[number], name: "process \(number)") }
        return { input in
            let page = Array(input.prefix(4_096))
            for slot in 1...3 { overwrite("\(folder)/scoreboard", page, at: slot * 4_096) }
            // Behind the words that say what the files are.
            overwrite("\(folder)/scoreboard", Array(page.prefix(4_000)), at: 64)
            overwrite("\(folder)/sessions", Array(page.prefix(3_000)), at: 16)
            overwrite("\(folder)/sessions", page, at: 8 * (512 + 65_536))
            let readings = scoreboard.readings()
            precondition(readings.count == 4, "a slot is lost")
            _ = readings.reduce(0) { $0 + $1.inHand }
            for slot in 0..<4 { _ = scoreboard.recordDeath(ofSlot: slot, wall: 1) }
            _ = scoreboard.suspects().map(\.isPoison)
            for subject in HealthSubject.allCases { _ = scoreboard.health(subject) }
            _ = scoreboard.lastReload
            precondition(sessions.readings().count <= 65_536 && sessions.count >= 0)
        }
    }
}

/// Segments of the spool, which somebody may have damaged.
enum SpoolFuzzing {
    private static func record(_ event: Int) -> [UInt8] {
        let numbers = [
            RecordColumn.number(Int64(1)), RecordColumn.number(UInt128(event)), RecordColumn.number(Int64(0)),
            RecordColumn.number(Int64(0)), RecordColumn.number(Int32(0)),
        ]
        let texts = ["error", "m"].map { RecordColumn.text($0) } + Array(repeating: RecordColumn.null, count: 8)
        return Array((numbers + texts + [RecordColumn.text("{}", prefix: 1), RecordColumn.text("{}")]).joined())
    }

    static let seeds: [[UInt8]] = {
        let folder = makeFolder()
        let limits = SpoolDirectory.Limits(bytes: 1 << 20, projectBytes: 1 << 20)
        guard let spool = try? SpoolDirectory.open(folder, limits: limits) else { return [] }
        for event in 1...3 {
            let record = record(event)
            record.withUnsafeBytes { bytes in
                if let head = RecordHead(bytes) { _ = spool.add(head, bytes) }
            }
        }
        guard (try? spool.commit(wall: 1)) != nil, let bytes = try? SegmentFile(1, in: folder).piece(at: 0).bytes,
            let file = fopen(SegmentFile(1, in: folder).path, "r")
        else { return [] }
        defer { fclose(file) }
        var whole = [UInt8](repeating: 0, count: bytes.count + 1_000)
        whole.removeLast(whole.count - fread(&whole, 1, whole.count, file))
        return [whole, Array(whole.prefix(100))]
    }()

    static func makeConsumer() -> ([UInt8]) -> Void {
        let folder = makeFolder()
        return { input in
            let file = SegmentFile(1, in: folder)
            overwrite(file.path, input, at: 0, whole: true)
            var offset = 0
            while let piece = try? file.piece(at: offset, events: 16) {
                for range in piece.records + piece.damages { precondition(range.upperBound <= piece.bytes.count) }
                piece.bytes.withUnsafeBytes { bytes in
                    for range in piece.records { _ = RecordHead(UnsafeRawBufferPointer(rebasing: bytes[range])) }
                }
                guard !piece.isLast, piece.range.upperBound > offset else { break }
                offset = piece.range.upperBound
            }
        }
    }
}

/// Frames of the other end, which may have been taken over: what storage reads of edges, and edges of storage.
enum FrameFuzzing {
    static let seeds: [[UInt8]] = {
        var edge = FrameWriter()
        edge.hello()
        edge.lookUp(KeyID(7))
        edge.probe(1)
        edge.frame(.store) {
            $0.integer(UInt64(1))
            $0.integer(UInt8(1))
            $0.append(RecordColumn.number(Int64(1)))
        }
        var storage = FrameWriter()
        storage.hello()
        storage.key(
            KeyID(7), .known,
            ProjectQuota(
                project: 7, events: 1, seconds: 1, origins: AllowedOrigins("https://a.b".utf8),
                scrub: ScrubRules("default".utf8)))
        storage.readiness(1, accepts: true, [.redis, .spool])
        storage.frame(.stored) { $0.stored(1, .durable, retryAfter: .max) }
        return [edge.bytes, storage.bytes]
    }()

    static func makeConsumer() -> ([UInt8]) -> Void {
        { input in
            var machine = IngestionMachine(options: .init())
            machine.storageConnected()
            var reader = FrameReader()
            var rest = input[...]
            while !rest.isEmpty {
                let count = reader.fill { room in
                    let piece = rest.prefix(min(room.count, 1 + input.count % 977))
                    room.copyBytes(from: piece)
                    return piece.count
                }
                rest = rest.dropFirst(count)
                let isSound: ()? = try? reader.forEachFrame { kind, content in
                    _ = machine.receive(kind, content, now: 1)
                    // Behind ticket and flags, as storage reads it.
                    if content.count > 9 { _ = RecordHead(UnsafeRawBufferPointer(rebasing: content[9...])) }
                    machine.endTurn()
                    machine.commands.removeAll()
                    machine.toStorage.removeAll()
                }
                if isSound == nil { return }
            }
        }
    }
}
