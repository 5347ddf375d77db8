import StorageChannel
import Testing

@testable import Ingestion

struct UserAddressTests {
    private static let sender = IPAddress("192.0.2.7")

    /// The payload of an event that came from the sender's address.
    private func payload(_ event: String, from address: IPAddress? = sender) throws -> String? {
        var parser = EventParser()
        return try parser.parsed(event, as: .sentry(id: nil, sentAt: nil, address: address)).text(.payload)
    }

    @Test(
        "an event that leaves its user's address open has that of its sender, and is else as it was sent",
        arguments: [
            (#"{"user":{"ip_address":"{{auto}}"}}"#, #"{"user":{"ip_address":"192.0.2.7"}}"#),
            (
                #" {"user" : { "id":"1", "ip_address" : "{{auto}}" , "x":[{}]},"a":1e400} "#,
                #"{"user" : { "id":"1", "ip_address" : "192.0.2.7" , "x":[{}]},"a":1e400}"#
            ),
            (#"{"user":{"ip_address":" {{auto}}\n"}}"#, #"{"user":{"ip_address":"192.0.2.7"}}"#),
            (#"{"user":{"ip_address":"\u007b{auto}}"}}"#, #"{"user":{"ip_address":"192.0.2.7"}}"#),
            (
                #"{"sentry.interfaces.User":{"ip_address":"{{auto}}"}}"#,
                #"{"sentry.interfaces.User":{"ip_address":"192.0.2.7"}}"#
            ),
            (
                #"{"platform":"javascript"}"#, #"{"user":{"ip_address":"192.0.2.7"},"platform":"javascript"}"#
            ),
            (
                #"{ "platform":"cocoa","user":{ } }"#,
                #"{ "platform":"cocoa","user":{"ip_address":"192.0.2.7" } }"#
            ),
            (
                #"{"user":{"id":"7"},"platform":"objc"}"#,
                #"{"user":{"ip_address":"192.0.2.7","id":"7"},"platform":"objc"}"#
            ),
            (
                #"{"user":null,"platform":"javascript"}"#,
                #"{"user":{"ip_address":"192.0.2.7"},"platform":"javascript"}"#
            ),
            (
                #"{"user":{"ip_address":null},"platform":"javascript"}"#,
                #"{"user":{"ip_address":"192.0.2.7"},"platform":"javascript"}"#
            ),
            (
                #"{"user":{"ip_address":" "},"platform":"javascript"}"#,
                #"{"user":{"ip_address":"192.0.2.7"},"platform":"javascript"}"#
            ),
            (
                #"{"user":{"id":"7"},"user":{"ip_address":"{{auto}}"},"x":NaN}"#,
                #"{"user":{"id":"7"},"user":{"ip_address":"192.0.2.7"},"x":null}"#
            ),
            (
                #"{"user":{"ip_address":"1.2.3.4","ip_address":"{{auto}}"}}"#,
                #"{"user":{"ip_address":"1.2.3.4","ip_address":"192.0.2.7"}}"#
            ),
            (
                #"{"platform":"python","sdk":{"settings":{"infer_ip":"auto"}}}"#,
                #"{"user":{"ip_address":"192.0.2.7"},"platform":"python","sdk":{"settings":{"infer_ip":"auto"}}}"#
            ),
            // The client of the web server in which it happened.
            (
                #"{"user":{"ip_address":"{{auto}}"},"request":{"env":{"REMOTE_ADDR":"2001:db8::1"}}}"#,
                #"{"user":{"ip_address":"2001:db8::1"},"request":{"env":{"REMOTE_ADDR":"2001:db8::1"}}}"#
            ),
            (
                #"{"user":{"ip_address":"{{auto}}"},"request":{"env":{"REMOTE_ADDR":"\"x"}}}"#,
                #"{"user":{"ip_address":"192.0.2.7"},"request":{"env":{"REMOTE_ADDR":"\"x"}}}"#
            ),
        ])
    func open(event: String, stored: String) throws {
        #expect(try payload(event) == stored)
    }

    @Test(
        "an event that does not is stored as it was sent",
        arguments: [
            "{}", #"{"platform":"python"}"#, #"{"platform":"node","user":{"id":"1"}}"#,
            #"{"platform":"javascript","user":{"ip_address":"1.2.3.4"}}"#,
            #"{"platform":"javascript","user":{"ip_address":"none"}}"#,
            #"{"platform":"javascript","user":{"ip_address":7}}"#, #"{"platform":"javascript","user":"someone"}"#,
            #"{"platform":"javascript","user":[]}"#, #"{"ip_address":"{{auto}}"}"#, #"{"extra":{"user":"{{auto}}"}}"#,
            #"{"platform":"javascript","sdk":{"settings":{"infer_ip":"never"}}}"#,
            #"{"user":{"ip_address":"{{auto}}"},"sdk":{"settings":{"infer_ip":"never"}}}"#,
        ])
    func closed(event: String) throws {
        #expect(try payload(event) == event)
    }

    @Test("without the operator's wish nothing is filled in")
    func off() throws {
        for event in [#"{"user":{"ip_address":"{{auto}}"}}"#, #"{"platform":"javascript"}"#] {
            #expect(try payload(event, from: nil) == event)
        }
    }

    @Test("an event of nothing but what needs room keeps its address, and its payload whole")
    func noRoom() throws {
        let tags = (0..<300).map { #"["k\#($0)","\#(String(repeating: "\\u00e9", count: 60))"]"# }.joined(
            separator: ",")
        let text = String(repeating: #"\u00e9"#, count: 50_000)
        let rest = #""tags":[\#(tags)],"logentry":{"message":"%s%s%s","params":["\#(text)","\#(text)","\#(text)"]}}"#
        let event = #"{"platform":"javascript","# + rest
        #expect(event.utf8.count < EventParser.maximumSize)
        #expect(try payload(event) == #"{"user":{"ip_address":"192.0.2.7"},"platform":"javascript","# + rest)
    }

    @Test(
        "an address is IPv4 or IPv6, and one of the other kind of socket is that of its client",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("::1", "::1"), ("2001:db8::7", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:c000:207", "::ffff:c000:207"), ("unix:", nil), ("", nil), ("192.0.2", nil), ("192.0.2.7 ", nil),
            ("192.0.2.256", nil), ("1.2.3.4\"", nil), ("localhost", nil), ("fe80::1%eth0", nil), ("::1\0", nil),
            (String(repeating: "1", count: 100), nil),
        ] as [(String, String?)])
    func addresses(text: String, address: String?) {
        #expect(IPAddress(text)?.text == address.map { Array($0.utf8) })
    }
}

extension IPAddress {
    init?(_ text: String) {
        guard let address = Array(text.utf8).withUnsafeBytes({ IPAddress($0) }) else { return nil }
        self = address
    }
}
