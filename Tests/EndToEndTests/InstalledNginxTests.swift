import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Mesher's files as `make install` puts them beside Debian's.
    struct InstalledNginxTests {
        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        @Test("The files pass nginx's own check as installed, in Debian's nginx.conf")
        func asInstalled() throws {
            let folder = stack.folder + "/installed"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try Execution.output(
                ["make", "--silent", "-C", Stack.root, "install", "DESTDIR=\(folder)", "PREFIX=/usr/share/test"])
            let share = folder + "/usr/share/test/share/mesher/nginx"
            // Where DESTDIR is the root of the file system, as on the machine that it is installed on.
            let names = try FileManager.default.contentsOfDirectory(atPath: share)
            for name in names {
                let text = try String(contentsOfFile: "\(share)/\(name)", encoding: .utf8)
                #expect(!text.contains("/usr/local"), "\(name)")
                let moved = text.replacingOccurrences(of: "/usr/share/test/", with: folder + "/usr/share/test/")
                    .replacingOccurrences(of: "/var/log/nginx/", with: "")
                try Data(moved.utf8).write(to: URL(fileURLWithPath: "\(share)/\(name)"))
            }
            let site = """
                include \(share)/mesher-http.conf;
                include \(share)/mesher-operator.conf;
                server {
                    listen 127.0.0.1:\(stack.port + 2);
                    include \(share)/mesher-malformed.conf;
                    include \(share)/mesher-server.conf;
                }
                """
            // Debian's are below /var/lib/nginx, where only root may make what is missing.
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map { "\($0)_temp_path \($0);" }.joined(separator: " ")
            let debian = try String(contentsOfFile: "/etc/nginx/nginx.conf", encoding: .utf8)
                .replacingOccurrences(of: "include /etc/nginx/sites-enabled/*;", with: temporary + "\n" + site)
                .replacingOccurrences(of: "/var/log/nginx/", with: "")
                // Modules are looked for below the prefix, where there are none.
                .replacingOccurrences(of: "include /etc/nginx/modules-enabled/*.conf;", with: "")
                .replacingOccurrences(of: "pid /run/nginx.pid;", with: "pid nginx.pid;")
                .replacingOccurrences(of: "user www-data;", with: getuid() == 0 ? "user www-data;" : "")
            #expect(debian.contains("mesher-http.conf"))
            try Data(debian.utf8).write(to: URL(fileURLWithPath: folder + "/nginx.conf"))
            let check = try Execution.run(
                "/usr/sbin/nginx", ["-t", "-p", folder + "/", "-c", folder + "/nginx.conf", "-e", "error.log"])
            #expect(check.status == 0, "\(check.errors)")
            #expect(!check.errors.contains("[warn]"), "\(check.errors)")
        }
    }
}
