import Foundation
import TestServers
import Testing

/// The Debian packages that a machine needs which only runs Mesher.
@Suite(.enabled(if: Stack.isBuilt, "make build has made no programs yet"))
struct RuntimePackagesTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: Stack.root + "/" + path, encoding: .utf8)
    }

    /// The packages of the libraries that a program names itself, without those that every Debian has.
    private func packages(of program: String) throws -> Set<String> {
        let script = #"""
            set -e
            libraries=$(ldd "$1")
            for name in $(objdump -p "$1" | sed -n 's/^ *NEEDED *//p'); do
                path=$(printf '%s\n' "$libraries" | sed -n "s|^[[:space:]]*$name => \([^ ]*\).*|\1|p")
                [ -z "$path" ] || dpkg-query --search "$path" "$(readlink -f "$path")" 2>/dev/null || true
            done
            """#
        let output = try Execution.output(["bash", "-c", script, "bash", program])
        let names = output.split(separator: "\n").compactMap { $0.split(separator: ":").first.map(String.init) }
        return Set(names).subtracting(["libc6", "libgcc-s1", "libstdc++6", "zlib1g"])
    }

    @Test("The Containerfile and docs/installing.md name those that the programs are linked to, and no other")
    func lists() throws {
        let programs = ["mesher", "mesher-watchdog", "mesher-storage", "mesher-worker", "mesher-stream"]
        let needed = try programs.reduce(into: Set<String>()) {
            $0.formUnion(try packages(of: Stack.programs + "/" + $1))
        }
        #expect(needed.count >= 8)
        let lists = try text("docs/installing.md").matches(of: /`(libfcgi[a-z0-9.\s\-]+)`/).map {
            Set($0.output.1.split(whereSeparator: \.isWhitespace).map(String.init))
        }
        #expect(lists.contains(needed), "\(needed.sorted())")
        let container = try #require(try text("container/Containerfile").firstMatch(of: /ARG PACKAGES="([^"]+)"/))
        let named = Set(container.output.1.split(separator: " ").map(String.init))
        #expect(named.subtracting(["ca-certificates"]) == lists.first)
        let trial = try #require(try text("development/systemd-trial").firstMatch(of: /,(libfcgi[a-z0-9.,\-]+)/))
        #expect(Set(trial.output.1.split(separator: ",").map(String.init)) == lists.first)
    }
}
