import StorageChannel
import Testing

@testable import Ingestion

@Suite struct TextScanTests {
    /// A text with the mark in the place of what is found.
    private func scanned(_ text: String, _ rules: String = "default") -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { bytes in
            var scan = TextScan(bytes, ScrubPlan(ScrubRules(rules.utf8)))
            var done = 0
            while let finding = scan.next() {
                precondition(finding.range.lowerBound >= done && !finding.range.isEmpty)
                result += bytes[done..<finding.range.lowerBound]
                result += "#".utf8
                done = finding.range.upperBound
            }
            result += bytes[done...]
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test(
        "values behind names are found in the forms of URLs, bodies, headers, programs and logs",
        arguments: [
            ("password=hunter2", "password=#"), ("a=1&token=abc&b=2", "a=1&token=#&b=2"),
            ("https://x.example/?q=1&access_token=abc#top", "https://x.example/?q=1&access_token=#"),
            ("user%5Bpassword%5D=hunter2&x=1", "user%5Bpassword%5D=#&x=1"),
            ("user[password]=hunter2", "user[password]=#"),
            ("next=%2Fa%3Ftoken%3Dabc%26b%3D2", "next=%2Fa%3Ftoken%3D#%26b%3D2"),
            ("next=%252Fa%253Ftoken%253dabc%2526b%253D2", "next=%252Fa%253Ftoken%253d#%2526b%253D2"),
            ("token%2525253Dabc x", "token%2525253D# x"), ("token%25=abc", "token%25=#"),
            ("User(password: Optional(\"a b\"), id: 1)", "User(password: #, id: 1)"),
            ("Some { token: Some(\"ab)c\"), x: 1 }", "Some { token: #, x: 1 }"),
            ("{\"a\":\"password=SecretStr('x')\"}", "{\"a\":\"password=#\"}"),
            ("{\"a\":\"token: Some(\\\"x y\\\") z\"}", "{\"a\":\"token: # z\"}"), ("token=f(\"cut of", "token=#"),
            ("a=1; sessionid=abc; b=2", "a=1; sessionid=#; b=2"),
            ("Server=db;Password=hunter2;Database=x", "Server=db;Password=#;Database=x"),
            ("host=db password='hun ter' dbname=x", "host=db password='#' dbname=x"),
            ("password = \"hunter2\"", "password = \"#\""), ("PASSWORD: hunter2", "PASSWORD: #"),
            ("password:hunter2", "password:#"), ("PASSWORD\t=\thunter2", "PASSWORD\t=\t#"),
            ("secret := abc", "secret := #"),
            ("secret_key: abc", "secret_key: #"),
            ("#<User password_digest: \"$2a$\", a: 1>", "#<User password_digest: \"#\", a: 1>"),
            ("[('Authorization', 'Bearer abc'), ('Host', 'x')]", "[('Authorization', '#'), ('Host', 'x')]"),
            (
                "[[\\\"Cookie\\\",\\\"a\\\"],[\\\"b\\\",\\\"c\\\"]]",
                "[[\\\"Cookie\\\",\\\"#\\\"],[\\\"b\\\",\\\"c\\\"]]"
            ),
            ("('password', 1), ('a', 'token', 'b')", "('password', 1), ('a', 'token', 'b')"),
            ("cookie=a=b; c=d\nx", "cookie=#\nx"), ("?cookie=a&b=c", "?cookie=#&b=c"),
            ("?X-Amz-Signature=abc&x", "?X-Amz-Signature=#&x"),
            ("db_password : hunter2 failed", "db_password : # failed"),
            ("Authorization: Bearer abc.def", "Authorization: #"),
            ("Cookie: a=1; b=2\r\nHost: x", "Cookie: #\r\nHost: x"),
            ("GET /\nauthorization:Basic dTpw\nx: y", "GET /\nauthorization:#\nx: y"),
            ("sent Bearer 0a.b-c and more", "sent Bearer # and more"),
            ("a bearer token is missing", "a bearer token is missing"),
            ("token=Bearer abc x", "token=# x"), ("{\"password\":\"hunter2\",\"a\":1}", "{\"password\":\"#\",\"a\":1}"),
            ("{\"password\":\"a\\\"b\",\"c\":1}", "{\"password\":\"#\",\"c\":1}"),
            ("{\"password\":\"a\\\\\",\"c\":1}", "{\"password\":\"#\",\"c\":1}"),
            ("{\\\"password\\\":\\\"hun\\\\\\\"ter\\\",\\\"c\\\":1}", "{\\\"password\\\":\\\"#\\\",\\\"c\\\":1}"),
            ("{\"otp\":1234,\"a\":1}", "{\"otp\":#,\"a\":1}"), ("{\"otp\": 1234}", "{\"otp\": #}"),
            ("{\"secret\":{\"a\":\"}\",\"b\":[1]},\"c\":1}", "{\"secret\":#,\"c\":1}"),
            ("{\"tokens\":[1,[2]],\"c\":1}", "{\"tokens\":#,\"c\":1}"),
            ("{\"secret\":null,\"a\":true}", "{\"secret\":null,\"a\":true}"),
            ("{'password': 'hunter2', 'a': 1}", "{'password': '#', 'a': 1}"),
            ("{'password': b'hunter2'}", "{'password': b'#'}"),
            ("{\"password\"=>\"hunter2\"}", "{\"password\"=>\"#\"}"), (":password => 'x y'", ":password => '#'"),
            ("params[\"password\"] = \"hunter2\"", "params[\"password\"] = \"#\""),
            ("User(name=bob, password=hunter2)", "User(name=bob, password=#"),
            ("{\"password\":\"cut of", "{\"password\":\"#"), ("{\"secret\":{\"cut\":\"of", "{\"secret\":#"),
            ("curl -H \"Authorization: Bearer x\" https://a", "curl -H \"Authorization: #"),
            ("postgres://bob:hunter2@db/x", "postgres://#@db/x"),
            ("https://ghp_1@github.com/a", "https://#@github.com/a"),
            ("redis://:p@ss@h:1/0", "redis://#@h:1/0"), ("https://example.com/@bob", "https://example.com/@bob"),
            ("amqp://u:p%40@h https://a:b@c", "amqp://#@h https://#@c"), ("card 4111 1111 1111 1111.", "card #."),
            ("4111111111111111", "#"), ("x4111111111111111", "x4111111111111111"),
            ("0.4111111111111111", "0.4111111111111111"),
            ("1234 4242424242424242 4111-1111-1111-1111", "1234 # #"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----#-----END RSA PRIVATE KEY-----"
            ),
            ("-----BEGIN PRIVATE KEY-----\nMII", "-----BEGIN PRIVATE KEY-----#"),
            ("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII"),
        ])
    func found(text: String, left: String) {
        #expect(scanned(text) == left)
        // What is left of it, and cut off anywhere, does no harm.
        for end in text.indices { _ = scanned(String(text[..<end])) }
    }

    @Test(
        "what is no such value stays",
        arguments: [
            "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "JsonWebTokenError: invalid signature",
            "/app/lib/password_reset.rb:42:in `call'", "at x (https://a.example/auth.js:10:5)", "auth::Token::parse",
            "com.example.Token.parse(Token.java:42)", "the password is wrong", "token=", "a==b",
            "TokenExpiredException: jwt expired", "12:30:45",
            "author: bob",
            "password=[Filtered]", "password: [Filtered]", "https://[Filtered]@host/", "{\"password\":\"[Filtered]\"}",
            "Authorization: [Filtered]", "====", "::::", "@@@@", "%%%%", "----------", "\\\\\\\\\\", "\"\"\"\":",
        ])
    func kept(text: String) {
        #expect(scanned(text) == text)
    }

    @Test(
        "addresses and mail are found where they are wanted alone",
        arguments: [
            ("from 10.1.2.3, 2001:db8::7.", "ip", "from #, #."), ("[::1]:80 /192.168.0.1:80", "ip", "[#]:80 /#:80"),
            ("::ffff:10.0.0.7 x", "ip", "# x"), ("Chrome/120.0.0.0", "ip", "Chrome/120.0.0.0"),
            ("1.2.3 1.2.3.4.5 1.2.3.400 v1.2.3.4", "ip", "1.2.3 1.2.3.4.5 1.2.3.400 v1.2.3.4"),
            ("12:30:45 std::abort a::b aa:bb:cc:dd:ee:ff", "ip", "12:30:45 std::abort a::b aa:bb:cc:dd:ee:ff"),
            ("bob.x+y@mail.example.com!", "email", "#!"), ("?m=bob%40example.com&x", "email", "?m=#&x"),
            ("?m=bob%2540example.com&x", "email", "?m=#&x"),
            ("<jörg@exämple.de>", "email", "<#>"),
            ("a@b me@localhost @x.com bob@1.2", "email", "a@b me@localhost @x.com bob@1.2"),
            (
                "bob@example.com 10.1.2.3 4111111111111111 password=x", "default",
                "bob@example.com 10.1.2.3 # password=#"
            ),
            ("bob@example.com 10.1.2.3 4111111111111111 password=x", "ip email", "# # 4111111111111111 password=x"),
            ("customer-no=17 password=x", "customer_no", "customer-no=# password=x"),
        ])
    func optional(text: String, rules: String, left: String) {
        #expect(scanned(text, rules) == left)
    }

    @Test("a text that is made of what is looked for does no harm")
    func long() {
        for piece in [
            "=", ":", "a=", "a:", "\\\"", "\":", "@", "a@", "%40", "%3D", "1", "1 ", "4444 ", "1.", "://", "f:", "::",
            "bearer ",
            "-----BEGIN ", "token=", "token={", "token=\"", "token=\\", "'", "[", "password[", "\u{e9}@",
        ] {
            _ = scanned(String(repeating: piece, count: 5_000), "default ip email")
        }
    }
}
