internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import Spool
internal import StorageChannel
internal import System

/// `mesher spool`: events that are accepted, on this host's disk, and not in PostgreSQL yet.
struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool", abstract: "Inspect and deliver the events that wait on this host's disk for PostgreSQL.",
        subcommands: [Status.self, Verify.self, SpoolDrainCommand.self, Export.self])

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show how much it holds, and since when.")
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let settings = try options.settings()
            let spool = try SpoolInspection(settings)
            let oldest = spool.segments.first.flatMap { spool.oldest($0) }
            if output.isJSON {
                return print(
                    JSON.object([
                        "directory": .string(spool.directory), "segments": .integer(Int64(spool.segments.count)),
                        "bytes": .integer(Int64(spool.bytes)), "limit_bytes": .integer(Int64(spool.limit)),
                        "oldest_received_at": .optional(oldest), "quarantine": .integer(Int64(spool.quarantined)),
                        "in_use": .boolean(spool.isInUse),
                    ]))
            }
            print("directory   \(spool.directory)\(spool.isInUse ? ", in use by storage" : "")")
            print("spool       \(spool.segments.count) segments" + (oldest.map { ", oldest event of \($0)" } ?? ""))
            print("quarantine  \(spool.quarantined) items")
            print("bytes       \(spool.bytes) of \(spool.limit)")
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read all of it and report damage.",
            discussion:
                "Exit status: 0 all is sound, 65 something is damaged or of another version. While storage writes, "
                + "the last segment may end unfinished.")
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let spool = try SpoolInspection(options.settings())
            let findings = spool.segments.map { spool.verify($0) }
            if output.isJSON {
                print(JSON.array(findings.map(\.json)))
            } else {
                var table = TextTable(["SEGMENT": .right, "EVENTS": .right, "DAMAGED": .right, "STATE": .left])
                for finding in findings {
                    table.append([
                        String(finding.segment), String(finding.events), String(finding.damages), finding.state,
                    ])
                }
                print(table)
            }
            if findings.contains(where: { !$0.isSound }) { throw ExitCode(ExitStatus.dataError.rawValue) }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print its events as JSON, one per line, oldest first.",
            discussion: "Nothing is changed. Exit status: 0 all was printed, 65 something could not be read.")
        @OptionGroup var options: CommonOptions

        func run() throws {
            let spool = try SpoolInspection(options.settings())
            var isWhole = true
            for segment in spool.segments {
                let isSound = spool.forEachPiece(of: segment) { piece in
                    for range in piece.records {
                        if let event = SpooledEvent(Array(piece.bytes[range])) {
                            print(event.json)
                        } else {
                            isWhole = false
                        }
                    }
                    isWhole = isWhole && piece.damages.isEmpty
                }
                isWhole = isWhole && isSound == nil
            }
            if !isWhole { throw CommandError(.dataError, "some of it could not be read: see mesher spool verify") }
        }
    }
}
