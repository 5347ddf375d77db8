import StorageChannel

/// The rate limit of this host while Redis is away: a fixed window for each project that starts with its first event and
/// grants the project's limit divided by the number of hosts, at least one event.
struct FallbackQuota {
    private struct Window {
        /// Nanoseconds of the monotonic clock.
        var end: Int64
        var granted: UInt32
    }

    /// The most projects that are counted at the same time; beyond it the window that ends first is forgotten.
    static let capacity = 10_000

    private let hosts: UInt32
    private let capacity: Int
    private var windows: [Int64: Window] = [:]

    init(hosts: Int, capacity: Int = Self.capacity) {
        self.hosts = UInt32(clamping: max(hosts, 1))
        self.capacity = max(capacity, 1)
    }

    /// Counts one event.
    ///
    /// - Returns: nil when it is granted, else the seconds until the window ends, rounded up.
    mutating func take(_ quota: ProjectQuota, now: Int64) -> UInt32? {
        let limit = max(quota.events / hosts, 1)
        if var window = windows[quota.project], now < window.end {
            guard window.granted < limit else {
                return UInt32(clamping: (window.end - now + 999_999_999) / 1_000_000_000)
            }
            window.granted += 1
            windows[quota.project] = window
            return nil
        }
        makeRoom(now: now)
        windows[quota.project] = Window(end: now + Int64(quota.seconds) * 1_000_000_000, granted: 1)
        return nil
    }

    private mutating func makeRoom(now: Int64) {
        guard windows.count >= capacity else { return }
        windows = windows.filter { $0.value.end > now }
        guard windows.count >= capacity, let first = windows.min(by: { $0.value.end < $1.value.end }) else { return }
        windows[first.key] = nil
    }
}
