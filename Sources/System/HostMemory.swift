internal import Glibc

/// The memory that there is for this process and all beside it.
package enum HostMemory {
    /// Bytes: those of the machine, or of the control group when it may have less.
    package static var size: Int {
        let machine = sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE))
        return min(machine, groupLimit ?? machine)
    }

    /// The limit of the control group, cgroups(7) version 2; nil when there is none.
    private static var groupLimit: Int? {
        guard let path = group(in: text(of: "/proc/self/cgroup")) else { return nil }
        return limit(in: text(of: "/sys/fs/cgroup\(path)/memory.max"))
            ?? limit(in: text(of: "/sys/fs/cgroup/memory.max"))
    }

    /// The path that a line `0::/path` names.
    static func group(in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("0::/") }.map { String($0.dropFirst(3)) }
    }

    /// A number; `max` is none.
    static func limit(in text: String) -> Int? {
        text.split(separator: "\n").first.flatMap { Int($0) }
    }

    /// The first bytes of a file, empty when it cannot be read.
    private static func text(of path: String) -> String {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return "" }
        defer { close(number) }
        return withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 1) { room in
            let count = read(number, room.baseAddress, room.count)
            return String(decoding: room.prefix(max(count, 0)), as: UTF8.self)
        }
    }
}
