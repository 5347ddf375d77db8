internal import FoundationEssentials

/// What a server says about an event: docs/http.md, or Sentry's form. What is absent, or no text where one belongs, is nil.
struct ServerAnswer: Decodable {
    let status: String?
    let id: String?
    let reason: String?
    /// Seconds.
    let retryAfter: Int?
    /// Why it was refused; the second on Sentry's routes.
    let error: String?
    let detail: String?

    private enum Name: String, CodingKey {
        case status, id, reason, error, detail
        case retryAfter = "retry_after"
    }

    /// Nil when it is no JSON object, as from another server.
    init?(_ body: String) {
        guard let answer = try? JSONDecoder().decode(ServerAnswer.self, from: Data(body.utf8)) else { return nil }
        self = answer
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Name.self)
        // An absent member is cheaper to ask for than to fail on.
        func text(_ name: Name) -> String? { (try? members.decodeIfPresent(String.self, forKey: name)) ?? nil }
        status = text(.status)
        id = text(.id)
        reason = text(.reason)
        retryAfter = (try? members.decodeIfPresent(Int.self, forKey: .retryAfter)) ?? nil
        error = text(.error)
        detail = text(.detail)
    }
}
