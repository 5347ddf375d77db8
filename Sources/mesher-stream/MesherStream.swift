internal import Configuration
internal import Edge
internal import Glibc
internal import Ingestion
internal import Journal
internal import Logging
internal import Redis
internal import Scoreboard
internal import System

/// `mesher-stream`: accepts WebSocket connections on the listening socket that is its descriptor 0, and on the one that
/// `MESHER_LISTENER_FD` names, and forks a session for each.
@main
enum MesherStream {
    static func main() {
        let log = Journal.logger("mesher-stream")
        switch ProcessAttributes.arguments.first {
        case nil: break
        case "--version":
            print("mesher-stream \(Release.version)")
            exit(0)
        default:
            log.error("usage: mesher-stream, with the listening socket as descriptor 0")
            exit(EX_USAGE)
        }
        let settings = EdgeProcess.begin(log)
        let ready = ReadySignal.inherited()
        do throws(SystemError) {
            let directory = settings.text(.runDirectory)
            let table = if let shared = SessionTable.open(in: directory) { shared } else { try SessionTable.unseen() }
            let slot = try ProcessSlot.inherited(runDirectory: directory)
            slot.setSessionMemory(limit: memory(settings).bytes)
            var listener = try Listener.open(
                sockets: try ListeningPair.inherited(), ready: ready, slot: slot,
                table: table, options: options(settings), log: log)
            try listener.run()
        } catch {
            log.error("the listener cannot continue", metadata: ["reason": "\(error)"])
            exit(EX_OSERR)
        }
    }

    /// The most bytes that storage may leave unread of one session.
    private static let pendingLimit = 16 << 20

    private static func options(_ settings: Settings) -> Listener.Options {
        var ingestion = IngestionMachine.Options()
        ingestion.bulkEvents = settings.integer(.bulkEvents)
        ingestion.processorTime = { Clock.processor() }
        let engine = Engine.Options(
            storageSocket: settings.text(.runDirectory) + "/storage.sock", pendingLimit: pendingLimit,
            redis: RedisServer(settings), redisPrefix: settings.text(.redisPrefix), redisUse: .whileNeeded)
        let session = Session.Options(
            engine: engine, ingestion: ingestion,
            projectConnections: settings.integer(.streamProjectConnections), memory: memory(settings),
            age: nanoseconds(settings, .streamAge), pingInterval: nanoseconds(settings, .streamPing))
        return Listener.Options(
            connections: settings.integer(.streamConnections), connectionsPerSecond: settings.integer(.streamRate),
            session: session)
    }

    private static func memory(_ settings: Settings) -> MemoryBound {
        let mebibytes = settings.integer(.streamMemory)
        return MemoryBound(bytes: mebibytes == 0 ? HostMemory.size / 8 : mebibytes << 20)
    }

    private static func nanoseconds(_ settings: Settings, _ setting: Setting) -> Int64 {
        Int64(settings.integer(setting)) * 1_000_000_000
    }
}
