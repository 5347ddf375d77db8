internal import CSystem
internal import Glibc

/// What a process that handles what strangers send gives up for good, as far as the kernel lets it.
package enum Sandbox {
    /// The version of Landlock that the kernel has, nil when it has none. The corresponding C function is
    /// `landlock_create_ruleset`.
    package static var landlockVersion: Int? {
        let version = mesher_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    /// Whether the kernel takes filters of system calls. The corresponding C function is `seccomp`.
    package static var hasSeccomp: Bool { mesher_has_seccomp() != 0 }

    /// Opens no file any more, but for reading below a folder. Sockets are no files. The corresponding C function is
    /// `landlock_restrict_self`.
    ///
    /// - Parameter readable: the folder, nil for none.
    /// - Returns: false when the kernel has no Landlock.
    @discardableResult
    package static func restrictFiles(readable: String?) -> Bool {
        guard let readable else { return mesher_restrict_files(nil) == 0 }
        return mesher_restrict_files(readable) == 0
    }

    /// Makes only those system calls that serving a connection takes: it starts no program, forks no process, signals and
    /// looks into no other. The corresponding C function is `seccomp`.
    ///
    /// - Returns: false when the kernel takes no filter.
    @discardableResult
    package static func restrictCalls() -> Bool {
        mesher_restrict_calls() == 0
    }
}
