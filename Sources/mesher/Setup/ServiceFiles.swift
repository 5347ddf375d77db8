internal import Glibc
internal import TLS

/// Looks at files as the service does that is about to be set up.
enum ServiceFiles {
    /// The user of the service.
    static let user = "mesher"

    /// - Parameter user: who has to be able to read them; a user that this host does not have yet can not be tried.
    /// - Throws: `CommandError`, which says what is wrong with which file.
    static func check(_ files: TLSContext.Files, readBy user: String? = user) throws(CommandError) {
        try check(readBy: user) { files.fault }
    }

    /// The same of a certificate whose key is not known yet.
    static func check(certificate path: String, readBy user: String? = user) throws(CommandError) {
        try check(readBy: user) { TLSContext.Files.fault(ofCertificate: path) }
    }

    private static func check(readBy user: String?, _ find: () -> TLSFault?) throws(CommandError) {
        let own = Identity()
        var isOther = false
        if let user, let entry = getpwnam(user) {
            let (id, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
            isOther = initgroups(user, group) == 0 && setegid(group) == 0 && seteuid(id) == 0
        }
        let fault = find()
        own.restore()
        guard let fault else { return }
        if case .file(let path, let why) = fault, isOther, why == String(cString: strerror(EACCES)) {
            let name = user ?? "root"
            let advice = "chown root:\(name) and chmod 640, in a folder that it may enter, such as /etc/mesher"
            throw CommandError(.configuration, "\(path): \(why) for \(name), whom the service runs as: \(advice)")
        }
        throw CommandError(.configuration, "\(fault)")
    }

    /// libpq refuses a key that others may read, and only then, when it connects.
    static func checkDatabaseKey(_ path: String) throws(CommandError) {
        var status = stat()
        guard !path.isEmpty, stat(path, &status) == 0 else { return }
        let forbidden: mode_t = status.st_uid == 0 ? 0o037 : 0o077
        guard status.st_mode & forbidden != 0 else { return }
        throw CommandError(
            .configuration,
            "\(path): others can read or write this key, which libpq refuses: chown root:\(user) and chmod 640")
    }

    /// Who this process is.
    private struct Identity {
        private let user = geteuid()
        private let group = getegid()
        private let groups: [gid_t]

        init() {
            var groups = [gid_t](repeating: 0, count: 64)
            let count = getgroups(CInt(groups.count), &groups)
            self.groups = Array(groups.prefix(Int(max(0, count))))
        }

        func restore() {
            seteuid(user)
            setegid(group)
            setgroups(groups.count, groups)
        }
    }
}
