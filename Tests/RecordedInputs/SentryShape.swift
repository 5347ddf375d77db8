package import StorageChannel

/// An event of some shape, and the columns that Sentry's own normaliser fills in of it; `development/sentry-corpus`
/// recorded them, and says how the file is read.
package struct SentryShape: Sendable, CustomStringConvertible {
    /// What is varied: a field and how, such as `release.blank`; of several fields each.
    package private(set) var kinds: [String] = []
    package private(set) var event = ""
    /// Sentry takes no such event.
    package private(set) var isRefused = false
    /// What Sentry fills in; event ids are hex digits, times are microseconds since 1970.
    package private(set) var columns: [EventRecord.Column: String] = [.level: "error", .message: "<unlabeled event>"]
    package private(set) var tags: [String: String] = [:]
    /// What was sent for a column, where that is another text.
    package private(set) var sent: [EventRecord.Column: String] = [:]

    package var description: String { event }

    /// The time at which Sentry received these events, in microseconds since 1970.
    package static let receivedAt: Int64 = 1_700_000_000_000_000

    private static let names: [Substring: EventRecord.Column] = Dictionary(
        uniqueKeysWithValues: EventRecord.Column.allCases.map { ("\($0.declaration.name)", $0) })

    /// All that were recorded.
    package static func recorded() -> [SentryShape] {
        String(decoding: RecordedFile.bytes("sentry-corpus.txt"), as: UTF8.self).split(separator: "\n\n")
            .map { SentryShape($0) }
    }

    private init(_ record: Substring) {
        var lines = record.split(separator: "\n")[...]
        kinds = lines.removeFirst().split(separator: " ").map(String.init)
        event = Self.unescaped(lines.removeFirst())
        for line in lines {
            let words = line.split(separator: " ").map { Self.unescaped($0) }
            if words == ["refused"] {
                isRefused = true
            } else if words[1] == "tag" {
                tags[words[2]] = words[3]
            } else if let column = Self.names[words[1][...]] {
                if words[0] == "=" { columns[column] = words[2] } else { sent[column] = words[2] }
            }
        }
    }

    /// Resolves `\{HEX}` and `\{HEX*COUNT}`.
    private static func unescaped(_ text: Substring) -> String {
        var parts = text.split(separator: #"\{"#, omittingEmptySubsequences: false)
        var result = String(parts.removeFirst())
        for part in parts {
            let end = part.firstIndex(of: "}") ?? part.startIndex
            let numbers = part[..<end].split(separator: "*")
            let scalar = UInt32(numbers[0], radix: 16).flatMap(Unicode.Scalar.init) ?? "\u{fffd}"
            let count = numbers.count > 1 ? Int(numbers[1]) ?? 1 : 1
            result.unicodeScalars.append(contentsOf: repeatElement(scalar, count: count))
            result += part[end...].dropFirst()
        }
        return result
    }
}
