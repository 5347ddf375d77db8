import Foundation
import Testing

@testable import Configuration

struct SettingsTests {
    /// A file with some content, removed when it is lost.
    private final class File {
        let path = "/tmp/mesher-settings.\(UInt64.random(in: .min ... .max))"

        init(_ content: String) throws {
            try content.write(toFile: path, atomically: false, encoding: .utf8)
        }

        deinit {
            unlink(path)
        }
    }

    private static func settings(
        _ content: String, environment: [String: String] = [:], arguments: [String] = []
    ) throws -> Settings {
        let file = try File(content)
        return try Settings(file: file.path, environment: environment, arguments: arguments)
    }

    /// The text of the fault, with the file's path shortened to "FILE".
    private static func fault(_ content: String) throws -> String? {
        let file = try File(content)
        let error = #expect(throws: Settings.Fault.self) { try Settings(file: file.path, environment: [:]) }
        return error?.description.replacingOccurrences(of: file.path, with: "FILE")
    }

    @Test("without a file, environment or arguments everything is at its default")
    func defaults() throws {
        let settings = try Self.settings("")
        for setting in Setting.all {
            #expect(settings.text(setting) == setting.fallback)
            #expect(settings.origin(setting) == .default)
        }
    }

    @Test("every default of a number is within its range, and no name occurs twice")
    func defaultsAreInRange() {
        for setting in Setting.all {
            if case .integer(let range) = setting.kind { #expect(Int(setting.fallback).map(range.contains) == true) }
            if case .toggle = setting.kind { #expect(["on", "off"].contains(setting.fallback)) }
        }
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        #expect(Setting.all.allSatisfy { $0.name.hasPrefix("MESHER_") })
    }

    @Test("the environment goes over the file, the command line over both, and each says where it came from")
    func precedence() throws {
        let file = try File("# comment\n\n  MESHER_WORKERS = 2  \nMESHER_HOSTS=3\nMESHER_RUN_DIR=/a b=c\n")
        let settings = try Settings(
            file: file.path, environment: ["MESHER_HOSTS": "4", "MESHER_REDIS_PORT": "5", "MESHER_UNKNOWN": "x"],
            arguments: ["MESHER_REDIS_PORT=6"])
        #expect(settings.integer(.workers) == 2)
        #expect(settings.origin(.workers) == .file(file.path, line: 3))
        #expect(settings.integer(.hosts) == 4)
        #expect(settings.origin(.hosts) == .environment)
        #expect(settings.integer(.redisPort) == 6)
        #expect(settings.origin(.redisPort) == .commandLine)
        #expect(settings.text(.runDirectory) == "/a b=c")
    }

    @Test("servers are hosts with a port each, separated by commas; anything else is a fault")
    func servers() throws {
        let list = try #require(ServerAddress.list("a:1, 10.0.0.1:65535,[::1]:3"))
        #expect(list.map { "\($0)" } == ["a:1", "10.0.0.1:65535", "[::1]:3"])
        #expect(ServerAddress.list("")?.isEmpty == true)
        for text in [
            "a", "a:", ":1", "a:0", "a:65536", "a:1,", ",", "::1:3", "[::1]", "[]:1", "u@a:1", "redis://a:1", "a b:1",
        ] {
            #expect(ServerAddress.list(text) == nil, "\(text)")
        }
        #expect(
            try Self.fault("MESHER_REDIS_SENTINELS=a")
                == "FILE:1: MESHER_REDIS_SENTINELS=a: must be servers separated by commas, each host:port")
    }

    @Test("an unknown key in the file is a fault that names the file, the line and the key")
    func unknownKey() throws {
        #expect(try Self.fault("MESHER_WORKERS=1\nMESHER_WORKRES=2\n") == "FILE:2: MESHER_WORKRES: no such setting")
        #expect(try Self.fault("OTHER=2") == "FILE:1: OTHER: no such setting")
        #expect(try Self.fault("mesher_workers=2") == "FILE:1: mesher_workers: no such setting")
        #expect(try Self.fault("MESHER_WORKERS_FILE=/x") == "FILE:1: MESHER_WORKERS_FILE: no such setting")
    }

    @Test("an unknown key on the command line is a fault")
    func unknownArgument() {
        let error = #expect(throws: Settings.Fault.self) {
            try Settings(environment: [:], arguments: ["MESHER_NONE=1"])
        }
        #expect(error?.description == "command line: MESHER_NONE: no such setting")
        #expect(throws: Settings.Fault.self) { try Settings(environment: [:], arguments: ["MESHER_WORKERS"]) }
    }

    @Test("a line that is no NAME=value is a fault that names file and line")
    func malformedLine() throws {
        #expect(try Self.fault("\nMESHER_WORKERS 4") == "FILE:2: MESHER_WORKERS 4: expected NAME=value")
    }

    @Test(
        "a number out of its range, or none at all, is a fault that says the range and the unit",
        arguments: ["-1", "257", "", "2.5", "0x10", "9223372036854775808", "two"])
    func outOfRange(value: String) throws {
        let expected = "FILE:1: MESHER_WORKERS=\(value): must be a whole number from 0 to 256 processes"
        #expect(try Self.fault("MESHER_WORKERS=\(value)") == expected)
    }

    @Test("what may be on or off takes nothing else")
    func toggles() throws {
        #expect(try !Self.settings("").isOn(.senderAddress))
        #expect(try Self.settings("MESHER_SENDER_ADDRESS=on").isOn(.senderAddress))
        #expect(try !Self.settings("MESHER_SENDER_ADDRESS=off").isOn(.senderAddress))
        for value in ["", "On", "1", "true", "on off"] {
            #expect(
                try Self.fault("MESHER_SENDER_ADDRESS=\(value)")
                    == "FILE:1: MESHER_SENDER_ADDRESS=\(value): must be on or off")
        }
    }

    @Test("the ends of a range belong to it")
    func endsOfRange() throws {
        #expect(try Self.settings("MESHER_WORKERS=0").integer(.workers) == 0)
        #expect(try Self.settings("MESHER_WORKERS=256").integer(.workers) == 256)
    }

    @Test("a secret can be given as a file, in the file and in the environment, and its line break is not part of it")
    func secretFile() throws {
        let secret = try File("swordfish\n")
        #expect(try Self.settings("MESHER_REDIS_PASSWORD_FILE=\(secret.path)").text(.redisPassword) == "swordfish")
        let environment = ["MESHER_REDIS_PASSWORD_FILE": secret.path]
        let settings = try Self.settings("", environment: environment)
        #expect(settings.text(.redisPassword) == "swordfish")
        #expect(settings.origin(.redisPassword) == .environment)
    }

    @Test("a secret's file that is not there is a fault that names it")
    func missingSecretFile() throws {
        #expect(
            try Self.fault("MESHER_REDIS_PASSWORD_FILE=/nonexistent/s") == "/nonexistent/s: No such file or directory")
    }

    @Test("who needs no secret is not asked to read the files that hold them")
    func secretsLeftAlone() throws {
        let file = try File("MESHER_REDIS_PASSWORD_FILE=/nonexistent/s\nMESHER_WORKERS=3\n")
        let settings = try Settings(
            file: file.path, environment: ["MESHER_DATABASE_URL_FILE": "/nonexistent/u"], readsSecretFiles: false)
        #expect(settings.integer(.workers) == 3)
        #expect(settings.origin(.redisPassword) == .default)
    }

    @Test("a file that was named must be there, and must be UTF-8")
    func unreadableFile() throws {
        #expect(throws: Settings.Fault.self) { try Settings(file: "/nonexistent/mesher.conf", environment: [:]) }
        let file = try File("")
        try Data([0x4d, 0xff, 0x0a]).write(to: URL(fileURLWithPath: file.path))
        let error = #expect(throws: Settings.Fault.self) { try Settings(file: file.path, environment: [:]) }
        #expect(error?.description == "\(file.path): not UTF-8")
    }

    @Test("a secret that was set is masked where it is shown, other values and defaults are not")
    func masks() throws {
        let settings = try Self.settings("MESHER_REDIS_PASSWORD=swordfish\nMESHER_REDIS_USER=anna\n")
        #expect(settings.shown(.redisPassword) == "********")
        #expect(settings.shown(.redisUser) == "anna")
        #expect(settings.shown(.databaseURL) == "postgresql:///mesher")
        #expect(try Self.settings("MESHER_REDIS_PASSWORD=").shown(.redisPassword) == "")
    }

    @Test("a program is given what is set and meant for it, and nothing else")
    func environmentForPrograms() throws {
        let settings = try Self.settings(
            "MESHER_REDIS_PASSWORD=s\nMESHER_DATABASE_URL=postgresql://a\nMESHER_STORAGE_DATABASE_URL=postgresql://b\n")
        #expect(settings.environment(for: .worker).isEmpty && settings.environment(for: .storage).isEmpty)
        #expect(settings.secrets(for: .worker) == ["MESHER_REDIS_PASSWORD=s"])
        #expect(settings.secrets(for: .storage) == ["MESHER_STORAGE_DATABASE_URL=postgresql://b"])
        #expect(settings.environment(for: .watchdog).isEmpty)
    }

    @Test("a worker never gets a way into the database")
    func workersKnowNoDatabase() {
        #expect(
            !Setting.databaseURL.programs.contains(.worker) && !Setting.storageDatabaseURL.programs.contains(.worker))
        #expect(!Setting.databaseURL.programs.contains(.storage))
    }
}
