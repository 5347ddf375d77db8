/// Whether Redis evicts keys when its memory is full.
package enum Eviction {
    /// The `maxmemory-policy` by which it does; nil when it evicts nothing, or does not say.
    ///
    /// - Parameter information: what INFO memory says.
    package static func policy(in information: String) -> String? {
        func value(_ name: String) -> Substring? {
            information.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }?.dropFirst(name.count + 1)
        }
        guard let policy = value("maxmemory_policy"), policy != "noeviction", let limit = value("maxmemory"),
            limit != "0"
        else { return nil }
        return String(policy)
    }
}
