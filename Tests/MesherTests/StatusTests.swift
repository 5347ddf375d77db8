import Foundation
import System
import TestServers
import Testing

@testable import mesher

struct StatusTests {
    private static func document(writtenAt: Double) -> String {
        """
        {"version":"1","written_at":\(writtenAt),"processes":[{"role":"worker","name":"worker events 0","pid":12,\
        "state":"ready","started_at":90061,"starts_at":null,"restarts":3,"requests_per_second":1.5,"in_hand":4,\
        "memory_bytes":10485760,"heartbeat_age":0.1,"executing_for":7.5},{"role":"storage","name":"storage","pid":null,\
        "state":"waiting","started_at":1,"starts_at":90075.2,"restarts":9,"requests_per_second":0.0,"in_hand":0,\
        "memory_bytes":null,"heartbeat_age":null,"executing_for":null}],"events":{"accepted":5,"discarded":\
        {"invalid_json":2,"rate_limited":3,"unavailable":0}},"dependencies":{"redis":false,"postgresql":true},\
        "storage":{"ready":false,"degraded":["postgresql","keys"],"last_commit_at":90040,"partitions_ahead":7,"spool":{"events":12,\
        "bytes":5242880,"limit_bytes":10485760,"oldest_received_at":90030,"quarantine":2,\
        "available_bytes":1048576,"available_inodes":5,"fault":"No space left on device"}},"rate_limit_fallbacks":0,"log_lines_dropped":0,\
        "health":{"bulk":{"at":90067,"duration":0.0012,"failures_in_row":3}},\
        "last_reload":{"at":90061,"succeeded":false}}
        """
    }

    @Test("the report is a table of the processes, and what the whole does")
    func report() throws {
        let document = try StatusDocument(Self.document(writtenAt: 90_070), path: "status.json")
        let lines = StatusReport(document, now: 90_070).description.split(separator: "\n").map(String.init)
        #expect(
            lines[1].split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
                == "worker worker events 0 12 ready, executing for 7 s 1970-01-02 01:01:01Z 3 1.5 4 10.0 MiB")
        #expect(
            lines[2].split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
                == "storage storage - waiting 6 s - 9 0.0 0 -")
        #expect(
            lines.dropFirst(3) == [
                "events      accepted 5", "            discarded 5 (rate_limited 3, invalid_json 2)",
                "needs       postgresql up, redis DOWN",
                "ready       NO, DEGRADED: postgresql, keys",
                "storage     last commit 30 s ago, partitions for 7 days ahead",
                "spool       12 events, the oldest 40 s old, 5.0 MiB of 10.0 MiB, QUARANTINE 2, ONLY 1.0 MiB LEFT ON DISK, "
                    + "UNUSABLE: No space left on device",
                "streams     0 sessions",
                "check       bulk: FAILED 3 times in a row, 1.2 ms, 3 s ago",
                "reload      FAILED at 1970-01-02 01:01:01Z",
            ])
    }

    @Test("whatever times and numbers the file names, the report is made")
    func hostileNumbers() throws {
        for number in ["1e300", "-1e300", "9223372036854775807"] {
            let text = Self.document(writtenAt: 90_070)
                .replacing("90061", with: number).replacing("90075.2", with: number).replacing("90030", with: number)
                .replacing("7.5", with: number).replacing("90067", with: number)
            let document = try StatusDocument(text, path: "status.json")
            #expect(StatusReport(document, now: 90_070).description.contains("worker events 0"))
        }
    }

    /// Runs `mesher status` on a run directory with such a file.
    private func run(_ arguments: [String], file: String?) throws -> Execution {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mesher.\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try file?.write(to: folder.appendingPathComponent("status.json"), atomically: true, encoding: .utf8)
        return try Execution.run(
            Execution.program("mesher"), ["status"] + arguments, environment: ["MESHER_RUN_DIR": folder.path])
    }

    @Test("without a running watchdog it ends with 69 and says so")
    func notRunning() throws {
        let absent = try run([], file: nil)
        #expect(absent.status == 69 && absent.errors.contains("no watchdog is running"))
        let stale = try run([], file: Self.document(writtenAt: 90_070))
        #expect(stale.status == 69 && stale.errors.contains("the watchdog does not run"))
    }

    @Test("hosts are a line each and a sum; one that does not answer is named, and ends it with 69")
    func hosts() throws {
        let document = try StatusDocument(Self.document(writtenAt: 90_070), path: "status.json")
        let away = CommandError(.unavailable, "refused")
        let report = HostsReport(
            [("a", .success(document)), ("b", .failure(away)), ("c", .success(document))], now: 90_070)
        let lines = report.description.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            lines.dropFirst() == [
                "a NO 5 5 1.5 0 12 40 s 2 postgresql, keys", "b ? - - - - - - - refused",
                "c NO 5 5 1.5 0 12 40 s 2 postgresql, keys", "all 0 of 3 10 10 3.0 0 24 - 4 -",
            ])
        #expect(!report.isComplete)
        let json = "\(report.json)"
        #expect(json.contains(#"{"host":"b","error":"refused"}"#) && json.contains(#""sum":{"accepted":10,"#))
        let run = try run(["--hosts", "127.0.0.1:1"], file: nil)
        #expect(run.status == 69 && run.output.contains("127.0.0.1:1"))
    }

    @Test(
        "a host is named by its address, with a port, or by a URL",
        arguments: [
            ("a", "http://a:9464/status.json"), ("a:1", "http://a:1/status.json"),
            ("[::1]", "http://[::1]:9464/status.json"), ("[::1]:2", "http://[::1]:2/status.json"),
            ("https://a/x", "https://a/x/status.json"), ("https://a/s.json", "https://a/s.json"),
        ])
    func hostURL(name: String, url: String) {
        #expect(RemoteHost(name).url == url)
    }

    @Test("a file of another version is named, not guessed at", arguments: ["", "{}", "[1", "\u{0}"])
    func otherVersion(text: String) throws {
        let run = try run([], file: text)
        #expect(run.status == 70 && run.errors.contains("another version"))
    }

    @Test("--json prints what the watchdog has written")
    func json() throws {
        let text = Self.document(writtenAt: Double(Clock.wall()) / 1e6)
        let run = try run(["--json"], file: text)
        #expect(run.status == 0 && run.output == text)
    }
}
