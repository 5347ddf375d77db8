import Foundation
import PostgreSQL
import TestServers
import Testing

struct KeyCommandTests {
    private static func keys(_ service: TestService) throws -> [[String: Any]] {
        try #require(try service.json("key", "list", "demo", "--json") as? [[String: Any]])
    }

    private static func service() throws -> TestService {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        return service
    }

    @Test("a further key is printed with its DSN, and listed with its label")
    func create() throws {
        let service = try Self.service()
        let created = try #require(
            try service.json("key", "create", "demo", "--label", "the \"app\"", "--json") as? [String: Any])
        let key = try #require(created["key"] as? String)
        #expect(created["dsn"] as? String == "http://\(key)@intake.example:8080/1")
        let keys = try Self.keys(service)
        #expect(keys.count == 2)
        #expect(keys.last?["key"] as? String == key)
        #expect(keys.last?["label"] as? String == "the \"app\"")
        #expect(try service.run("key", "list", "1").output.contains("\(key)  the \"app\""))
    }

    @Test("a key is listed with the day of its last use, if there was one")
    func lastUse() throws {
        let service = try Self.service()
        #expect(try Self.keys(service).first?["last_used_on"] is NSNull)
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        _ = try service.open().query("SELECT mesher_note_key_uses($1, '{20000}')", ["{\(key)}"])
        #expect(try Self.keys(service).first?["last_used_on"] as? String == "2024-10-04")
        let lines = try service.run("key", "list", "demo").output.split(separator: "\n")
        #expect(lines[0].contains("CREATED               LAST USED   ENDS  REVOKED"))
        #expect(lines[1].hasSuffix("  2024-10-04  -     -"))
    }

    @Test("a revoked key stays listed with the time, and revoking it again succeeds")
    func revoke() throws {
        let service = try Self.service()
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        #expect(try service.run("key", "revoke", key.uppercased(), "--yes").output == "revoked\n")
        let revokedAt = try #require(try Self.keys(service).first?["revoked_at"] as? String)
        #expect(revokedAt.hasSuffix("Z"))
        let again = try service.run("key", "revoke", key)
        #expect(again.status == 0 && again.output == "already revoked\n")
        #expect(try Self.keys(service).first?["revoked_at"] as? String == revokedAt)
        #expect(try !service.run("project", "show", "demo").output.contains(key))
    }

    @Test("a rotated key has a successor with its label, is listed with its end, and has no DSN once that is over")
    func rotate() throws {
        let service = try Self.service()
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        let rotated = try #require(
            try service.json("key", "rotate", key.uppercased(), "--json", "--yes") as? [String: Any])
        let successor = try #require(rotated["key"] as? String)
        #expect(rotated["label"] as? String == "first" && rotated["former_key"] as? String == key)
        #expect(rotated["dsn"] as? String == "http://\(successor)@intake.example:8080/1")
        let keys = try Self.keys(service)
        #expect(keys.map { $0["key"] as? String } == [key, successor])
        #expect(keys[0]["expires_at"] as? String == rotated["expires_at"] as? String)
        #expect(keys[1]["expires_at"] is NSNull && keys[1]["label"] as? String == "first")
        let inADay = "SELECT expires_at - now() BETWEEN interval '23 h 50 min' AND interval '24 h' FROM api_keys"
        #expect(try service.open().query(inADay)[row: 0, column: 0] == "t")
        func show() throws -> String { try service.run("project", "show", "demo").output }
        #expect(try show().contains(key) && show().contains(successor))
        try service.open().execute("UPDATE api_keys SET expires_at = now() WHERE expires_at IS NOT NULL")
        #expect(try !show().contains(key) && show().contains(successor))
    }

    @Test("a key is rotated once, and not when it is revoked or unknown")
    func rotateTwice() throws {
        let service = try Self.service()
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        let run = try service.run("key", "rotate", key, "--after", "0", "--yes")
        #expect(run.status == 0 && run.output.contains("\nthe old key is refused from 20"))
        let again = try service.run("key", "rotate", key)
        #expect(again.status == 65 && again.errors.hasPrefix("mesher: the key was rotated already"))
        let successor = try #require(try Self.keys(service).last?["key"] as? String)
        _ = try service.run("key", "revoke", successor, "--yes")
        #expect(try service.run("key", "rotate", successor).errors.hasPrefix("mesher: the key was revoked already"))
        #expect(try service.run("key", "rotate", String(repeating: "0", count: 32)).status == 65)
        #expect(try service.run("key", "rotate", "abc").status == 65)
        #expect(try Self.keys(service).count == 2)
    }

    @Test("maintenance revokes rotated keys whose time is over, and those that are unused for long enough")
    func maintain() throws {
        let service = try Self.service()
        let names = ["expired", "unused", "used", "never", "later", "plain"]
        for (number, name) in names.enumerated() {
            _ = try service.open().query(
                "INSERT INTO api_keys (key, project_id, label) VALUES ($1, 1, $2)",
                ["\(number)" + String(repeating: "a", count: 31), name])
        }
        try service.open().execute(
            """
            UPDATE api_keys SET rotated_at = now() - interval '5 d',
                expires_at = CASE label WHEN 'expired' THEN now() WHEN 'later' THEN now() + interval '1 h' END,
                unused_days = CASE WHEN label IN ('unused', 'used', 'never') THEN 3 END
            WHERE label NOT IN ('plain', 'first');
            INSERT INTO key_uses SELECT key, (now() AT TIME ZONE 'UTC')::date - CASE label WHEN 'used' THEN 3 ELSE 4 END
            FROM api_keys WHERE label IN ('used', 'unused', 'plain')
            """)
        let used = try #require(try Self.keys(service).first { $0["label"] as? String == "used" })
        #expect(used["unused_days"] as? Int == 3)
        #expect(try service.run("db", "maintain", "--dry-run").output.hasSuffix("would revoke 3 rotated keys\n"))
        #expect(try service.run("db", "maintain").output.hasSuffix("revoked 3 rotated keys\n"))
        let revoked = try Self.keys(service).filter { !($0["revoked_at"] is NSNull) }.map { $0["label"] as? String }
        #expect(Set(revoked) == ["expired", "unused", "never"])
        #expect(try !service.run("db", "maintain").output.contains("rotated"))
    }

    @Test("a key that ends when it is unused is listed so")
    func whenUnused() throws {
        let service = try Self.service()
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        let run = try service.run("key", "rotate", key, "--when-unused", "7", "--yes")
        #expect(run.output.hasSuffix("\nthe old key is revoked after 7 days without use\n"))
        #expect(try service.run("key", "list", "demo").output.contains("  unused for 7 d  -\n"))
        #expect(try Self.keys(service).first?["expires_at"] is NSNull)
    }

    @Test(
        "revoking what is no key, or an unknown one, is an error",
        arguments: ["abc", String(repeating: "0", count: 32)])
    func revokeUnknown(key: String) throws {
        let run = try Self.service().run("key", "revoke", key)
        #expect(run.status == 65)
        #expect(run.output.isEmpty && !run.errors.isEmpty)
    }

    @Test("keys of an unknown project are an error")
    func unknownProject() throws {
        let service = try Self.service()
        #expect(try service.run("key", "create", "nobody").status == 65)
        #expect(try service.run("key", "list", "2").status == 65)
    }
}
