internal import ArgumentParser
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import System

/// `mesher events tail`: events as they come, until it is interrupted.
struct EventsTailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Follow the events of a project.",
        discussion: """
            Shows the latest events, then new ones as they are stored, until interrupted. An event that waited on disk for \
            more than 10 s is stored with its time of receipt, and not shown. When PostgreSQL goes down it \
            reconnects and continues where it was.
            """)

    @Argument(help: "Slug or id of the project.") var project: String
    @Option(help: "Number of latest events to start with.") var limit = 10
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    /// Between two looks, in milliseconds.
    private static let pause: CInt = 500
    /// What is read at once.
    private static let pageSize = 1_000

    func validate() throws {
        guard (0...10_000).contains(limit) else { throw ValidationError("--limit must be from 0 to 10000") }
    }

    func run() throws {
        var connection = try options.openMigratedDatabase()
        let project = try Project.find(project, on: connection).id
        var cursor = TailCursor(now: Clock.wall())
        // Everything within the overlap counts as seen, so that what is shown first is just what was asked for.
        _ = try look(cursor.start, project, connection).map { cursor.take($0) }
        let latest = try StoredEvent.latest(limit, of: project, on: connection)
        _ = cursor.take(latest)
        show(latest.reversed())
        while true {
            do throws(DatabaseError) {
                for page in try look(cursor.start, project, connection) { show(cursor.take(page)) }
                cursor.forget()
                poll(nil, 0, Self.pause)
            } catch {
                guard error.isConnectionLost else { throw error }
                writeError("mesher: \(error); reconnecting\n")
                connection = try reconnect()
                writeError("mesher: reconnected\n")
            }
        }
    }

    /// Waits until PostgreSQL lets it in again.
    private func reconnect() throws -> Connection {
        while true {
            poll(nil, 0, 2 * Self.pause)
            do {
                return try options.openMigratedDatabase()
            } catch let error as DatabaseError where error.isConnectionLost || error.operation == "connect" {
                continue
            } catch SchemaError.database(let error, _) where error.isConnectionLost {
                continue
            }
        }
    }

    /// All pages from a position on.
    private func look(
        _ start: TailCursor.Position, _ project: Int64, _ connection: borrowing Connection
    ) throws(DatabaseError) -> [[StoredEvent]] {
        var pages: [[StoredEvent]] = []
        var position = start
        while true {
            let page = try StoredEvent.page(after: position, of: project, limit: Self.pageSize, on: connection)
            pages.append(page)
            guard page.count == Self.pageSize, let last = page.last else { return pages }
            position = TailCursor.Position(receivedAt: last.receivedAt, id: last.id)
        }
    }

    private func show(_ events: [StoredEvent]) {
        for event in events { print(output.isJSON ? event.json.description : event.line) }
        fflush(nil)
    }
}
