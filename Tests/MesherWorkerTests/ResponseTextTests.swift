import Testing

@testable import Ingestion
@testable import mesher_worker

@Suite("An answer as a CGI response")
struct ResponseTextTests {
    private func text(_ answer: Answer) -> String {
        String(decoding: ResponseText.bytes(answer), as: UTF8.self)
    }

    @Test("Has its status, its length, and its body behind an empty line")
    func accepted() {
        let text = text(.accepted(0xab))
        #expect(text.hasPrefix("Status: 202 Accepted\r\nAccess-Control-Allow-Origin: *\r\n"))
        #expect(text.contains("\r\nContent-Type: application/json\r\nContent-Length: 61\r\n"))
        #expect(text.hasSuffix("\r\n\r\n{\"status\":\"accepted\",\"id\":\"000000000000000000000000000000ab\"}"))
        #expect(!text.contains("Retry-After:") && !text.contains("WWW-Authenticate"))
    }

    @Test("Says when to come back, to Sentry's SDKs by category too")
    func rateLimited() {
        var answer = Answer.refused(.rateLimited)
        answer.retryAfter = 17
        answer.quota = QuotaStatus(limit: 10, window: 60, remaining: 0, reset: 17)
        #expect(text(answer).contains("\r\nRetry-After: 17\r\nX-Sentry-Rate-Limits: 17::project\r\n"))
        #expect(text(answer).contains("\r\nRateLimit: \"project\";r=0;t=17\r\n"))
        answer.dialect = .sentry
        #expect(text(answer).contains("X-Sentry-Rate-Limits: 17:error;default;feedback;security:project:rate_limited"))
    }

    @Test("A refusal's text cannot begin another header")
    func fault() {
        var answer = Answer.refused(Refusal(.invalidField, "a\r\nX-Evil: 1\u{e9}"), in: .sentry)
        answer.allow = "GET"
        let text = text(answer)
        #expect(text.contains("\r\nX-Sentry-Error: a??X-Evil: 1??\r\nAllow: GET\r\n\r\n"))
    }

    @Test("A preflight has no body and no length, a refused key says how to authenticate")
    func others() {
        #expect(text(.preflight).contains("Access-Control-Max-Age: 3600\r\n"))
        #expect(text(.preflight).hasSuffix("\r\n\r\n") && !text(.preflight).contains("Content-Length"))
        #expect(text(.refused(.unauthorized)).contains("\r\nWWW-Authenticate: Bearer\r\n"))
        #expect(
            String(decoding: ResponseText.handingOn(.sentry), as: UTF8.self)
                == "Status: 200 OK\r\nX-Accel-Redirect: @mesher_sentry_large\r\n\r\n")
    }
}
