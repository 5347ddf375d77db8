internal import Configuration
internal import Glibc

/// Where the watchdog's settings come from, so that a reload can read them again.
struct ConfigurationSource {
    /// The file, nil for the usual one.
    let file: String?
    /// `NAME=value` each, from the command line.
    let arguments: [String]

    /// - Throws: `Settings.Fault`, which names the file, the line and the key.
    func read() throws(Settings.Fault) -> Settings {
        try Settings(file: file, arguments: arguments)
    }

    /// Reads new settings. The sockets stay where they are, so the run directory must too.
    func read(replacing settings: Settings) throws(Settings.Fault) -> Settings {
        let new = try read()
        guard new.text(.runDirectory) == settings.text(.runDirectory) else {
            let origin = new.origin(.runDirectory)
            throw Settings.Fault(
                description: "\(origin): \(Setting.runDirectory.name): cannot change without a restart")
        }
        return new
    }
}

extension Settings {
    /// The children that are configured; without a number of workers one for each core.
    var children: [Child] {
        let wanted = integer(.workers)
        return Child.all(workers: wanted > 0 ? wanted : max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
    }
}
