internal import Glibc

/// The secret settings on their way from the watchdog to a child: `NAME=value` and a zero byte each, in a pipe whose
/// number is in `MESHER_SECRETS_FD`. A process's environment stays readable while it runs, proc(5); a pipe's content is
/// gone once it was read.
package enum InheritedSecrets {
    package static let variable = "MESHER_SECRETS_FD"

    package static func encoded(_ secrets: [String]) -> [UInt8] {
        secrets.flatMap { Array($0.utf8) + [0] }
    }

    static func decoded(_ bytes: [UInt8]) -> [String: String] {
        var result: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            result[String(decoding: entry[..<equals], as: UTF8.self)] =
                String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return result
    }

    /// Reads them and closes the descriptor, which is there for the first call only.
    static func take() -> [String: String] {
        guard let text = getenv(variable), let number = CInt(String(cString: text)), number > STDERR_FILENO else {
            return [:]
        }
        unsetenv(variable)
        defer { close(number) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = read(number, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return decoded(bytes)
    }
}
