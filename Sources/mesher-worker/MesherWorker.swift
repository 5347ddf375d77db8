internal import CFastCGI
internal import Configuration
internal import Confinement
internal import Edge
internal import Glibc
internal import Ingestion
internal import Journal
internal import Logging
internal import Redis
internal import Scoreboard
internal import System

/// `mesher-worker events|bulk`: serves FastCGI on the listening socket that is its descriptor 0.
@main
enum MesherWorker {
    static func main() {
        let log = Journal.logger("mesher-worker")
        let role = ProcessAttributes.arguments.first ?? ""
        switch role {
        case "events", "bulk": break
        case "--version":
            print("mesher-worker \(Release.version)")
            exit(0)
        default:
            log.error("usage: mesher-worker events|bulk, with the listening socket as descriptor 0")
            exit(EX_USAGE)
        }
        let settings = EdgeProcess.begin(log)
        let ready = ReadySignal.inherited()
        ProcessAttributes.useBatchScheduling()
        if role == "bulk" { ProcessAttributes.yieldToOthers() }
        prepareLibrary(log)
        do throws(SystemError) {
            let directory = settings.text(.runDirectory)
            let redis = RedisServer(settings)
            let slot = try ProcessSlot.inherited(runDirectory: directory)
            var worker = try Worker.open(
                listener: Descriptor(adopting: 0), ready: ready, slot: slot,
                suspects: .inherited(runDirectory: directory), options: options(settings, redis, role: role), log: log)
            // Everything it needs is open. From here on it reads what strangers have sent.
            slot.set(bonds: sandbox(settings, redis).begin().rawValue)
            try worker.run()
        } catch {
            log.error("the worker cannot continue", metadata: ["reason": "\(error)"])
            exit(EX_OSERR)
        }
    }

    /// Initialises libfcgi; ends the process if it cannot be used.
    private static func prepareLibrary(_ log: Logger) {
        // Milliseconds that libfcgi would wait for nginx to close first.
        setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1)
        guard FCGX_Init() == 0 else {
            log.error("libfcgi could not be initialised")
            exit(EX_OSERR)
        }
        guard CheckedReading.isInForce() else {
            log.error("this libfcgi bypasses Mesher's check of FastCGI records; install Debian's libfcgi0ldbl")
            exit(EX_OSERR)
        }
    }

    /// The worker for large bodies pauses, because a large body also keeps nginx, storage and PostgreSQL busy, and
    /// small events would wait for all of them. Workers for small events never pause, however large a body becomes when
    /// decoded.
    private static let restPerByte: Int64 = 32

    /// Address space for several times the bytes in flight: a body exists as received, decoded and as frames, and
    /// decoders reserve windows.
    private static func sandbox(_ settings: Settings, _ redis: RedisServer) -> Sandbox {
        let bytesInHand = UInt64(clamping: settings.integer(.bytesInHand)) << 20
        return .edge(redisPorts: redis.tcpPorts, addressSpace: 1 << 30 + 8 * bytesInHand)
    }

    private static func options(_ settings: Settings, _ redis: RedisServer, role: String) -> Worker.Options {
        var ingestion = IngestionMachine.Options()
        let bytesInHand = settings.integer(.bytesInHand) << 20
        // Senders of large bodies expect to wait.
        ingestion.share = ProcessorShare(patience: role == "bulk" ? 2_000_000_000 : 100_000_000)
        ingestion.handsOnLarge = role == "events"
        ingestion.processorTime = { Clock.processor() }
        ingestion.bulkEvents = settings.integer(.bulkEvents)
        ingestion.takesSenderAddress = settings.isOn(.senderAddress)
        let engine = Engine.Options(
            storageSocket: settings.text(.runDirectory) + "/storage.sock", pendingLimit: 2 * bytesInHand,
            redis: redis, redisPrefix: settings.text(.redisPrefix), redisUse: .always)
        return Worker.Options(
            engine: engine, ingestion: ingestion,
            requestsInHand: settings.integer(.requestsInHand), bytesInHand: bytesInHand,
            restPerByte: role == "bulk" ? restPerByte : 0)
    }
}
