internal import Glibc

/// What an operator has done to data that is gone afterwards, for the system's log: who and what, never whose data it was.
enum OperatorLog {
    /// Writes a line to standard error and, where the system has `/dev/log`, to its log. The corresponding C function is
    /// `vsyslog`.
    ///
    /// - Parameter what: such as `deleted 3 events of project 1`.
    static func note(_ what: String) {
        let line = line(what, user: getuid(), login: login)
        writeError("mesher: \(line)\n")
        guard access("/dev/log", F_OK) == 0 else { return }
        openlog("mesher", LOG_PID, Int32(LOG_USER))
        line.withCString { text in
            withVaList([text]) { vsyslog(LOG_NOTICE, "%s", $0) }
        }
        closelog()
    }

    /// The corresponding C function is `getpwuid`.
    static func name(of user: uid_t) -> String? {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) }
    }

    /// Who has become this user by sudo(8), as that says; nil for nobody.
    static var login: String? { getenv("SUDO_USER").map { String(cString: $0) } }

    /// - Parameter login: who has become this user by sudo(8), as that says.
    static func line(_ what: String, user: uid_t, login: String?) -> String {
        let name = name(of: user) ?? "a user without a name"
        let before = login.map { ", by sudo of \(TextTable.printable(String($0.prefix(64))))" } ?? ""
        return "\(name) (uid \(user)\(before)) \(what)"
    }
}
