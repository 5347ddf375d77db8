internal import Glibc
internal import System

/// The user of the service, to whom all of its spool must belong.
enum SpoolOwner {
    /// Lets root go on as the owner of a directory, so that what is made there can be read by the service. The corresponding
    /// C functions are `initgroups`, `setegid` and `seteuid`.
    static func become(of directory: String) throws(SystemError) {
        guard geteuid() == 0 else { return }
        var status = stat()
        guard stat(directory, &status) == 0 else { throw SystemError("stat", directory) }
        guard status.st_uid != 0 else { return }
        // Without a name it has no other groups.
        if let user = getpwuid(status.st_uid) {
            initgroups(user.pointee.pw_name, status.st_gid)
        } else {
            setgroups(0, nil)
        }
        guard setegid(status.st_gid) == 0 else { throw SystemError("setegid", directory) }
        guard seteuid(status.st_uid) == 0 else { throw SystemError("seteuid", directory) }
    }
}
