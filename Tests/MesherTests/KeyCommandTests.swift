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
        #expect(lines[0].contains("CREATED               LAST USED   REVOKED"))
        #expect(lines[1].hasSuffix("  2024-10-04  -"))
    }

    @Test("a revoked key stays listed with the time, and revoking it again succeeds")
    func revoke() throws {
        let service = try Self.service()
        let key = try #require(try Self.keys(service).first?["key"] as? String)
        #expect(try service.run("key", "revoke", key.uppercased()).output == "revoked\n")
        let revokedAt = try #require(try Self.keys(service).first?["revoked_at"] as? String)
        #expect(revokedAt.hasSuffix("Z"))
        let again = try service.run("key", "revoke", key)
        #expect(again.status == 0 && again.output == "already revoked\n")
        #expect(try Self.keys(service).first?["revoked_at"] as? String == revokedAt)
        #expect(try !service.run("project", "show", "demo").output.contains(key))
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
