import Testing

@testable import WebSocket

@Suite struct AcceptKeyTests {
    @Test("the answer to RFC 6455's example key is the one that it gives")
    func example() {
        let key = Array("dGhlIHNhbXBsZSBub25jZQ==".utf8)
        #expect(key.withUnsafeBytes(AcceptKey.accept) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("only base64 of sixteen bytes is a key")
    func nonces() {
        func isNonce(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes(AcceptKey.isNonce) }
        #expect(isNonce("dGhlIHNhbXBsZSBub25jZQ=="))
        for _ in 0..<100 { #expect(AcceptKey.nonce().withUnsafeBytes(AcceptKey.isNonce)) }
        for text in [
            "", "==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBs ZSBub25jZQ=", "dGhlIHNhbXBs-SBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ==\u{0}", String(repeating: "A", count: 24),
        ] {
            #expect(!isNonce(text), "\(text)")
        }
    }

    @Test("SHA-1 is that of RFC 3174, also where the padding needs a block of its own")
    func hashes() {
        func hex(_ bytes: [UInt8]) -> String {
            SHA1.digest(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hex([]) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex(Array("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hex(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex([UInt8](repeating: 0x61, count: 1_000_000)) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    }
}
