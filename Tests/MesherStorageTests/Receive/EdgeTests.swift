import StorageChannel
import Testing

@Suite struct EdgeTests {
    static let faults: [(String, [UInt8])] = [
        ("no hello", bytes { $0.probe(1) }),
        ("a version that is too old", bytes { writer in writer.frame(.hello) { $0.integer(Frame.oldestVersion - 1) } }),
        (
            "a second hello",
            bytes {
                $0.hello()
                $0.hello()
            }
        ),
        ("a length of nothing", bytes { $0.hello() } + [0, 0, 0, 0, 1]),
        ("a length beyond the limit", bytes { $0.hello() } + [255, 255, 255, 255, 2]),
        ("an unknown kind", bytes { $0.hello() } + [0, 0, 0, 1, 99]),
        (
            "a kind that only storage sends",
            bytes {
                $0.hello()
                $0.readiness(1, accepts: true, [])
            }
        ),
        (
            "a record cut short",
            bytes { $0.hello() }
                + bytes { writer in
                    writer.frame(.store) { $0.append(Array(TestEvent().content().dropLast())) }
                }
        ),
        (
            "a key of 15 bytes",
            bytes { $0.hello() }
                + bytes { writer in
                    writer.frame(.lookUpKey) { $0.append(Array(repeating: 1, count: 15)) }
                }
        ),
    ]

    @Test("a faulty edge is closed, and no other with it")
    func faults() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        for (fault, frames) in Self.faults {
            let faulty = try TestEdge(storage.socketPath, saysHello: false)
            faulty.send(frames)
            #expect(faulty.ends(), "\(fault)")
        }
        #expect(edge.store([TestEvent()]) == [.durable])
        #expect(storage.log.split(separator: "\n").count { $0.contains("fault=") } == Self.faults.count)
    }

    @Test("an edge of a newer release is served, also when its events have a column more")
    func newer() throws {
        let storage = try StorageProcess()
        let edge = try TestEdge(storage.socketPath, saysHello: false)
        let event = TestEvent(ticket: 5).content() + [0, 0, 0, 2, 0x68, 0x69]
        edge.send(
            bytes { writer in
                writer.frame(.hello) { $0.integer(Frame.version + 1) }
                writer.frame(.store) { $0.append(event) }
            })
        #expect(edge.results(1)[5]?.result == .durable)
    }

    @Test("a frame that comes in pieces is put together")
    func pieces() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        for byte in TestEvent(ticket: 3).frame { edge.send([byte]) }
        #expect(edge.results(1)[3]?.result == .durable)
    }

    @Test("an edge that leaves before its answer harms nobody")
    func leaves() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        for _ in 0..<20 { try TestEdge(storage.socketPath).send(TestEvent().frame) }
        #expect(edge.store([TestEvent()]) == [.durable])
        #expect(storage.isRunning)
    }

    @Test("an edge that does not read its answers is dropped in the end")
    func unread() throws {
        let storage = try StorageProcess()
        let deaf = try storage.edge()
        let request = bytes { writer in for _ in 0..<10_000 { writer.lookUp(KeyID(1)) } }
        for _ in 0..<40 { deaf.send(request) }
        #expect(deaf.ends())
        #expect(storage.log.contains("does not read its answers"))
        #expect(try storage.edge().store([TestEvent()]) == [.durable])
    }
}
