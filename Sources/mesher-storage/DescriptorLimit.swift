import Glibc

/// How many descriptors this process may have open, `RLIMIT_NOFILE`.
enum DescriptorLimit {
    /// Raises the soft limit to the hard one: each session keeps a connection for life, and the usual 1,024 are few.
    ///
    /// - Returns: the limit in force. The corresponding C functions are `getrlimit` and `setrlimit`.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0
        return Int(clamping: isRaised ? raised.rlim_cur : limit.rlim_cur)
    }
}
