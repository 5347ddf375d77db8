internal import ArgumentParser
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import System

/// `mesher events export`: a project's events as lines that can be sent again.
struct EventsExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the events of a project, one per line, as they were sent.",
        discussion: """
            A line is the event's payload on one line. If the payload has not the id of the row, or its time, the line has them as \
            its last members. Oldest first; pages of a bounded size with pauses, so that intake hardly notices. What is still in \
            a spool is not in it.

            --route bulk takes only lines that a bulk and mesher stream take back as the same rows, --route store those that \
            need the route of Sentry's SDKs (mesher send --lines --route store). Without it all are written, and it says how many \
            are of which kind. The time of receipt is in no line: whoever takes an event decides that.

            --resume goes on behind the last whole line of FILE; of a .gz, which has a gzip member for each megabyte, behind the \
            last whole member. Give the same options.
            """)

    /// A route that takes events back.
    enum Route: String, ExpressibleByArgument, CaseIterable {
        case bulk, store

        var line: ExportLine.Route { self == .bulk ? .native : .store }
    }

    @Argument(help: "Slug or id of the project.") var project: String
    @Option(help: ArgumentHelp("Events received then or later, \(EventMoment.help).", valueName: "time"))
    var since: EventMoment?
    @Option(help: ArgumentHelp("Events received before.", valueName: "time")) var until: EventMoment?
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only events with this value; each of several must match. NAME is one of \(EventCondition.names.joined(separator: ", ")).",
            valueName: "name=value"))
    var conditions: [EventCondition] = []
    @Option(help: "Only events that this route takes back as the same rows.") var route: Route?
    @Option(
        name: .customLong("output"), help: "A file that is not there yet, instead of standard output.",
        completion: .file())
    var path: String?
    @Flag(help: "Compress, as for a FILE that ends in .gz.") var gzip = false
    @Flag(help: "Go on with FILE.") var resume = false
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard !resume || path != nil else { throw ValidationError("--resume needs --output FILE") }
    }

    func run() throws {
        // What it does with each line takes more of the processor than PostgreSQL's part, and intake may be on the same host.
        nice(19)
        let connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection).id
        let now = try connection.query("SELECT (extract(epoch FROM now() + interval '1 minute') * 1000000)::bigint")
        let end = try until?.microseconds(on: connection) ?? now[row: 0, column: 0].flatMap { Int64($0) } ?? 0
        let start = try since?.microseconds(on: connection) ?? 0
        let isGzip = gzip || path?.hasSuffix(".gz") == true
        var file = try resume ? ExportFile.resume(path ?? "", isGzip: isGzip) : ExportFile.create(path, isGzip: isGzip)
        var export = EventExport(project: project, conditions, range: start..<max(start, end), route: route?.line)
        if let line = file.lastLine { try export.goOn(after: line, path ?? "", on: connection) }
        // A plan made while a partition was empty must be good when it is full.
        try connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        try export.run(into: &file, on: connection)
        writeError("mesher: \(export.summary)\n")
    }
}

/// An export on its way.
struct EventExport: ~Copyable {
    private let project: Int64
    private let route: ExportLine.Route?
    private var maker = ExportLineMaker()
    private var pages: ExportPages
    /// The last line that is written already, and its day.
    private var start: (day: String, position: TailCursor.Position)?
    private var native = 0
    private var store = 0
    private var others = 0
    private var leftOut = 0

    init(project: Int64, _ conditions: [EventCondition], range: Range<Int64>, route: ExportLine.Route?) {
        self.project = project
        self.route = route
        pages = ExportPages(project: project, conditions, range: range)
    }

    private var written: Int { native + store + others }

    var summary: String {
        let kinds = "\(native) for bulks and mesher stream, \(store) for the store route, \(others) for neither"
        return "\(written) events exported: \(kinds)" + (leftOut > 0 ? "; \(leftOut) left out" : "")
    }

    /// Continues behind an event.
    ///
    /// - Throws: `CommandError` when it is no longer there, `DatabaseError`.
    mutating func goOn(after line: [UInt8], _ path: String, on connection: borrowing Connection) throws {
        guard let id = maker.id(of: line) else {
            throw CommandError(.dataError, "\(path): its last line is no event of an export")
        }
        let rows = try connection.query(
            """
            SELECT to_char(received_on, 'YYYYMMDD'), (extract(epoch FROM received_at) * 1000000)::bigint
            FROM public.events WHERE project_id = $1 AND event_id = $2::uuid ORDER BY received_on LIMIT 1
            """, [String(project), id])
        guard rows.count == 1, let day = rows[row: 0, column: 0],
            let moment = rows[row: 0, column: 1].flatMap({ Int64($0) })
        else {
            throw CommandError(.dataError, "\(path): the event of its last line, \(id), is not stored any more")
        }
        start = (day, TailCursor.Position(receivedAt: moment, id: id))
    }

    /// Writes all of them.
    mutating func run(into file: inout ExportFile, on connection: borrowing Connection) throws {
        var pace = StepPace()
        var progress = TerminalProgress()
        for partition in try Partition.all(on: connection) where partition.state == .attached {
            if let start, partition.day < start.day { continue }
            var position = TailCursor.Position(receivedAt: 0, id: String(repeating: "0", count: 32))
            if let start, partition.day == start.day { position = start.position }
            while true {
                let begin = Clock.monotonic()
                let rows = try pages.next(of: partition, after: position, atMost: pace.rows, on: connection)
                let received = Clock.monotonic()
                let pause = pace.took(received - begin)
                let processor = Clock.processor()
                guard let last = rows.last else { break }
                position = last.position
                for row in rows where row.values != nil { try write(row, into: &file) }
                progress.show("\(partition.day): \(written) events")
                let worked = Clock.monotonic() - received
                let courtesy = StepPace.pause(after: worked, processor: Clock.processor() - processor)
                Clock.sleep(nanoseconds: max(pause - worked, 0) + courtesy)
            }
        }
        try file.finish()
        progress.end()
    }

    private mutating func write(_ row: ExportedRow, into file: inout ExportFile) throws {
        let line = maker.line(of: row)
        guard route == nil || route == line.route else {
            leftOut += 1
            return
        }
        switch line.route {
        case .native: native += 1
        case .store: store += 1
        case nil: others += 1
        }
        try file.append(line.text)
    }
}
