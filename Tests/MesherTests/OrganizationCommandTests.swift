import Foundation
import PostgreSQL
import TestServers
import Testing

@testable import mesher

struct OrganizationCommandTests {
    @Test("a renamed organization keeps its projects, and a name that is taken is refused")
    func rename() throws {
        let service = try TestService()
        for name in ["acme", "other"] { _ = try service.run("org", "create", name) }
        _ = try service.json("project", "create", "demo", "--org", "acme", "--json")
        #expect(try service.run("org", "rename", "acme", "Acme Inc").output == "acme is now acme-inc\n")
        let project = try #require(try service.json("project", "list", "--json") as? [[String: Any]])
        #expect(project.first?["organization"] as? String == "acme-inc")
        let taken = try service.run("org", "rename", "acme-inc", "other")
        #expect(taken.status == 65 && taken.errors == "mesher: organization other already exists\n")
        #expect(try service.run("org", "rename", "acme", "new").status == 65)
    }

    @Test("an organization that has projects is not deleted, and the projects are named")
    func deleteWithProjects() throws {
        let service = try TestService()
        for number in 1...12 { _ = try service.json("project", "create", "p-\(10 + number)", "--json") }
        let run = try service.run("org", "delete", "default", "--yes")
        #expect(run.status == 65 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("mesher: organization default has projects: p-11, p-12, "))
        #expect(run.errors.hasSuffix(", p-20 and 2 others\n"))
        #expect(try service.open().query("SELECT FROM organizations").count == 1)
    }

    @Test("an organization is deleted only when somebody says yes, and who has done it is logged")
    func delete() throws {
        let service = try TestService()
        _ = try service.run("org", "create", "acme")
        let trial = try service.run("org", "delete", "acme", "--dry-run")
        #expect(trial.status == 0 && trial.errors.isEmpty && trial.output == "organization acme has no projects\n")
        #expect(try service.run("org", "delete", "acme").status == 64)
        #expect(try service.open().query("SELECT FROM organizations").count == 1)
        let run = try service.run("org", "delete", "acme", "--yes")
        #expect(run.status == 0 && run.output.hasSuffix("\ndeleted\n"))
        #expect(run.errors.hasPrefix("mesher: ") && run.errors.hasSuffix(") has deleted organization acme\n"))
        #expect(try service.open().query("SELECT FROM organizations").count == 0)
        #expect(try service.run("org", "delete", "acme", "--yes").status == 65)
    }
}
