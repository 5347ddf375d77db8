import StorageChannel

@testable import Ingestion

/// A machine with a clock of its own and made-up ends: what it sends is kept, what it is told comes from the test.
final class Edge {
    static let keyText = "0123456789abcdef0123456789abcdef"
    static let key = KeyID(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
    static let quota = ProjectQuota(project: 7, events: 1_000, seconds: 60)
    static let validEvent = #"{"message":"it broke","level":"error"}"#

    var machine: IngestionMachine
    var now: Int64 = 1_000_000_000
    /// The answers by token; a second answer to one token is counted in `surplusAnswers`.
    var answers: [Int: Answer] = [:]
    /// What the worker for large bodies is to answer, and in which terms.
    var handedOn: [Int: Dialect] = [:]
    var surplusAnswers = 0
    /// The calls of the limit's script without a result yet.
    var calls: [LimitScript.Call] = []
    /// The tickets of the events that storage was sent, in order, also when sent again.
    var tickets: [UInt64] = []
    /// The ids in the records of those events.
    var identifiers: [UInt128] = []
    /// The columns of those records; NULL is absent.
    var records: [[EventRecord.Column: [UInt8]]] = []
    /// Whether those events were counted by Redis.
    var counted: [Bool] = []
    var lookUps: [KeyID] = []
    var probes: [UInt64] = []
    /// What storage was told of Redis.
    var redisAnswers: [Bool] = []

    init(options: IngestionMachine.Options = .init(), isConnected: Bool = true) {
        machine = IngestionMachine(options: options)
        if isConnected { machine.storageConnected() }
    }

    /// An edge that has heard of the key already.
    static func knowingKey(options: IngestionMachine.Options = .init(), quota: ProjectQuota = quota) -> Edge {
        let edge = Edge(options: options)
        edge.post(token: -1)
        edge.tell(.known, quota)
        edge.grantAll()
        edge.acknowledgeAll()
        edge.answers = [:]
        edge.lookUps = []
        edge.identifiers = []
        edge.records = []
        edge.counted = []
        return edge
    }

    func post(
        _ content: String = validEvent, to path: StaticString = "/api/v1/events", method: StaticString = "POST",
        key: String? = keyText, requestID: String = "00000000000000000000000000000001", token: Int,
        endsTurn: Bool = true, configure: (inout RequestHead) -> Void = { _ in }
    ) {
        post(
            bytes: Array(content.utf8), to: path, method: method, key: key, requestID: requestID, token: token,
            endsTurn: endsTurn, configure: configure)
    }

    func post(
        bytes: [UInt8], to path: StaticString, method: StaticString = "POST", key: String? = keyText,
        requestID: String = "00000000000000000000000000000001", token: Int, endsTurn: Bool = true,
        configure: (inout RequestHead) -> Void = { _ in }
    ) {
        var body = Body(count: bytes.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        let keyBytes = Self.bytes(key ?? "")
        let identifier = Self.bytes(requestID)
        defer {
            keyBytes.deallocate()
            identifier.deallocate()
        }
        var head = RequestHead()
        head.method = UnsafeRawBufferPointer(start: method.utf8Start, count: method.utf8CodeUnitCount)
        head.path = UnsafeRawBufferPointer(start: path.utf8Start, count: path.utf8CodeUnitCount)
        if key != nil { head.sentryAuthorization = UnsafeRawBufferPointer(keyBytes) }
        head.requestID = UnsafeRawBufferPointer(identifier)
        configure(&head)
        machine.receive(RoutedHead(head), body: body, token: token, now: now, wall: 1_700_000_000_000_000)
        if endsTurn { turn() }
    }

    /// Ends a turn and takes what the machine wants done and sent.
    func turn() {
        _ = machine.work(now: now)
        machine.endTurn()
        for command in machine.commands {
            switch command {
            case .count(let call): calls.append(call)
            case .answer(let token, let answer):
                if answers.updateValue(answer, forKey: token) != nil { surplusAnswers += 1 }
            case .handOn(let token, let dialect): handedOn[token] = dialect
            }
        }
        machine.commands.removeAll()
        takeFrames()
    }

    /// What storage says of the key.
    func tell(_ state: KeyState, _ quota: ProjectQuota = quota, key: KeyID = key) {
        var frame = FrameWriter()
        frame.key(key, state, quota)
        receive(frame.bytes)
    }

    /// What Redis says to a call; nil when it says nothing.
    func grant(_ call: LimitScript.Call, _ grant: LimitScript.Grant?) {
        calls.removeAll { $0 == call }
        machine.receive(grant, for: call.number, now: now)
        turn()
    }

    func grantAll() {
        for call in calls { grant(call, LimitScript.Grant(granted: call.wanted, used: call.wanted, left: 60_000)) }
    }

    func acknowledge(_ tickets: [UInt64], _ result: StoreResult = .durable, retryAfter: UInt32 = 0) {
        var frame = FrameWriter()
        frame.frame(.stored) { for ticket in tickets { $0.stored(ticket, result, retryAfter: retryAfter) } }
        receive(frame.bytes)
    }

    func acknowledgeAll() {
        let all = tickets
        tickets = []
        acknowledge(all)
    }

    /// Hands one frame to the machine, as storage would send it.
    @discardableResult
    func receive(_ frame: [UInt8]) -> Bool {
        let makesSense = frame.withUnsafeBytes { bytes in
            guard let kind = FrameKind(rawValue: bytes[4]) else { return false }
            return machine.receive(kind, UnsafeRawBufferPointer(rebasing: bytes[5...]), now: now)
        }
        turn()
        return makesSense
    }

    func tick() {
        _ = machine.tick(now: now)
        turn()
    }

    func makeRoom(byBytes: Bool, now: Int64) -> Bool { machine.makeRoom(byBytes: byBytes, now: now) }

    var hasWork: Bool { machine.hasWork }
    var shouldYield: Bool { machine.shouldYield }
    var wantsSolitude: Bool { machine.wantsSolitude }
    var requestsInHand: Int { machine.requestsInHand }
    var bytesInHand: Int { machine.bytesInHand }

    func text(_ token: Int) -> String? {
        answers[token].map { String(decoding: $0.body, as: UTF8.self) }
    }

    private func takeFrames() {
        var bytes: [UInt8] = []
        machine.toStorage.forEachPiece { bytes += $0 }
        machine.toStorage.removeAll()
        var reader = FrameReader()
        var offset = 0
        while offset < bytes.count {
            offset += reader.fill { room in
                let count = min(room.count, bytes.count - offset)
                bytes.withUnsafeBytes {
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
                }
                return count
            }
            do { try reader.forEachFrame { take($0, FrameContent($1)) } } catch { surplusAnswers = .max }
        }
    }

    private func take(_ kind: FrameKind, _ content: consuming FrameContent) {
        switch kind {
        case .store:
            tickets.append(content.integer())
            counted.append(StoreFlags(rawValue: content.integer()).contains(.counted))
            var record: [EventRecord.Column: [UInt8]] = [:]
            _ = EventRecord.forEachElement(of: content.remainder()) { column, element in
                if let column = EventRecord.Column(rawValue: column), element.prefix(4).contains(where: { $0 != 0xff })
                {
                    record[column] = Array(element.dropFirst(4))
                }
                if column == EventRecord.Column.eventID.rawValue {
                    identifiers.append(UInt128(bigEndian: element.loadUnaligned(fromByteOffset: 4, as: UInt128.self)))
                }
            }
            records.append(record)
        case .lookUpKey: lookUps.append(content.key())
        case .probe: probes.append(content.integer())
        case .redis: redisAnswers.append(content.integer(UInt8.self) == 1)
        case .hello, .stored, .key, .readiness: break
        }
    }

    private static func bytes(_ text: String) -> UnsafeMutableRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.utf8.count), alignment: 1)
        bytes.copyBytes(from: text.utf8)
        return UnsafeMutableRawBufferPointer(rebasing: bytes[..<text.utf8.count])
    }
}
