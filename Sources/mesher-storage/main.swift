import Configuration
import Confinement
import Glibc
import Journal
import Logging
import PostgreSQL
import Scoreboard
import System

/// Runs storage; the result is the exit status, from sysexits(3).
func runStorage() -> CInt {
    let logger = Journal.logger("mesher-storage")
    switch ProcessAttributes.arguments {
    case []: break
    case ["--version"]:
        print("mesher-storage \(Release.version)")
        return EX_OK
    default:
        logger.critical("it takes no arguments but --version; its settings come from the environment")
        return EX_USAGE
    }
    let readiness = ReadySignal.inherited()
    let isSupervised = ReadySignal.isAwaited
    if isSupervised, !ProcessAttributes.followSupervisor() {
        logger.error("the watchdog died before this process started; exiting")
        return EX_TEMPFAIL
    }
    ProcessAttributes.ignoreBrokenPipes()
    ProcessAttributes.returnLargeMemory()
    do {
        // The watchdog has read the file, perhaps an older one than is there now; what it gives is all there is.
        let settings = isSupervised ? try Settings.inherited() : try Settings()
        let configuration = try StorageConfiguration(settings, isSupervised: isSupervised)
        let slot = try ProcessSlot.inherited(runDirectory: settings.text(.runDirectory))
        var loop = try StorageLoop(configuration, readiness: readiness, slot: slot, logger: logger)
        // All frames come from edges, one of which may have been taken over.
        let folders = [settings.text(.runDirectory), configuration.stateDirectory, configuration.spoolDirectory]
        slot.set(bonds: Sandbox.storage(writesBelow: folders).begin().rawValue)
        try loop.run()
        unlink(configuration.socketPath)
        logger.info("stopped")
        return EX_OK
    } catch let fault as Settings.Fault {
        logger.critical("the configuration cannot be used", metadata: ["reason": "\(fault)"])
        return EX_CONFIG
    } catch let error as DatabaseError {
        logger.critical("the database's URL cannot be used", metadata: ["reason": "\(error)"])
        return EX_CONFIG
    } catch {
        logger.critical("storage cannot run", metadata: ["reason": "\(error)"])
        return EX_OSERR
    }
}

exit(runStorage())
