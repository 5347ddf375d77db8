import Testing

@testable import WebSocket

@Suite struct MessageCompressionTests {
    /// What a server answers to offers, in so many headers; nil when it declines.
    static func answer(_ headers: String...) -> String? {
        let request = UpgradeRequestTests.request(adding: headers.map { "Sec-WebSocket-Extensions: " + $0 })
        return try? UpgradeRequestTests.parse(request) { $0.compression?.answer }.get()
    }

    static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    @Test(
        "an offer that can be kept to is accepted, always without context takeover",
        arguments: [
            "permessage-deflate", "PerMessage-Deflate", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8", "permessage-deflate ;\tclient_max_window_bits=\"15\"",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate", "permessage-deflate; mystery, permessage-deflate",
        ])
    func accepted(offer: String) {
        #expect(Self.answer(offer) == Self.plain)
    }

    @Test("a window that the client asks of the server is kept to, and named")
    func window() {
        #expect(
            Self.answer("permessage-deflate; server_max_window_bits=9") == Self.plain + "; server_max_window_bits=9")
        #expect(Self.answer("permessage-deflate; server_max_window_bits=8", "permessage-deflate") == Self.plain)
        #expect(
            Self.answer("permessage-deflate; server_max_window_bits=10, permessage-deflate")
                == Self.plain + "; server_max_window_bits=10")
    }

    @Test(
        "an offer that breaks RFC 7692, or that zlib cannot keep to, is declined",
        arguments: [
            "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate; mystery",
            "permessage-bzip2", "",
        ])
    func declined(offer: String) {
        #expect(Self.answer(offer) == nil)
    }

    /// What a server may add to the plain answer, and what it may not.
    static let additions: [(String, Bool)] = [
        ("", true), ("; server_max_window_bits=9", true), ("; server_max_window_bits=8", true),
        ("; client_max_window_bits=10", true), ("; client_max_window_bits", false),
        ("; client_max_window_bits=16", false), ("; mystery", false), (", other", false), (";", false),
    ]

    @Test("a client takes an answer only when both sides forget, and nothing else was added", arguments: additions)
    func agreement(addition: String, isTaken: Bool) {
        #expect(Self.isAgreed(Self.plain + addition) == isTaken)
        let other = "permessage-deflate; client_no_context_takeover" + addition
        #expect(!Self.isAgreed(other) && !Self.isAgreed("other") && !Self.isAgreed(""))
        #expect(Self.isAgreed("permessage-deflate; server_no_context_takeover"))
    }

    private static func isAgreed(_ answer: String) -> Bool {
        Array(answer.utf8).withUnsafeBytes { bytes in
            var elements = HeaderElements(bytes)
            return MessageCompression.agreed(in: &elements) != nil
        }
    }

    @Test("a client keeps to the window that the server asks for, and compresses nothing where zlib cannot")
    func clientWindow() {
        // What a window of 2^9 bytes cannot see again.
        let block = (0..<1000).map { "\($0) " }.joined()
        func sizes(_ windowBits: Int32) -> [UInt8] {
            var client = Peer(.client, compression: MessageCompression(windowBits: windowBits))
            client.send(block + block)
            return client.takeOutput()
        }
        #expect(sizes(8).first == 0x81 && sizes(9).first == 0xC1)
        #expect(sizes(9).count > sizes(15).count)
    }
}
