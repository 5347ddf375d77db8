import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SensitiveNamesTests {
    private static let plan = ScrubPlan(ScrubRules("default customer_number Ünder".utf8))

    private func matches(_ name: String, atEnd: Bool = false) -> Bool {
        Array(name.utf8).withUnsafeBytes { Self.plan.names.match($0, atEnd: atEnd) }
    }

    @Test(
        "a name counts in any case, with any separators, and within a longer one",
        arguments: [
            "password", "PASSWORD", "Password", "user_password", "passwordConfirmation", "MYSQL_PWD", "mysqlPwd", "pwd",
            "api_key", "apiKey", "APIKey", "X-Api-Key", "x.api.key", "apikey", "HTTP_X_API_KEY", "secret",
            "clientSecret",
            "access_token", "accessToken", "CSRFToken", "tokens", "Authorization", "HTTP_AUTHORIZATION",
            "proxy-authorization", "auth", "X-Auth", "basicAuth", "authHeader", "AUTHHeader", "Cookie", "Set-Cookie",
            "cookies", "session", "Session", "sessionid", "PHPSESSID", "JSESSIONID", "connect.sid", "sid",
            "credentials",
            "private_key", "privateKey", "cardNumber", "card-number", "credit_card", "cvv", "otp", "two-factor", "jwt",
            "user[password]", "user%5Bpwd%5D", "%3Fpwd", "db.pass", "customer_number", "customerNumber",
            "old-customer-number-2", "passphrase",
            "a.very.long.path.with.many.parts.that.ends.with.what.counts.and.is.longer.than.the.letters.kept.password",
        ])
    func matching(name: String) {
        #expect(matches(name))
    }

    @Test(
        "a name that only looks alike does not",
        arguments: [
            "", "a", "author", "authority", "authenticated", "compass", "passenger", "bypass", "encompasses", "sidecar",
            "inside", "sessions", "session_count", "keyboard", "api", "key", "monkey", "card", "number", "customer",
            "customernumbers", "top", "option", "spwd", "message", "level", "user", "filename", "lineno", "function",
            "environment", "platform",
        ])
    func other(name: String) {
        #expect(!matches(name))
    }

    @Test("a name may have to be at the end of a longer one")
    func ends() {
        #expect(matches("userPassword", atEnd: true) && matches("X-Auth", atEnd: true))
        #expect(!matches("InvalidTokenError", atEnd: true) && !matches("authHeader", atEnd: true))
    }
}
