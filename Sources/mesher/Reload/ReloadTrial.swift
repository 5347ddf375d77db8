internal import Configuration
internal import PostgreSQL
internal import Scoreboard

/// Tries the new settings on each dependency that the running service reaches. One that would no longer work is a
/// mistake in the configuration, not an outage.
struct ReloadTrial {
    private static let redis: [Setting] = [
        .redisSocket, .redisHost, .redisPort, .redisSentinels, .redisMaster, .redisSentinelUser, .redisSentinelPassword,
        .redisUser, .redisPassword, .redisDatabase, .redisTLS, .redisAuthorities, .redisCertificate,
        .redisCertificateKey,
    ]

    private let settings: Settings
    private let file: String?
    private let record: ConfigurationRecord
    private let readings: [SlotReading]

    /// Nil when what the service would read cannot be told: it has an environment or a command line of its own, or its
    /// secrets can be read by itself alone.
    init?(file: String?) {
        guard let settings = try? Settings(file: file),
            let record = ConfigurationRecord.read(in: settings.text(.runDirectory))
        else { return nil }
        self.settings = settings
        self.file = file
        self.record = record
        readings = ScoreboardFile.readings(in: settings.text(.runDirectory))
    }

    /// Why a reload would break something, one sentence each.
    func failures() -> [String] {
        var failures: [String] = []
        if isUp(.postgresql), record.speaks(of: [.storageDatabaseURL], in: settings, file: file) {
            do throws(DatabaseError) {
                let connection = try Connection.open(
                    settings.text(.storageDatabaseURL), applicationName: "mesher reload")
                _ = try connection.query("SELECT 1 FROM public.api_keys LIMIT 0")
            } catch {
                failures.append("PostgreSQL, which the running service reaches: \(error)")
            }
        }
        if isUp(.redis), record.speaks(of: Self.redis, in: settings, file: file),
            let finding = RedisCheck(settings).findings().first, finding.isFault
        {
            failures.append("Redis, which the running service reaches: \(finding.text)")
        }
        return failures
    }

    private func isUp(_ dependency: Dependency) -> Bool {
        readings.contains { $0.state == .ready && $0.dependencies[dependency.rawValue] == true }
    }
}
