import Foundation
import TestServers
import Testing

/// A project made for one test, so that its rows and its limit are those of this test alone.
struct Project {
    let stack: Stack
    let id: Int
    let slug: String
    let key: String
    let dsn: String

    /// Makes a project by the operator's command line, and returns when its key is known to the edges.
    static func create(on stack: Stack) throws -> Project {
        let name = "test-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let output = try stack.mesher("project", "create", name, "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        let project = Project(
            stack: stack, id: try #require(object["id"] as? Int), slug: try #require(object["slug"] as? String),
            key: try #require(object["key"] as? String), dsn: try #require(object["dsn"] as? String))
        // An encoding that there is not is refused after the key was checked, and costs nothing.
        let isKnown = try eventually {
            try stack.post("", key: project.key, [("Content-Encoding", "none")]).status == 415
        }
        try #require(isKnown, "the key is known within its time")
        return project
    }

    func post(_ body: String, _ headers: [(String, String)] = []) throws -> HTTPResponse {
        try stack.post(body, key: key, headers)
    }

    func postBulk(_ body: String, _ headers: [(String, String)] = []) throws -> HTTPResponse {
        try stack.post(body, to: "/api/v1/events/bulk", key: key, headers)
    }

    /// How many events are stored.
    func count() throws -> Int {
        try Int(stack.query("SELECT count(*) FROM events WHERE project_id = \(id)")[0][0]) ?? -1
    }
}
