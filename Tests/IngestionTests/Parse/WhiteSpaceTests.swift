import RecordedInputs
import Testing

@testable import Ingestion

struct WhiteSpaceTests {
    /// White space and what is near it, of one to four bytes in UTF-8.
    private static let characters = [
        " ", "\t", "\n", "\u{0B}", "\r", "\0", "\u{1F}", "a", "~", "\u{7F}", "\u{80}", "\u{85}", "\u{A0}", "é",
        "\u{1680}", "\u{2000}", "\u{200A}", "\u{200B}", "\u{2028}", "\u{202F}", "\u{205F}", "\u{3000}", "漢", "😀",
    ]

    @Test("what is taken for ASCII has the white space around it that a look at each character finds")
    func fastPath() {
        var random = SplitMix(seed: 14)
        for round in 0..<20_000 {
            let count = Int.random(in: 0...6, using: &random)
            let text = (0..<count).map { _ in Self.characters.randomElement(using: &random) ?? "" }.joined()
            Array(text.utf8).withUnsafeBytes { bytes in
                #expect(
                    bytes.trimmingWhiteSpace().elementsEqual(bytes.trimmingUnicodeWhiteSpace()), "\(round): \(text)")
            }
        }
    }
}
