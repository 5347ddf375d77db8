import Testing

@testable import Ingestion

@Suite struct CardNumberTests {
    private func end(_ text: String) -> Int? {
        Array(text.utf8).withUnsafeBytes { CardNumber.end(in: $0, from: 0) }
    }

    @Test(
        "numbers that the issuers name for tests are found",
        arguments: [
            "4111111111111111", "4242 4242 4242 4242", "4000-0566-5566-5556", "5555555555554444", "2223003122003222",
            "5105+1051+0510+5100", "378282246310005", "3782 822463 10005", "371449635398431", "6011111111111117",
            "3056930009020004", "36227206271667", "3566002020360505", "6200000000000005", "4222222222222",
            "6759649826438453", "4111 111111 111 111",
        ])
    func cards(text: String) {
        #expect(end(text) == text.utf8.count)
        #expect(end(text + ".") == text.utf8.count && end(text + " 12/26") == text.utf8.count)
        #expect(end(text + "x") == nil && end(text + "_") == nil && end(text + ".5") == nil)
    }

    @Test(
        "other digits are not",
        arguments: [
            "4111111111111112", "1732823456789", "1732823456789012", "0000000000000000", "9111111111111111",
            "411111111111",
            "41111111111111111111111", "4", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "41 11 11 11 11 11 11 11",
            "4111  1111 1111 1111",
            "4111.1111.1111.1111", "2024-11-28 12:30:45", "5555555555554445",
        ])
    func others(text: String) {
        #expect(end(text) == nil)
    }

    @Test("what follows a number in another group is left, unless it is one with it")
    func groups() {
        #expect(end("4111 1111 1111 1111 123") == 19)
        #expect(end("4111 1111 1111 1111 1111") == 19)
    }
}
