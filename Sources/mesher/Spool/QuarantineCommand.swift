internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Spool
internal import StorageChannel
internal import System

/// `mesher quarantine`: what was accepted, and what PostgreSQL refuses or the disk has damaged.
struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "List, show, retry and drop refused events and damaged parts of the spool.",
        subcommands: [List.self, Show.self, Retry.self, Drop.self])

    /// Which files a command is about.
    struct Selection: ParsableArguments {
        @Argument(help: "The numbers that `list` shows.") var numbers: [UInt64] = []
        @Flag(help: "All of them.") var all = false
        @OptionGroup var options: CommonOptions

        func validate() throws {
            if numbers.isEmpty != all { throw ValidationError("name numbers, or give --all") }
        }

        /// - Throws: `CommandError` when one of them is not there.
        func entries(_ directory: String) throws -> [Quarantine.Entry] {
            let entries = try QuarantineCommand.entries(directory)
            if all { return entries }
            return try numbers.map { number in
                guard let entry = entries.first(where: { $0.number == number }) else {
                    throw CommandError(.dataError, "no \(number) in the quarantine")
                }
                return entry
            }
        }
    }

    /// Nothing when there is no directory.
    static func entries(_ directory: String) throws(SystemError) -> [Quarantine.Entry] {
        do throws(SystemError) {
            return try Quarantine.list(directory)
        } catch {
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all items, oldest first.")
        @OptionGroup var output: OutputOptions
        @OptionGroup var options: CommonOptions

        func run() throws {
            let directory = SpoolDirectory.quarantine(in: try options.settings().spoolDirectory)
            let entries = try QuarantineCommand.entries(directory)
            let items = entries.map { (entry: $0, item: try? QuarantinedItem($0, in: directory)) }
            if output.isJSON { return print(JSON.array(items.map { Self.json($0.entry, $0.item) })) }
            var table = TextTable([
                "NUMBER": .right, "KIND": .left, "PROJECT": .right, "EVENT": .left, "BYTES": .right, "REASON": .left,
            ])
            for (entry, item) in items {
                table.append([
                    String(entry.number), entry.kind.rawValue, entry.project == 0 ? nil : String(entry.project),
                    item?.event?.id, String(entry.bytes), item?.reason ?? "cannot be read",
                ])
            }
            print(table)
        }

        private static func json(_ entry: Quarantine.Entry, _ item: QuarantinedItem?) -> JSON {
            .object([
                "number": .integer(Int64(clamping: entry.number)), "kind": .string(entry.kind.rawValue),
                "project": entry.project == 0 ? .null : .integer(entry.project), "event": .optional(item?.event?.id),
                "bytes": .integer(Int64(entry.bytes)), "reason": .optional(item?.reason),
            ])
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an item: an event as JSON; with --raw, its bytes.")
        @Argument(help: "The number that `list` shows.") var number: UInt64
        @Flag(help: "Print the bytes as they are.") var raw = false
        @OptionGroup var options: CommonOptions

        func run() throws {
            let directory = SpoolDirectory.quarantine(in: try options.settings().spoolDirectory)
            guard let entry = try QuarantineCommand.entries(directory).first(where: { $0.number == number }) else {
                throw CommandError(.dataError, "no \(number) in the quarantine")
            }
            let item = try QuarantinedItem(entry, in: directory)
            if raw {
                Self.write(item.bytes)
            } else if let event = item.event {
                print(JSON.object(["reason": .string(item.reason), "event": event.json]))
            } else {
                print(JSON.object(["reason": .string(item.reason), "bytes": .integer(Int64(item.bytes.count))]))
            }
        }

        /// To standard output. The corresponding C function is `write`.
        private static func write(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Retry events, once the reason for the refusal is gone.",
            discussion: """
                Stored items leave the quarantine; items that are refused again stay, with exit status 65. Events of a project \
                that the database no longer has can be given to another project. It stores as the role of \
                MESHER_STORAGE_DATABASE_URL, even while the service runs.
                """)
        @Option(help: "Slug or id of the project that gets them, instead of their own.") var project: String?
        @OptionGroup var selection: Selection

        func validate() throws {
            guard project == nil || !selection.all else {
                throw ValidationError("name the numbers: --all may be events of several projects")
            }
        }

        func run() throws {
            let settings = try selection.options.settings()
            let directory = SpoolDirectory.quarantine(in: settings.spoolDirectory)
            let entries = try selection.entries(directory)
            var delivery = try EventDelivery.open(settings)
            let recipient = try project.map { reference in
                guard let recipient = try delivery.project(reference) else {
                    throw CommandError(
                        .dataError, "no project \(TextTable.printable(reference)); see mesher project list")
                }
                return recipient
            }
            var left = 0
            for entry in entries {
                guard var event = try QuarantinedItem(entry, in: directory).event else {
                    writeError("mesher: \(entry.number): not an event that PostgreSQL could take\n")
                    left += 1
                    continue
                }
                if let recipient { event = event.moved(to: recipient) }
                if let refusal = try delivery.deliver([event], withProof: false).first {
                    writeError("mesher: \(entry.number): refused again: \(refusal.reason)\n")
                    left += 1
                } else {
                    try QuarantinedItem(entry, in: directory).remove()
                    print("\(entry.number) stored as event \(event.id) of project \(event.project)")
                }
            }
            if left > 0 { throw ExitCode(ExitStatus.dataError.rawValue) }
        }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove items for good.",
            discussion: "Shows how many events and damaged parts they are, and asks.")
        @Flag(help: "Only show what they are.") var dryRun = false
        @OptionGroup var confirmation: Confirmation
        @OptionGroup var selection: Selection

        func run() throws {
            let directory = SpoolDirectory.quarantine(in: try selection.options.settings().spoolDirectory)
            let entries = try selection.entries(directory)
            if dryRun || !confirmation.isGiven { print(Self.summary(of: entries)) }
            if dryRun || entries.isEmpty { return }
            try confirmation.ask("Remove what was accepted and stored nowhere else, for good?")
            OperatorLog.note("drops from the quarantine \(directory): \(Self.summary(of: entries))")
            for entry in entries {
                guard unlink("\(directory)/\(entry.name)") == 0 else { throw SystemError("unlink", directory) }
                print("\(entry.number) dropped")
            }
        }

        private static func summary(of entries: [Quarantine.Entry]) -> String {
            let events = entries.filter { $0.kind == .event }
            let projects = Set(events.map(\.project)).sorted().map(String.init).joined(separator: ", ")
            let whose = events.isEmpty ? "" : " of the projects \(projects)"
            return "\(events.count) events\(whose), \(entries.count - events.count) damaged parts, "
                + "\(entries.reduce(0) { $0 + $1.bytes }) bytes"
        }
    }
}
