import Testing

@testable import mesher

struct ServerAnswerTests {
    @Test("an answer's members are read, with escapes and in any order, and what is not asked for is passed over")
    func members() throws {
        let accepted = try #require(ServerAnswer(#"{"ids":[1,{}],"id":"abc","status":"accepted"}"#))
        #expect(accepted.id == "abc" && accepted.status == "accepted" && accepted.error == nil)
        let refused = try #require(
            ServerAnswer(#" {"error":"no \"message\"","retry_after":7,"reason":"rate_limited"} "#))
        #expect(refused.error == #"no "message""# && refused.retryAfter == 7 && refused.reason == "rate_limited")
        #expect(ServerAnswer(#"{"detail":"event rejected"}"#)?.detail == "event rejected")
    }

    @Test("a member of another type counts as absent")
    func otherTypes() throws {
        let answer = try #require(ServerAnswer(#"{"status":500,"error":{"code":1},"id":null,"retry_after":"7"}"#))
        #expect(answer.status == nil && answer.error == nil && answer.id == nil && answer.retryAfter == nil)
    }

    @Test("what is no JSON object is no answer", arguments: ["", "<html>", #""id":"#, "[]", #"{"id":"a""#, "7"])
    func nonsense(body: String) {
        #expect(ServerAnswer(body) == nil)
    }
}
