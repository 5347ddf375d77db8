internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Spool
internal import StorageChannel
internal import System

/// `mesher spool drain`: delivers the spool while storage does not run.
struct SpoolDrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Deliver it while the service is stopped, for instance from a host that is being retired.",
        discussion: """
            Stores as the role of MESHER_STORAGE_DATABASE_URL. It must be the database by whose keys the events were accepted, \
            wherever that is now, or the events of one project could become another's. What PostgreSQL refuses, what is \
            damaged, and events of projects that the database does not have go to the quarantine. Root works as the owner of \
            the spool. Exit status: 0 the spool is empty, 65 it is another database, 69 PostgreSQL cannot be reached, 75 \
            storage owns the spool.
            """)

    /// Events that are stored together.
    private static let events = 500

    @Flag(
        help:
            "Deliver into a database that is not known to be that of the events; their projects' ids must be the same.")
    var intoAnotherDatabase = false
    @OptionGroup var options: CommonOptions

    func run() throws {
        let settings = try options.settings()
        let origin = SpoolOrigin(settings)
        let spool = try Self.open(settings)
        var delivery = try EventDelivery.open(settings)
        var stored = 0
        var setAside = 0
        while !spool.index.isCounted { spool.survey() }
        if !intoAnotherDatabase, let fault = try delivery.fault(spool.index.projectIDs, of: origin) {
            let advice = "correct MESHER_STORAGE_DATABASE_URL, or give --into-another-database"
            throw CommandError(.dataError, "this may be another database: \(fault). Nothing was delivered: \(advice)")
        }
        while let piece = spool.oldest(events: Self.events) {
            let items = try Self.deliver(piece, &delivery, &stored)
            try spool.setAside(items)
            setAside += items.count
            spool.delivered(piece)
        }
        let findings = spool.takeFindings()
        for finding in findings { writeError("mesher: \(finding)\n") }
        print("delivered \(stored) events, set aside \(setAside)")
        guard spool.index.segments.isEmpty else {
            throw CommandError(.dataError, "not all could be read: see mesher spool verify")
        }
    }

    private static func open(_ settings: Settings) throws -> SpoolDirectory {
        let path = settings.spoolDirectory
        // It would be made, with the wrong owner.
        guard access(path, F_OK) == 0 else { throw SystemError("open", path) }
        try SpoolOwner.become(of: path)
        do throws(SystemError) {
            // What is set aside must fit, however full it is.
            return try SpoolDirectory.open(path, limits: SpoolDirectory.Limits(bytes: .max, projectBytes: .max))
        } catch {
            guard error.code == EWOULDBLOCK else { throw error }
            throw CommandError(
                .temporaryFailure, "storage owns \(path): stop the service first (systemctl stop mesher)")
        }
    }

    /// Stores what a piece holds, and returns what is to be set aside.
    private static func deliver(
        _ piece: SpooledPiece, _ delivery: inout EventDelivery, _ stored: inout Int
    ) throws(DatabaseError) -> [QuarantineItem] {
        let wall = Clock.wall()
        var items = piece.content.damages.map { piece.damage($0, wall: wall) }
        var records: [[UInt8]] = []
        var events: [SpooledEvent] = []
        for range in piece.content.records {
            let record = Array(piece.content.bytes[range])
            if let event = SpooledEvent(record) {
                records.append(record)
                events.append(event)
            } else {
                items.append(piece.damage(range, wall: wall))
            }
        }
        let refused = try delivery.deliver(events, withProof: true)
        items += refused.map {
            QuarantineItem(
                event: records[$0.position], events[$0.position].head, sqlState: $0.reason.sqlState,
                reason: $0.reason.message, wall: wall)
        }
        stored += events.count - refused.count
        return items
    }
}
