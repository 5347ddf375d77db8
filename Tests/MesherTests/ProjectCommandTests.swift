import Foundation
import PostgreSQL
import TestServers
import Testing

struct ProjectCommandTests {
    @Test("create prints one object with id, slug, key and DSN, and the project has that key")
    func create() throws {
        let service = try TestService()
        let run = try service.run("project", "create", "My Demo", "--json")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        let project = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let key = try #require(project["key"] as? String)
        #expect(
            run.output == #"{"id":1,"slug":"my-demo","key":"\#(key)","dsn":"http://\#(key)@intake.example:8080/1"}"#
                + "\n")
        let rows = try service.open().query("SELECT project_id, revoked_at FROM api_keys WHERE key = $1", [key])
        #expect(rows.count == 1 && rows[row: 0, column: 0] == "1" && rows[row: 0, column: 1] == nil)
    }

    @Test("create without --json prints the DSN for people")
    func createForPeople() throws {
        let output = try TestService().run("project", "create", "demo").output
        #expect(output.contains("project  demo (id 1)\nkey      "))
        #expect(output.contains("DSN      http://"))
    }

    @Test("a name that is taken ends with 65, names the project and leaves nothing behind")
    func duplicate() throws {
        let service = try TestService()
        _ = try service.json("project", "create", "Demo", "--json")
        let run = try service.run("project", "create", "demo", "--json")
        #expect(run.status == 65)
        #expect(run.output.isEmpty)
        #expect(run.errors == "mesher: project demo already exists; see mesher project show demo\n")
        #expect(try service.open().query("SELECT FROM api_keys").count == 1)
    }

    @Test("a project goes into the default organization, or into the one that is named and must exist")
    func organizations() throws {
        let service = try TestService()
        #expect(try service.run("org", "create", "Acme Inc").output == "acme-inc\n")
        #expect(try service.run("org", "create", "acme inc").status == 65)
        _ = try service.json("project", "create", "one", "--json")
        _ = try service.json("project", "create", "two", "--org", "acme-inc", "--json")
        let missing = try service.run("project", "create", "three", "--org", "nobody")
        #expect(missing.status == 65)
        #expect(missing.errors == "mesher: no organization nobody; see mesher org list\n")
        #expect(
            try service.run("org", "list").output == """
                ORGANIZATION  PROJECTS
                acme-inc             1
                default              1

                """)
        let list = try #require(try service.json("project", "list", "--json") as? [[String: Any]])
        #expect(list.map { $0["organization"] as? String } == ["default", "acme-inc"])
    }

    @Test("a public URL that is none is found before anything is created")
    func wrongPublicURL() throws {
        var service = try TestService()
        service.environment["MESHER_PUBLIC_URL"] = "intake.example"
        #expect(try service.run("project", "create", "demo").status == 78)
        #expect(try service.open().query("SELECT FROM projects").count == 0)
    }

    @Test("a project is found by slug and by id, and an unknown one ends with 65")
    func find() throws {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        let bySlug = try service.run("project", "show", "demo")
        #expect(bySlug.status == 0)
        #expect(try service.run("project", "show", "1").output == bySlug.output)
        for reference in ["nobody", "2", "-1", "9223372036854775808", "'; DROP TABLE projects; --"] {
            let run = try service.run("project", "show", "--", reference)
            #expect(run.status == 65)
            #expect(run.errors.contains("no project"))
        }
    }

    @Test("set changes what is named, keeps the rest, and none goes back to the default")
    func set() throws {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        func limits() throws -> [Int?] {
            let show = try #require(try service.json("project", "show", "demo", "--json") as? [String: Any])
            let project = try #require(show["project"] as? [String: Any])
            return ["rate_limit_events", "rate_limit_seconds", "retention_days"].map { project[$0] as? Int }
        }
        #expect(try limits() == [nil, nil, nil])
        #expect(try service.run("project", "set", "demo", "--rate-limit", "5").status == 0)
        #expect(try limits() == [5, nil, nil])
        _ = try service.json("project", "set", "1", "--rate-limit-window", "10", "--retention-days", "3", "--json")
        #expect(try limits() == [5, 10, 3])
        #expect(try service.run("project", "set", "demo", "--rate-limit", "none", "--retention-days", "30").status == 0)
        #expect(try limits() == [nil, 10, 30])
        #expect(try service.run("project", "set", "nobody", "--rate-limit", "5").status == 65)
    }

    @Test("set names the origins whose pages may send, and none lets all of them")
    func origins() throws {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        func origins() throws -> [String]? {
            let show = try #require(try service.json("project", "show", "demo", "--json") as? [String: Any])
            return (show["project"] as? [String: Any])?["allowed_origins"] as? [String]
        }
        #expect(try origins() == nil)
        func set(_ origins: String...) throws -> Execution {
            try service.run(["project", "set", "demo"] + origins.flatMap { ["--allowed-origin", $0] })
        }
        let run = try set("https://Shop.example", "https://*.b.example")
        #expect(run.output == "demo: pages of https://shop.example https://*.b.example may send\n")
        #expect(try origins() == ["https://shop.example", "https://*.b.example"])
        #expect(try set("none").status == 0)
        #expect(try origins() == nil)
        #expect(try set("shop.example").status == 64)
        #expect(try set("none", "https://a.example").status == 64)
    }

    @Test("set says what is removed from events, and off removes nothing")
    func scrub() throws {
        let service = try TestService()
        _ = try service.json("project", "create", "demo", "--json")
        func rules() throws -> [String]? {
            let show = try #require(try service.json("project", "show", "demo", "--json") as? [String: Any])
            return (show["project"] as? [String: Any])?["scrub"] as? [String]
        }
        #expect(try rules() == nil)
        #expect(try service.run("project", "show", "demo").output.contains("\nscrub         off\n"))
        let run = try service.run("project", "set", "demo", "--scrub", "default,Email,customer_no,email")
        #expect(run.output == "demo: scrub is default,email,customer_no\n")
        #expect(try rules() == ["default", "email", "customer_no"])
        let show = try service.run("project", "show", "demo").output
        #expect(show.contains("\nscrub         default,email,customer_no\n"))
        for wrong in [
            "", ",", "default,", "a b", "default,off", "none,ip", "straße", "-", String(repeating: "a", count: 65),
        ] {
            #expect(try service.run("project", "set", "demo", "--scrub", wrong).status == 64, "\(wrong)")
        }
        #expect(try service.run("project", "set", "demo", "--rate-limit", "5").status == 0)
        #expect(try rules() == ["default", "email", "customer_no"])
        #expect(try service.run("project", "set", "demo", "--scrub", "off").output == "demo: scrub is off\n")
        #expect(try rules() == nil)
    }

    @Test("show prints of each key the DSN, and the address for browsers' security reports")
    func reportAddress() throws {
        let service = try TestService()
        let project = try #require(try service.json("project", "create", "demo", "--json") as? [String: Any])
        let (key, dsn) = (project["key"] as? String ?? "", project["dsn"] as? String ?? "")
        let show = try service.run("project", "show", "demo").output
        #expect(show.contains("DSN           \(dsn)\n"))
        #expect(show.contains("report-uri    http://intake.example:8080/api/1/security/?sentry_key=\(key)\n"))
    }

    @Test("a renamed project keeps its id and its DSN, and a name that is taken is refused")
    func rename() throws {
        let service = try TestService()
        let project = try #require(try service.json("project", "create", "demo", "--json") as? [String: Any])
        _ = try service.json("project", "create", "other", "--json")
        #expect(try service.run("project", "rename", "demo", "My Shop").output == "demo is now my-shop (id 1)\n")
        let dsns = (try service.json("project", "show", "my-shop", "--json") as? [String: Any])?["dsns"] as? [String]
        #expect(dsns == [project["dsn"] as? String ?? ""])
        #expect(try service.run("project", "show", "demo").status == 65)
        let taken = try service.run("project", "rename", "1", "Other")
        #expect(taken.status == 65)
        #expect(taken.errors == "mesher: project other already exists; see mesher project show other\n")
        let again = try service.json("project", "rename", "1", "demo", "--json") as? [String: Any]
        #expect(again?["slug"] as? String == "demo" && again?["id"] as? Int == 1)
    }
}
