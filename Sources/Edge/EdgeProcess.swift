package import Configuration
internal import Glibc
package import Logging
internal import System

/// The first steps of an edge's program.
package enum EdgeProcess {
    /// Reads the settings that the watchdog passes on, and asks the kernel for a signal when the watchdog dies. If either
    /// fails, this ends the process, with a status of sysexits(3).
    package static func begin(_ log: Logger) -> Settings {
        let settings: Settings
        do throws(Settings.Fault) {
            settings = try Settings.inherited()
        } catch {
            log.error("the configuration cannot be used", metadata: ["fault": "\(error)"])
            exit(EX_CONFIG)
        }
        if ReadySignal.isAwaited, !ProcessAttributes.followSupervisor() {
            log.error("the watchdog died before this process started; exiting")
            exit(EX_TEMPFAIL)
        }
        ProcessAttributes.ignoreBrokenPipes()
        ProcessAttributes.returnLargeMemory()
        _ = ProcessAttributes.raiseDescriptorLimit()
        return settings
    }
}
