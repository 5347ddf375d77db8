import Foundation
import Testing

@testable import Configuration

struct ConfigurationRecordTests {
    private let folder = NSTemporaryDirectory() + UUID().uuidString

    private func settings(_ text: String, environment: [String: String] = [:]) throws -> Settings {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: folder + "/conf", atomically: true, encoding: .utf8)
        return try Settings(file: folder + "/conf", environment: environment)
    }

    @Test("What has changed in the file since is named, also a secret in a file of its own, and no value is told")
    func changes() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/conf"
        let secret = folder + "/secret"
        _ = try settings("")
        try "swordfish".write(toFile: secret, atomically: true, encoding: .utf8)
        let before = try settings("MESHER_HOSTS=2\nMESHER_REDIS_PASSWORD_FILE=\(secret)\nMESHER_RETENTION_DAYS=9\n")
        try ConfigurationRecord(before, file: path).write(in: folder)
        let file = try String(contentsOfFile: ConfigurationRecord.path(in: folder), encoding: .utf8)
        #expect(!file.contains("swordfish"))
        let attributes = try FileManager.default.attributesOfItem(atPath: ConfigurationRecord.path(in: folder))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let record = try #require(ConfigurationRecord.read(in: folder))
        #expect(record.changed(in: before, file: path).isEmpty)
        try "sardine".write(toFile: secret, atomically: true, encoding: .utf8)
        let after = try settings("MESHER_REDIS_PASSWORD_FILE=\(secret)\nMESHER_RETENTION_DAYS=8\n")
        #expect(record.changed(in: after, file: path).map(\.name) == ["MESHER_REDIS_PASSWORD", "MESHER_HOSTS"])
        #expect(record.changed(in: after, file: "/other").isEmpty)
    }

    @Test("A certificate that was replaced under its name has changed; one that nobody uses or can read has not")
    func certificates() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/conf"
        let certificate = folder + "/certificate"
        let text = "MESHER_REDIS_CERTIFICATE=\(certificate)\nMESHER_REDIS_CA=\(folder)/missing\n"
        let used = try settings(text + "MESHER_REDIS_TLS=on\n")
        try "old".write(toFile: certificate, atomically: true, encoding: .utf8)
        let record = ConfigurationRecord(used, file: path)
        let unused = try settings(text)
        let withoutTLS = ConfigurationRecord(unused, file: path)
        #expect(record.changed(in: used, file: path).isEmpty)
        try "new".write(toFile: certificate, atomically: true, encoding: .utf8)
        #expect(record.changed(in: used, file: path).map(\.name) == ["MESHER_REDIS_CERTIFICATE"])
        #expect(withoutTLS.changed(in: unused, file: path).isEmpty)
        try FileManager.default.removeItem(atPath: certificate)
        #expect(record.changed(in: used, file: path).isEmpty)
    }

    @Test("Of what stands in an environment nothing can be said")
    func environment() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/conf"
        let record = try ConfigurationRecord(settings("MESHER_HOSTS=2"), file: path)
        let other = try settings("", environment: ["MESHER_HOSTS": "3"])
        #expect(record.changed(in: other, file: path).isEmpty)
        #expect(!record.speaks(of: [.hosts], in: other, file: path))
        #expect(try record.speaks(of: [.hosts, .workers], in: settings(""), file: path))
        let own = try ConfigurationRecord(settings("", environment: ["MESHER_HOSTS": "3"]), file: path)
        #expect(try own.changed(in: settings("MESHER_HOSTS=4"), file: path).isEmpty)
    }
}
