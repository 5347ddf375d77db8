internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import Spool
internal import StorageChannel
internal import System

/// What of a selection is on this host's disk and not in PostgreSQL: in the spool, from where it will be stored, and in the
/// quarantine, from where the operator may have it stored.
struct WaitingEvents {
    /// Records of the spool that match. Storage may have delivered some, and delivers them again if it is restarted before all
    /// of their segment is delivered.
    private(set) var spooled = 0
    private(set) var quarantined: [Quarantine.Entry] = []
    /// What cannot be searched: damaged parts, events of which PostgreSQL cannot read the payload, segments that cannot be read.
    private(set) var unreadable = 0
    private let quarantine: String

    /// - Throws: `CommandError` when the spool is there and may not be read, `DatabaseError`, `SystemError`.
    init(_ selection: EventSelection, _ settings: Settings, on connection: borrowing Connection) throws {
        let directory = settings.spoolDirectory
        quarantine = SpoolDirectory.quarantine(in: directory)
        guard access(directory, F_OK) == 0 || errno != ENOENT else { return }
        guard access(directory, R_OK | X_OK) == 0 else {
            throw CommandError(
                .notPermitted,
                "\(directory): \(String(cString: strerror(errno))), so nothing was done: events may wait there. "
                    + "Run it as root or as the service's user")
        }
        let search = WaitingSearch(selection)
        try findSpooled(search, SpoolInspection(settings), on: connection)
        // After the spool: storage moves what PostgreSQL refuses from there to here.
        for entry in try QuarantineCommand.entries(quarantine) {
            guard entry.kind == .event else {
                unreadable += 1
                continue
            }
            guard entry.project == selection.project else { continue }
            guard let event = try? QuarantinedItem(entry, in: quarantine).event else {
                unreadable += access("\(quarantine)/\(entry.name)", F_OK) == 0 ? 1 : 0
                continue
            }
            let (found, unclear) = try search.count([event], on: connection)
            if found > 0 { quarantined.append(entry) }
            unreadable += unclear
        }
    }

    private mutating func findSpooled(
        _ search: WaitingSearch, _ spool: SpoolInspection, on connection: borrowing Connection
    ) throws {
        for segment in spool.segments {
            var failure: (any Error)?
            var (found, unclear) = (0, 0)
            let fault = spool.forEachPiece(of: segment) { piece in
                guard failure == nil else { return }
                let events = piece.records.compactMap { SpooledEvent(Array(piece.bytes[$0])) }
                unclear += piece.damages.count + piece.records.count - events.count
                do {
                    let counts = try search.count(events, on: connection)
                    (found, unclear) = (found + counts.found, unclear + counts.unclear)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            // One that is gone has been delivered, before PostgreSQL is searched.
            let isGone = access(segment.path, F_OK) != 0
            if fault != nil, !isGone { unclear += 1 }
            if !isGone { (spooled, unreadable) = (spooled + found, unreadable + unclear) }
        }
    }

    /// Removes what the quarantine has of them, and returns how many. The corresponding C function is `unlink`.
    func removeQuarantined() throws(SystemError) -> Int {
        var removed = 0
        for entry in quarantined {
            let path = "\(quarantine)/\(entry.name)"
            if unlink(path) == 0 {
                removed += 1
            } else if errno != ENOENT {
                throw SystemError("unlink", path)
            }
        }
        return removed
    }
}

/// Asks PostgreSQL which events that are not in it are selected, so that there is one condition for all.
struct WaitingSearch {
    private let selection: EventSelection

    init(_ selection: EventSelection) {
        self.selection = selection
    }

    /// How many of the events are selected, and of how many that cannot be said.
    func count(
        _ events: [SpooledEvent], on connection: borrowing Connection
    ) throws(DatabaseError) -> (found: Int, unclear: Int) {
        let candidates = events.filter { event in
            event.project == selection.project
                && selection.before.map { event.head.receivedAt < $0 - EventRecord.epochOffset } ?? true
        }
        guard !candidates.isEmpty else { return (0, 0) }
        do throws(DatabaseError) {
            let arrays = [EventRecord.Column.eventID, .logger, .userID, .payload].map { column in
                EventDelivery.array(candidates.map { $0[column] })
            }
            let rows = try connection.query(selection.waitingStatement, selection.waitingParameters(arrays))
            return (rows.count, 0)
        } catch {
            // A payload that PostgreSQL cannot read is why an event is in the quarantine.
            guard error.blamesRow else { throw error }
            guard candidates.count > 1 else { return (0, 1) }
        }
        var (found, unclear) = (0, 0)
        for candidate in candidates {
            let counts = try count([candidate], on: connection)
            (found, unclear) = (found + counts.found, unclear + counts.unclear)
        }
        return (found, unclear)
    }
}
