import Glibc
import RecordedInputs
import TestServers
import Testing

@testable import Ingestion
@testable import mesher_worker

@Suite("A FastCGI connection", .serialized)
struct FastCGIConnectionTests {
    private static let head = [
        ("REQUEST_METHOD", "POST"), ("DOCUMENT_URI", "/api/v1/events"), ("QUERY_STRING", "sentry_key=k"),
        ("CONTENT_TYPE", "application/json"), ("MESHER_REQUEST_ID", "00000000000000000000000000000001"),
        ("MESHER_RECEIVED", "1700000000.123"), ("HTTP_X_SENTRY_AUTH", "Sentry sentry_key=k"),
    ]

    private func text(_ bytes: UnsafeRawBufferPointer?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Reads head and body, answers, and is kept for the next request", arguments: [0, 1, 8_192, 100_000])
    func keepsConnection(size: Int) throws {
        let peer = try FastCGIPeer()
        for _ in 0..<3 {
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            peer.send(FastCGIPeer.request(Self.head + [("CONTENT_LENGTH", "\(size)")], body: body))
            #expect(peer.connection.read())
            peer.connection.withHead { head, received in
                #expect(text(head.head.method) == "POST")
                #expect(text(head.head.path) == "/api/v1/events")
                #expect(text(head.head.query) == "sentry_key=k")
                #expect(text(head.head.sentryAuthorization) == "Sentry sentry_key=k")
                #expect(text(head.head.receivedAt) == "1700000000.123")
                var received = received
                #expect(received?.withUnsafeMutableBytes { Array($0) } == body)
            }
            #expect(peer.connection.isAnswering)
            #expect(peer.connection.answer(Array("Status: 202 Accepted\r\n\r\n{}".utf8)))
            #expect(peer.response() == ("Status: 202 Accepted\r\n\r\n{}", true))
        }
    }

    @Test("Without a length the body is what comes", arguments: [0, 3, 65_535, 65_536, 65_537, 150_000])
    func readsBodyOfUnknownLength(size: Int) throws {
        let peer = try FastCGIPeer()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        peer.send(FastCGIPeer.request(Self.head + [("CONTENT_LENGTH", "")], body: body))
        #expect(peer.connection.read())
        peer.connection.withHead { _, received in
            var received = received
            #expect(received?.withUnsafeMutableBytes { Array($0) } == body)
        }
    }

    @Test("Of two content encodings neither is taken for the whole")
    func refusesTwoEncodings() throws {
        let peer = try FastCGIPeer()
        let encodings = [("HTTP_CONTENT_ENCODING", "gzip"), ("HTTP_CONTENT_ENCODING", "gzip")]
        peer.send(FastCGIPeer.request(Self.head + encodings + [("CONTENT_LENGTH", "0")]))
        #expect(peer.connection.read())
        peer.connection.withHead { head, _ in
            #expect(throws: Refusal(.unsupportedEncoding, "unsupported content encoding: several")) {
                try ContentEncoding.named(head.head.contentEncoding)
            }
        }
    }

    @Test("A body that is shorter or longer than announced closes the connection", arguments: [2, 4])
    func refusesWrongLength(announced: Int) throws {
        let peer = try FastCGIPeer()
        peer.send(FastCGIPeer.request(Self.head + [("CONTENT_LENGTH", "\(announced)")], body: Array("abc".utf8)))
        #expect(peer.connection.read() == false)
    }

    @Test("A request that is cut short at any byte closes the connection, without a wait")
    func refusesEveryCut() throws {
        let whole = FastCGIPeer.request(Self.head + [("CONTENT_LENGTH", "3")], body: Array("abc".utf8))
        for length in 0..<whole.count - 8 {
            let peer = try FastCGIPeer()
            peer.send(Array(whole[..<length]))
            peer.shutDown()
            #expect(peer.connection.read() == false, "cut at \(length)")
        }
    }

    @Test("Any byte of the head changed is refused or read, and never ends the process")
    func survivesChangedBytes() throws {
        let whole = FastCGIPeer.request(Self.head + [("CONTENT_LENGTH", "3")], body: Array("abc".utf8))
        for position in 0..<whole.count {
            for value: UInt8 in [0, 0x7f, 0xff] {
                var changed = whole
                changed[position] = value
                let peer = try FastCGIPeer()
                peer.send(changed)
                peer.shutDown()
                if peer.connection.read() { _ = peer.connection.answer([]) }
            }
        }
    }

    @Test("The peer's close between two requests is seen as such")
    func seesClose() throws {
        let peer = try FastCGIPeer()
        peer.shutDown()
        #expect(peer.connection.read() == false)
    }

    @Test("A body above 5 MiB is read past and told apart, however long it claims to be")
    func readsPastLargeBodies() throws {
        let peer = try FastCGIPeer()
        let size = Limits.bulkBytes + 1
        let request = FastCGIPeer.request(
            Self.head + [("CONTENT_LENGTH", "\(size)")], body: [UInt8](repeating: 0x20, count: size))
        // More than a socket holds: it is written while it is read.
        peer.sendMeanwhile(request)
        var readable = pollfd(fd: peer.connection.number, events: Int16(POLLIN), revents: 0)
        #expect(uninterrupted { poll(&readable, 1, 10_000) } == 1)
        #expect(peer.connection.read())
        #expect(peer.connection.isOversized)
    }

    @Test("A connection on which comes what would harm libfcgi is closed, and the process lives")
    func refusesHarmful() throws {
        #expect(CheckedReading.isInForce())
        for (place, bytes) in RecordCheckTests.hostile.enumerated() {
            let peer = try FastCGIPeer()
            // All of them fit into a socket.
            peer.send(bytes)
            peer.shutDown()
            #expect(!peer.connection.read(), "input \(place)")
        }
    }

    @Test("Damaged records are refused or read, and never end the process")
    func survivesDamage() throws {
        let seeds =
            [
                FastCGIPeer.request([("REQUEST_METHOD", "GET"), ("QUERY_STRING", "a")]),
                FastCGIPeer.request([("CONTENT_LENGTH", "3"), ("DOCUMENT_URI", "/healthz")], body: [1, 2, 3]),
            ] + RecordCheckTests.hostile.map { Array($0.prefix(400)) }
        var mutations = Mutations(of: seeds, seed: 20)
        var read = 0
        for _ in 0..<4_000 {
            let peer = try FastCGIPeer()
            peer.send(mutations.next())
            peer.shutDown()
            guard peer.connection.read() else { continue }
            read += 1
            peer.connection.withHead { _, _ in }
            _ = peer.connection.answer([])
        }
        #expect(read > 20)
    }
}
