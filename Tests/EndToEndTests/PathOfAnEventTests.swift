import Foundation
import Testing

extension EndToEnd {
    struct PathOfAnEventTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        @Test("A posted event is a row in PostgreSQL when its sender reads 202")
        func postedEventIsARow() throws {
            let response = try project.post(#"{"message":"It broke","level":"error"}"#)
            #expect(response.status == 202)
            #expect(response.header("Content-Type") == "application/json")
            let id = try #require(response.id)
            #expect(response.text == #"{"status":"accepted","id":"\#(id)"}"#)
            #expect(id.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
            let rows = try project.stack.query(
                "SELECT replace(event_id::text, '-', ''), level, message FROM events WHERE project_id = \(project.id)")
            #expect(rows == [[id, "error", "It broke"]])
        }

        @Test("Every field has its column, times are UTC, and the payload is kept verbatim")
        func fieldsAndPayload() throws {
            let payload =
                #"{ "event_id":"0123456789ABCDEF0123456789ABCDEF","message":"Gr\u00fc\u00dfe 🐟","level":"fatal","#
                + #""timestamp":"2024-02-29T23:30:00.123456+05:30","platform":"swift","environment":"prod","#
                + #""release":"1.2","server_name":"web1","logger":"app","transaction":"/buy","sdk_name":"sdk","#
                + #""sdk_version":"7","tags":{"b":1,"a":"x"},"big":123456789012345678901234567890,"big":1.10 }"#
            #expect(try project.post(payload).id == "0123456789abcdef0123456789abcdef")
            let row = try project.stack.query(
                """
                SELECT event_id, "timestamp", level, message, platform, environment, release, server_name, logger,
                    transaction, sdk_name, sdk_version, tags->>'b', payload::text
                FROM events WHERE project_id = \(project.id)
                """)
            #expect(
                row == [
                    [
                        "01234567-89ab-cdef-0123-456789abcdef", "2024-02-29 18:00:00.123456+00", "fatal", "Grüße 🐟",
                        "swift", "prod", "1.2", "web1", "app", "/buy", "sdk", "7", "1", payload,
                    ]
                ])
        }

        @Test("A bulk is one row an event, in whichever of its two forms", arguments: [false, true])
        func bulk(isNDJSON: Bool) throws {
            let events = (0..<50).map { #"{"message":"event \#($0)","level":"info"}"# }
            let response =
                isNDJSON
                ? try project.postBulk(events.joined(separator: "\n"), [("Content-Type", "application/x-ndjson")])
                : try project.postBulk("[" + events.joined(separator: ",") + "]")
            #expect(response.status == 202)
            #expect(response.json["accepted"] as? Int == 50)
            #expect(response.json["rejected"] as? Int == 0)
            let ids = try #require(response.json["ids"] as? [String])
            let rows = try project.stack.query(
                "SELECT replace(event_id::text, '-', ''), message FROM events WHERE project_id = \(project.id)")
            let stored = Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
            #expect(ids.map { stored[$0] } == (0..<50).map { "event \($0)" })
        }

        @Test("A bulk with good and bad events stores the good ones and names the bad ones by their place")
        func mixedBulk() throws {
            let response = try project.postBulk(
                #"[{"message":"a","level":"info"},{"level":"info"},7,{"message":"b","level":"info"}]"#)
            #expect(response.status == 202)
            #expect(response.json["status"] as? String == "accepted")
            #expect(response.json["accepted"] as? Int == 2)
            #expect(response.json["rejected"] as? Int == 2)
            let ids = try #require(response.json["ids"] as? [Any])
            #expect(ids.map { $0 is NSNull } == [false, true, true, false])
            let errors = try #require(response.json["errors"] as? [[String: Any]])
            #expect(errors.map { $0["index"] as? Int } == [1, 2])
            #expect(errors.map { $0["status"] as? Int } == [400, 400])
            #expect(errors.map { $0["reason"] as? String } == ["missing_message", "invalid_event"])
            #expect(try project.count() == 2)
        }

        @Test("A bulk without a good event is rejected as a whole")
        func badBulk() throws {
            let response = try project.postBulk(#"[{"level":"info"}]"#)
            #expect(response.status == 400)
            #expect(response.json["status"] as? String == "rejected")
            #expect(try project.count() == 0)
        }

        @Test("The same id again is accepted alike, and the first one stored stays")
        func sameIDAgain() throws {
            let id = "00000000000000000000000000abcdef"
            for message in ["first", "second"] {
                let response = try project.post(#"{"event_id":"\#(id)","message":"\#(message)","level":"info"}"#)
                #expect(response.status == 202)
                #expect(response.id == id)
            }
            let rows = try project.stack.query("SELECT message FROM events WHERE project_id = \(project.id)")
            #expect(rows == [["first"]])
        }

        @Test("A body that comes in chunks is one event, however small the chunks are")
        func chunkedBody() throws {
            let connection = try HTTPConnection(port: project.stack.port)
            connection.send(
                "POST", "/api/v1/events",
                [("Authorization", "Bearer \(project.key)"), ("Transfer-Encoding", "chunked")])
            for byte in #"{"message":"in pieces","level":"info"}"#.utf8 {
                connection.send([0x31, 13, 10, byte, 13, 10])
            }
            connection.send("0\r\n\r\n")
            #expect(try connection.receive().status == 202)
            #expect(try project.count() == 1)
        }

        @Test("Events up to one mebibyte pass, also those that go to the workers for large bodies")
        func largeEvents() throws {
            for size in [65_000, 66_000, 1_048_576] {
                let frame = #"{"message":"","level":"info"}"#
                let message = String(repeating: "x", count: size - frame.utf8.count)
                #expect(try project.post(#"{"message":"\#(message)","level":"info"}"#).status == 202, "\(size) bytes")
            }
            let sizes = try project.stack.query(
                "SELECT octet_length(payload::text) FROM events WHERE project_id = \(project.id) ORDER BY 1")
            #expect(sizes == [["65000"], ["66000"], ["1048576"]])
        }
    }
}
