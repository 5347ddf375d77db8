import Testing

@testable import mesher

@Suite struct CrossOriginCheckTests {
    private static let preflight = """
        HTTP/1.1 204 No Content\r
        Access-Control-Allow-Origin: *\r
        Access-Control-Allow-Methods: POST, OPTIONS\r
        Access-Control-Allow-Headers: Authorization, Content-Type, X-Sentry-Auth\r
        \r

        """
    private static let answer = """
        HTTP/1.1 401 Unauthorized\r
        access-control-allow-origin: *\r
        \r
        {"error":"unauthorized"}
        """

    private func text(preflight: String = preflight, answer: String = answer) -> (isFault: Bool, String) {
        let finding = CrossOriginCheck.finding(
            preflights: [Self.preflight, preflight], answers: [Self.answer, answer])
        return (finding.isFault, finding.text)
    }

    @Test("answers with one Access-Control-Allow-Origin each are what browsers want")
    func sound() {
        #expect(!text().isFault)
    }

    @Test("a header that is there twice, that is missing, or that names another origin is a fault")
    func origins() {
        let twice = Self.answer.replacing("\r\n\r\n", with: "\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
        #expect(
            text(answer: twice) == (
                true, "a POST is answered with 2 times Access-Control-Allow-Origin: browsers reject that"
            ))
        #expect(
            text(preflight: Self.preflight.replacing("Allow-Origin", with: "Other")).1.hasPrefix(
                "a preflight is answered with no"))
        #expect(
            text(answer: Self.answer.replacing("*", with: "https://theirs.example")).1.contains(
                "https://theirs.example"))
    }

    @Test("a preflight that allows no POST, or not the headers that SDKs send, is a fault")
    func preflights() {
        #expect(text(preflight: Self.preflight.replacing("POST, ", with: "GET, ")).1.contains("without POST"))
        #expect(
            text(preflight: Self.preflight.replacing(", X-Sentry-Auth", with: "")).1.contains("without x-sentry-auth"))
    }
}
