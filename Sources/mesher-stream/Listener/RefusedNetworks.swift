/// Networks whose upgrades were refused recently, so that one that keeps trying does not cost a session each time.
/// Times are nanoseconds of the monotonic clock.
struct RefusedNetworks {
    /// What a refusal costs its network: 32 per second are harmless.
    private static let cost: Int64 = 1_000_000_000 / 32
    /// The cost up to which refusals may come in a burst.
    private static let allowance: Int64 = 1_000_000_000
    /// The longest time for which a network is kept out.
    private static let longestWait: Int64 = 10_000_000_000
    /// The most networks that are remembered.
    static let capacity = 4_096

    /// When each network's debt ends, so that only time forgives.
    private var debts: [UInt64: Int64] = [:]

    /// How many are remembered.
    var count: Int { debts.count }

    /// Whether a network may ask for an upgrade.
    func mayAsk(_ network: UInt64, now: Int64) -> Bool {
        (debts[network] ?? now) - now <= Self.allowance
    }

    /// An upgrade was refused through the client's fault.
    mutating func refused(_ network: UInt64, now: Int64) {
        if debts[network] == nil, debts.count >= Self.capacity {
            debts = debts.filter { $0.value > now }
            guard debts.count < Self.capacity else { return }
        }
        let paid = max(debts[network] ?? now, now) + Self.cost
        debts[network] = min(paid, now + Self.allowance + Self.longestWait)
    }
}
