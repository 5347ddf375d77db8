import Glibc
import System
import Testing

@testable import mesher_worker

@Suite("nginx's connections")
struct ConnectionTableTests {
    /// A listening socket in a folder that goes with it.
    private final class Listener {
        let path = "/tmp/mesher-table.\(UInt32.random(in: .min ... .max)).sock"

        deinit {
            unlink(path)
        }

        func open() throws -> ConnectionTable {
            try ConnectionTable.open(try UnixSocket.listen(at: path, mode: 0o600, backlog: 64))
        }

        func connect() throws -> Descriptor {
            try UnixSocket.connect(to: path)
        }
    }

    @Test("Are accepted one by one, or many in a turn that is long, and each gets a token of its own")
    func accepts() throws {
        let listener = Listener()
        var table = try listener.open()
        let first = try listener.connect()
        let second = try listener.connect()
        let third = try listener.connect()
        guard try table.ready() == 1, case .listener = table.event(0) else {
            Issue.record("the listener is not ready")
            return
        }
        try table.accept(several: false)
        #expect(table[0] != nil && table.idle == [0])
        try table.accept(several: true)
        #expect(table.idle == [0, 1, 2])
        let ready = try table.ready()
        #expect(ready == 0, "nothing was sent")
        _ = (first.number, second.number, third.number)
    }

    @Test("Say whether something came or nginx has closed, and their tokens are used again")
    func events() throws {
        let listener = Listener()
        var table = try listener.open()
        let isEmpty = table.isEmpty
        #expect(isEmpty)
        let sending = try listener.connect()
        var closing: Descriptor? = try listener.connect()
        try table.accept(several: true)
        _ = write(sending.number, "x", 1)
        closing = nil
        var seen: [Int: Bool] = [:]
        for position in 0..<(try table.ready()) {
            if case .connection(let token, let isClosed) = table.event(position) { seen[token] = isClosed }
        }
        #expect(seen == [0: false, 1: true])
        _ = closing.take()
        table.close(1)
        let again = try listener.connect()
        try table.accept(several: true)
        #expect(table.idle == [0, 1] && table[1] != nil)
        table.stopListening()
        table.close(0)
        table.close(1)
        let isEmptyAgain = table.isEmpty
        #expect(isEmptyAgain)
        _ = again.number
    }
}
