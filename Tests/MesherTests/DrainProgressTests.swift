import Testing

@testable import mesher

struct DrainProgressTests {
    private typealias Storage = DrainProgress.Storage

    @Test("A host is drained once storage refuses events and neither it nor the disk has one")
    func drained() {
        #expect(DrainProgress().left == [])
        #expect(DrainProgress(isServiceRunning: false, storage: nil).left == [])
    }

    @Test(
        "What goes away by itself is waited for",
        arguments: [
            (DrainProgress(storage: nil), "storage does not run"),
            (DrainProgress(storage: Storage(isDraining: false)), "storage does not refuse events yet"),
            (DrainProgress(storage: Storage(eventsInHand: 1)), "1 event in flight"),
            (DrainProgress(storage: Storage(spooled: 2), hasSpool: true), "2 events in the spool"),
            // Storage counts what was just written a moment later.
            (DrainProgress(hasSpool: true), "events in the spool"),
            (
                DrainProgress(storage: Storage(spooled: 2, reachesPostgreSQL: false), hasSpool: true),
                "2 events in the spool, and PostgreSQL takes none"
            ),
        ])
    func moving(progress: DrainProgress, left: String) {
        #expect(progress.left == [left] && progress.isMoving)
    }

    @Test("What needs somebody to do something is not waited for")
    func resting() {
        let quarantine = DrainProgress(quarantined: 3)
        #expect(quarantine.left == ["3 items in the quarantine: mesher quarantine list"] && !quarantine.isMoving)
        let newer = DrainProgress(unreadable: ["0000000000000001.segment: format 9"])
        #expect(newer.left == ["0000000000000001.segment: format 9"] && !newer.isMoving)
        let stopped = DrainProgress(isServiceRunning: false, storage: nil, hasSpool: true)
        #expect(!stopped.isMoving && stopped.left.first?.contains("mesher spool drain") == true)
        let both = DrainProgress(storage: Storage(eventsInHand: 2), quarantined: 1)
        #expect(both.left == ["2 events in flight", "1 item in the quarantine: mesher quarantine list"])
        #expect(both.isMoving)
    }
}
