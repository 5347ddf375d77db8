internal import Glibc
internal import Journal

/// What an operator has done to data that is gone afterwards, for the system's log: who and what, never whose data it was.
enum OperatorLog {
    /// Writes a line to standard error and to the system's log, unless standard error is that already. The corresponding C
    /// function is `vsyslog`, which does nothing where no log listens on `/dev/log`.
    ///
    /// - Parameter what: such as `deleted 3 events of project 1`.
    static func note(_ what: String) {
        let line = line(what, user: getuid(), sudo: sudo, login: login)
        writeError("mesher: \(line)\n")
        guard !Journal.hasPriorities else { return }
        // The C library keeps the name's address, not the name.
        "mesher".withCString { name in
            openlog(name, LOG_PID, Int32(LOG_USER))
            line.withCString { text in
                withVaList([text]) { vsyslog(LOG_NOTICE, "%s", $0) }
            }
            closelog()
        }
    }

    /// The corresponding C function is `getpwuid`.
    static func name(of user: uid_t) -> String? {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) }
    }

    /// Who has become this user by sudo(8), as that says; nil for nobody.
    static var sudo: String? { getenv("SUDO_USER").map { String(cString: $0) } }

    /// Who has logged in, whoever that has become since, as the kernel knows from pam_loginuid(8); nil for nobody.
    static var login: uid_t? {
        let file = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(file, &bytes, bytes.count)
        guard count > 0, let user = uid_t(String(decoding: bytes[..<count], as: UTF8.self)), user != .max else {
            return nil
        }
        return user
    }

    /// - Parameters:
    ///   - sudo: who has become this user by sudo(8), as that says.
    ///   - login: who has logged in.
    static func line(_ what: String, user: uid_t, sudo: String?, login: uid_t?) -> String {
        var who = ["uid \(user)"]
        if let sudo { who.append("by sudo of \(TextTable.printable(String(sudo.prefix(64))))") }
        if let login, login != user {
            let name = name(of: login) ?? "uid \(login)"
            if name != sudo { who.append("logged in as \(name)") }
        }
        return "\(name(of: user) ?? "a user without a name") (\(who.joined(separator: ", "))) \(what)"
    }
}
