internal import CSandbox
internal import Glibc
internal import System

/// What a process gives up for good, as far as the kernel supports it, before it reads what others have sent. By then
/// it has opened what it needs; it can still connect and reconnect to its servers.
package struct Sandbox: Sendable {
    /// How a process is confined, by its own account; the raw value is a word of its slot.
    package struct Bonds: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        package static let landlock = Bonds(rawValue: 1)
        package static let seccomp = Bonds(rawValue: 2)
    }

    private enum Kind {
        /// Opens files for reading only, and only what looking up a server's name takes; connects by TCP to these ports.
        case serving(ports: [UInt16])
        /// Writes files below these folders only.
        case writing(below: [String])
    }

    private let kind: Kind
    /// Bytes of address space; nil for no limit.
    private let addressSpace: UInt64?

    /// For a process that handles what strangers send.
    ///
    /// - Parameters:
    ///   - ports: TCP ports of Redis and of Sentinels, whose names the resolver looks up; none when Redis has a socket in
    ///     the file system.
    ///   - addressSpace: in bytes.
    package static func edge(redisPorts ports: [Int], addressSpace: UInt64) -> Sandbox {
        Sandbox(kind: .serving(ports: ports.map { UInt16(clamping: $0) }), addressSpace: addressSpace)
    }

    /// For storage. libpq reads files that may be anywhere: certificates, passwords, tickets, the resolver's libraries.
    /// So reading stays allowed, and system calls that start or touch other processes do not.
    package static func storage(writesBelow folders: [String]) -> Sandbox {
        Sandbox(kind: .writing(below: folders.map(nearestFolder)), addressSpace: nil)
    }

    /// Gives it up. The corresponding C functions are `prctl`, `setrlimit`, `landlock_restrict_self` and `seccomp`.
    ///
    /// - Returns: how the process is confined from now on.
    package func begin() -> Bonds {
        ProcessAttributes.forbidNewPrivileges()
        // A core would hold what clients have sent, and passwords.
        ProcessAttributes.limit(RLIMIT_CORE, to: 0)
        if let addressSpace { ProcessAttributes.limit(RLIMIT_AS, to: rlim_t(addressSpace)) }
        var bonds: Bonds = []
        switch kind {
        case .serving(let ports):
            ProcessAttributes.limit(RLIMIT_FSIZE, to: 0)
            // A log file is lost then; it must not end the process.
            signal(SIGXFSZ, SIG_IGN)
            // Besides Redis, name servers, which are queried by TCP for long answers.
            let resolver: (folders: [String], ports: [UInt16]) =
                ports.isEmpty ? ([], []) : (Self.resolverFolders(), [53])
            if Self.restrictFiles(readable: resolver.folders, ports: ports + resolver.ports) {
                bonds.insert(.landlock)
            }
            if mesher_restrict_to_serving() == 0 { bonds.insert(.seccomp) }
        case .writing(let folders):
            if Self.restrictFiles(writable: folders) { bonds.insert(.landlock) }
            if mesher_restrict_to_itself() == 0 { bonds.insert(.seccomp) }
        }
        return bonds
    }

    /// The version of Landlock that the kernel has, nil when it has none. The corresponding C function is
    /// `landlock_create_ruleset`.
    package static var landlockVersion: Int? {
        let version = mesher_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    /// What the kernel supports.
    package static var possible: Bonds {
        var bonds: Bonds = landlockVersion == nil ? [] : .landlock
        if mesher_has_seccomp() != 0 { bonds.insert(.seccomp) }
        return bonds
    }

    /// Where the resolver reads, nsswitch.conf(5): /etc, and what /etc/resolv.conf is a link to.
    private static func resolverFolders() -> [String] {
        guard let path = realpath("/etc/resolv.conf", nil) else { return ["/etc"] }
        defer { free(path) }
        let file = String(cString: path)
        return ["/etc", String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])]
    }

    /// A folder, or the one in which it will be made.
    private static func nearestFolder(_ path: String) -> String {
        var folder = path[...]
        while access(String(folder), F_OK) != 0, let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
            folder = folder[..<slash]
        }
        return String(folder)
    }

    private static func restrictFiles(readable: [String], ports: [UInt16]) -> Bool {
        withList(readable) { readable in
            (ports + [0]).withUnsafeBufferPointer { ports in
                var rules = mesher_landlock_rules()
                rules.readable = readable
                rules.ports = ports.baseAddress
                return mesher_restrict_files(&rules) == 0
            }
        }
    }

    private static func restrictFiles(writable: [String]) -> Bool {
        withList(writable) { writable in
            var rules = mesher_landlock_rules()
            rules.reads_everywhere = 1
            rules.writable = writable
            return mesher_restrict_files(&rules) == 0
        }
    }

    /// Strings as C takes a list of them, ended by NULL.
    private static func withList(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Bool
    ) -> Bool {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return (copies.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
