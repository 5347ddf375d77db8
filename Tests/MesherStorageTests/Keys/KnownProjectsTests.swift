import Testing

@testable import mesher_storage

@Suite struct KnownProjectsTests {
    @Test(
        "an event of a project that is not there has a fault, and so has one that waited for another project of its id")
    func faults() throws {
        var projects = KnownProjects()
        projects.replaceAll([1, 2], strangers: [2, 3])
        #expect(projects.fault(ofSpooled: 1) == nil && projects.fault(of: 2) == nil)
        #expect(try #require(projects.fault(ofSpooled: 3)).contains("no project 3"))
        #expect(try #require(projects.fault(ofSpooled: 2)).contains("another one"))
        projects.forgetReplaced()
        #expect(projects.fault(ofSpooled: 2) == nil)
    }

    @Test("those that changed come and go, and who was another one stays so until the spool is delivered")
    func changes() {
        var projects = KnownProjects()
        projects.replaceAll([1, 2], strangers: [2])
        projects.replace([1, 3], [3])
        #expect(projects.fault(of: 1) != nil && projects.fault(of: 3) == nil)
        projects.replaceAll([1, 2], strangers: [])
        #expect(projects.fault(ofSpooled: 1) == nil && projects.fault(ofSpooled: 2) != nil)
    }
}
