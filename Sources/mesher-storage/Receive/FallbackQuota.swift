import StorageChannel

/// The rate limit of this host while Redis is away: a fixed window for each project that starts with its first event and
/// grants the project's limit divided by the number of hosts, at least one event.
///
/// The windows are in a file of the run directory that is mapped into memory, so that a restart of storage, however it
/// ended, begins none anew. After a restart of the host none of them means anything.
struct FallbackQuota: ~Copyable {
    private let hosts: UInt32
    private let windows: WindowTable

    /// - Parameters:
    ///   - windows: those of the projects that Redis does not count now.
    ///   - hosts: those that share a project's limit.
    init(_ windows: consuming WindowTable, hosts: Int) {
        self.windows = windows
        self.hosts = UInt32(clamping: max(hosts, 1))
    }

    /// Counts one event.
    ///
    /// - Returns: nil when it is granted, else the seconds until the window ends, rounded up.
    func take(_ quota: ProjectQuota, now: Int64) -> UInt32? {
        let limit = UInt64(max(quota.events / hosts, 1))
        let length = Int64(quota.seconds) * 1_000_000_000
        let project = UInt64(bitPattern: quota.project)
        guard let window = windows.window(of: project, now: now) else {
            windows.begin(project, now: now, end: now &+ length)
            return nil
        }
        let left = windows.end(of: window) &- now
        // A window that is longer than the project's now is was begun under another limit.
        if left > length { windows.setEnd(of: window, now &+ length) }
        guard windows.granted(in: window) < limit else {
            return UInt32(clamping: (min(left, length) + 999_999_999) / 1_000_000_000)
        }
        windows.grant(in: window)
        return nil
    }
}
