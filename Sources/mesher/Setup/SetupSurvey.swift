internal import Configuration
internal import Glibc
internal import System

/// Looks at what there is, and changes nothing.
struct SetupSurvey {
    private let answers: SetupAnswers
    private let superuser: Superuser
    private let createsRoles: Bool

    init(_ answers: SetupAnswers, _ superuser: Superuser, createsRoles: Bool) {
        self.answers = answers
        self.superuser = superuser
        self.createsRoles = createsRoles
    }

    func facts() throws -> SetupFacts {
        var files: [String: String] = [:]
        for path in SetupFiles.all + [NginxSite.path] { files[path] = try Self.text(of: path) }
        let hasSystemd = access("/run/systemd/system", F_OK) == 0
        let active =
            hasSystemd ? try HostCommand.run(["systemctl", "is-active", "--quiet", "mesher.service"]).status : 1
        return SetupFacts(
            database: createsRoles ? try superuser.survey() : nil, files: files,
            nginx: answers.writesNginx ? try nginx() : nil, share: try share(), hasUser: getgrnam("mesher") != nil,
            hasSystemd: hasSystemd, isRunning: active == 0)
    }

    private func nginx() throws -> SetupFacts.Nginx {
        do {
            let dump = try HostCommand.run(["nginx", "-T"])
            guard dump.status == 0 else {
                throw CommandError(.configuration, "nginx -t finds a fault that is there already:\n\(dump.output)")
            }
            return SetupFacts.Nginx(text: dump.output, hasIPv6: access("/proc/net/if_inet6", F_OK) == 0)
        } catch let error as SystemError {
            throw CommandError(.unavailable, "\(error): apt install nginx, or leave it to yourself with --no-nginx")
        }
    }

    /// Beside the program, wherever it is installed.
    private func share() throws(CommandError) -> String {
        let program = ProcessAttributes.programPath() ?? ""
        let share = program.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/share/mesher/nginx"
        guard !answers.writesNginx || access(share + "/mesher-server.conf", R_OK) == 0 else {
            throw CommandError(.configuration, "\(share) has no files for nginx: is Mesher installed?")
        }
        return share
    }

    private static func text(of path: String) throws(SystemError) -> String? {
        guard let file = fopen(path, "re") else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw SystemError("open", path)
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
