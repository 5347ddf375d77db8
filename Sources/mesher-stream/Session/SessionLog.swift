internal import Glibc
internal import Ingestion
internal import Scoreboard
internal import System

/// What a session records about itself: counters in its listener's slot, a record in the table of sessions, a title in
/// `ps`.
struct SessionLog {
    let slot: ProcessSlot
    let table: SessionTable
    let record: Int
    let title: ProcessTitle

    func begin() {
        table.begin(record, pid: getpid(), wall: Clock.wall())
        title.set("mesher-stream: session upgrading")
    }

    /// Takes one of the project's places.
    ///
    /// - Returns: false when they are all taken.
    func enter(_ project: Int64, limit: Int) -> Bool {
        table.enter(record, project: project, limit: limit)
    }

    func refused(status: Int) {
        slot.countRefusedUpgrade(status: status)
        title.set("mesher-stream: session refused with \(status)")
    }

    func opened(_ project: Int64, peer: String) {
        slot.countOpenedSession()
        table.opened(record, peer: peer)
        title.set("mesher-stream: session of project \(project), open")
    }

    /// A session that was open ends.
    func closed(_ ending: SessionEnding, project: Int64) {
        slot.countClosedSession(ending)
        table.closed(record)
        title.set("mesher-stream: session of project \(project), closing (\(ending.name))")
    }

    func answered(_ answer: Answer) {
        slot.countStreamMessages()
        answer.outcomes.count(in: slot)
        table.answered(record, accepted: answer.outcomes.accepted)
    }
}
