import Testing

@testable import Ingestion

@Suite struct ContentEncodingTests {
    private func named(_ header: String?) throws(Refusal) -> ContentEncoding {
        guard let header else { return try ContentEncoding.named(nil) }
        let bytes = Array(header.utf8)
        let result = bytes.withUnsafeBytes { bytes -> Result<ContentEncoding, Refusal> in
            do throws(Refusal) {
                return .success(try ContentEncoding.named(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    @Test(
        "the codings of the contract are known in any case, with spaces around them",
        arguments: [
            (nil, .identity), ("", .identity), ("  ", .identity), ("identity", .identity), ("UTF-8", .identity),
            ("gzip", .gzip), (" GZip\t", .gzip), ("x-gzip", .gzip), ("deflate", .deflate), ("br", .brotli),
            ("BR", .brotli),
            ("zstd", .zstandard), ("Zstd", .zstandard),
        ] as [(String?, ContentEncoding)])
    func known(header: String?, encoding: ContentEncoding) throws {
        #expect(try named(header) == encoding)
    }

    @Test(
        "any other is refused by its name, of which only what is printable is repeated",
        arguments: [
            ("compress", "compress"), ("gzip, br", "gzip, br"), ("gzi", "gzi"), ("gzipp", "gzipp"), ("utf8", "utf8"),
            ("a\u{1B}[31m\r\nb\0c", "a[31mbc"), ("é", ""),
            (String(repeating: "x", count: 1000), String(repeating: "x", count: 64)),
        ])
    func unknown(header: String, shown: String) {
        let refusal = Refusal(.unsupportedEncoding, "unsupported content encoding: \(shown)")
        #expect(throws: refusal) { try named(header) }
    }
}
