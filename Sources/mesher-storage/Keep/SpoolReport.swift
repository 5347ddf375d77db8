import Logging
import Scoreboard
import Spool
import StorageChannel
import System

/// Reports on the spool, in the log and the scoreboard: each change of state once, refusals once per second.
struct SpoolReport {
    private static let interval: Int64 = 1_000_000_000

    private let logger: Logger
    private let slot: ProcessSlot
    /// Nil until it is known.
    private var wasUsable: Bool?
    private var faults = ToldReasons()
    private var standstill = ToldReasons()
    private var shortage = ToldReasons()
    /// Events kept since it was empty.
    private var kept = 0
    private var quietUntil: Int64 = .min
    private var unreported = 0
    private var asideQuietUntil: Int64 = .min
    private var unreportedAside = 0

    init(_ logger: Logger, _ slot: ProcessSlot) {
        self.logger = logger
        self.slot = slot
    }

    mutating func isUsable() {
        if wasUsable == false { logger.notice("the spool can be used again") }
        wasUsable = true
        faults.end()
    }

    mutating func failed(_ error: SystemError, now: Int64) {
        wasUsable = false
        guard faults.tells(error.description, now: now) else { return }
        logger.error("the spool cannot be used", metadata: ["reason": "\(error)"])
    }

    mutating func kept(_ events: Int) {
        isUsable()
        slot.countSpooled(events)
        if kept == 0 { logger.warning("events go to the spool") }
        kept += events
    }

    mutating func delivered(_ events: Int, isLast: Bool) {
        slot.countDelivered(events)
        guard isLast else { return }
        logger.notice("the spool is delivered")
        kept = 0
    }

    mutating func standsStill(_ isSo: Bool, now: Int64) {
        if !isSo, standstill.isEmpty { return }
        if isSo {
            guard standstill.tells("", now: now) else { return }
            let seconds = Backlog.patience / 1_000_000_000
            logger.error("the spool is not being delivered", metadata: ["seconds": "\(seconds)"])
        } else {
            standstill.end()
            logger.notice("the spool is being delivered again")
        }
    }

    mutating func setAside(_ items: [QuarantineItem], now: Int64) {
        slot.countQuarantined(items.count)
        guard now >= asideQuietUntil, let first = items.first else {
            unreportedAside += items.count
            return
        }
        asideQuietUntil = now + Self.interval
        var metadata: Logger.Metadata = ["items": "\(items.count)", "kind": "\(first.kind.rawValue)"]
        if first.project != 0 { metadata["project"] = "\(first.project)" }
        if let sqlState = first.sqlState {
            metadata["sqlstate"] = "\(sqlState)"
        } else if let reason = first.reason {
            // With a code PostgreSQL may quote a value.
            metadata["reason"] = "\(reason)"
        }
        if unreportedAside > 0 { metadata["unreported"] = "\(unreportedAside)" }
        unreportedAside = 0
        logger.error("moved to the quarantine", metadata: metadata)
    }

    mutating func refused(_ refusal: SpoolDirectory.Refusal, project: Int64, now: Int64) {
        guard now >= quietUntil else {
            unreported += 1
            return
        }
        quietUntil = now + Self.interval
        let reason = refusal == .full ? "full" : "share of the project used up"
        var metadata: Logger.Metadata = ["reason": "\(reason)", "project": "\(project)"]
        if unreported > 0 { metadata["unreported"] = "\(unreported)" }
        unreported = 0
        logger.error("the spool takes no more", metadata: metadata)
    }

    func found(_ findings: [SpoolFinding]) {
        for finding in findings { logger.error("the spool is damaged", metadata: ["reason": "\(finding)"]) }
    }

    /// - Parameter oldest: when its oldest event was received, in microseconds since 2000-01-01.
    func holds(events: Int, oldest: Int64?, bytes: Int, limit: Int, quarantined: Int) {
        slot.setSpool(
            events: events, bytes: bytes, limit: limit, oldest: oldest.map { $0 &+ EventRecord.epochOffset },
            quarantined: quarantined)
    }

    /// - Parameters:
    ///   - room: what its file system has left, as far as that is known.
    ///   - used: bytes of the spool.
    ///   - fault: why it cannot be used, errno(3); 0 when it can.
    mutating func has(_ room: SpoolRoom?, used: Int, limit: Int, fault: CInt) {
        slot.setSpoolDisk(bytes: room?.bytes, files: room?.files, fault: fault)
        guard let room, room.isTooSmall(used: UInt64(clamping: used), limit: UInt64(clamping: limit)) else {
            return shortage.end()
        }
        let what =
            room.files == 0 ? "no inodes are left" : room.isExhausted ? "no room is left" : "less room than the limit"
        // No outage yet: once.
        guard shortage.tells(what, now: 0) else { return }
        let metadata: Logger.Metadata = [
            "reason": "\(what)", "free_mib": "\(room.bytes >> 20)", "limit_mib": "\(limit >> 20)",
        ]
        if room.isExhausted {
            logger.error("the spool's file system is full", metadata: metadata)
        } else {
            logger.warning("the spool cannot grow to its limit", metadata: metadata)
        }
    }
}
