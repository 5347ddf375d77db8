import StorageChannel

/// Where Mesher may fill in a column otherwise than Sentry, and why: each reason stands in `docs/sentry-events.md`, too.
package struct SentryDifference: Sendable {
    package let reason: String
    private let columns: [EventRecord.Column]
    private let holds: @Sendable (SentryComparison) -> Bool

    private init(
        _ reason: String, _ columns: [EventRecord.Column], _ holds: @escaping @Sendable (SentryComparison) -> Bool
    ) {
        self.reason = reason
        self.columns = columns
        self.holds = holds
    }

    package static let all = texts + messages + others + tags

    /// The reason why an event is stored that Sentry refuses.
    package static let refusal =
        "An event with half a surrogate pair is stored, with U+FFFD in its place; Sentry refuses it."

    /// The reason why a column may be other than Sentry's; nil when there is none.
    package static func reason(for comparison: SentryComparison) -> String? {
        all.first { $0.columns.contains(comparison.column) && $0.holds(comparison) }?.reason
    }

    private static let texts = [
        SentryDifference(
            "A `release`, `environment`, `logger`, `server_name` or `dist` that Sentry rejects (`latest`, `none`, a slash, a"
                + " line break, too long) is kept.", [.release, .environment, .logger, .serverName, .dist]
        ) { $0.sentry == nil && isCut($0.mesher, of: $0.sent) },
        SentryDifference("A platform that Sentry does not know is kept; Sentry stores `other`.", [.platform]) {
            $0.sentry == nil && isCut($0.mesher, of: $0.sent)
        },
        SentryDifference(
            "A text that is too long is truncated without `...` at its end; an SDK's name and version are"
                + " truncated too.",
            [
                .message, .logger, .serverName, .transaction, .sdkName, .sdkVersion, .tags, .exceptionType, .userID,
            ]
        ) {
            // Names of tags are cut as their values are.
            if let tag = $0.tag, $0.sentry == nil || $0.mesher == nil {
                return tag.unicodeScalars.count == 200 && ($0.mesher != nil || tag.hasSuffix("..."))
            }
            guard let sentry = $0.sentry, let mesher = $0.mesher else { return false }
            return isStart(mesher, of: sentry) && $0.column != .tags
                || sentry.hasSuffix("...") && isStart(trimmed(String(sentry.dropLast(3))), of: mesher)
        },
        SentryDifference(
            "White space around `server_name`, `logger`, `culprit`, an SDK's name and version, an exception's"
                + " type and what identifies a user is removed too.",
            [.serverName, .logger, .transaction, .sdkName, .sdkVersion, .exceptionType, .userID]
        ) { comparison in
            let isBlank = comparison.column == .userID && comparison.sentry.map { trimmed($0).isEmpty } ?? false
            return isBlank || isCut(comparison.mesher, of: comparison.sentry)
        },
        SentryDifference("The tag `release` fills the column, as the tag `environment` does in Sentry.", [.release]) {
            $0.sentry == nil && $0.mesher != nil && $0.shape.event.contains(#""tags":"#)
        },
        SentryDifference(
            "An empty text counts as none: beside an empty `logentry`, `message` is the message.",
            [.message, .serverName]
        ) { $0.isOfKind("order.form") && ($0.sentry == nil || $0.sentry == "<unlabeled event>") },
        SentryDifference(
            "A number counts as a text in every column, as it was written. Sentry accepts numbers in fewer"
                + " places, and rewrites some.",
            [
                .message, .environment, .release, .serverName, .logger, .transaction, .sdkName, .sdkVersion, .dist,
                .exceptionType, .userID,
            ]
        ) {
            let parts = $0.mesher?.split(separator: ": ").map(String.init) ?? []
            return parts.contains(where: isNumber) && ($0.sent.map { parts.contains($0) } ?? true)
        },
        SentryDifference(
            "A boolean is never a text; Sentry makes `True` of a `release`, a tag or a user's `id`.",
            [.release, .environment, .serverName, .userID]
        ) { ($0.mesher == nil || $0.column == .userID) && ($0.sentry == "True" || $0.sentry == "False") },
        SentryDifference("NUL becomes U+FFFD, because PostgreSQL's texts cannot hold it.", EventRecord.Column.allCases)
        {
            guard let sentry = $0.sentry, sentry.unicodeScalars.contains("\0") else { return false }
            return isCut($0.mesher, of: sentry.replacing("\0", with: "\u{fffd}"))
        },
    ]

    private static let messages = [
        SentryDifference(
            "A message's parameters are filled in as far as they go, for every style of placeholder; Sentry fills in all or"
                + " none. Without a placeholder, `%%` and `{{` stay as they are.", [.message]
        ) { $0.isOfKind("params.form", "order.form") && ($0.sent == nil || $0.mesher == $0.sent) },
        SentryDifference("`%r` puts no quotes around its parameter.", [.message]) {
            $0.isOfKind("params.form") && $0.sentry == "\"\($0.mesher ?? "")\""
        },
        SentryDifference(
            "A message or an exception's value that is an array or an object keeps its numbers and the order of its names.",
            [.message]
        ) {
            let texts = [$0.mesher, $0.sentry].map {
                $0.map { $0.replacing("1.50", with: "1.5").unicodeScalars.sorted { $0.value < $1.value } }
            }
            return $0.isOfKind(".array", ".object") && texts[0] == texts[1]
        },
        SentryDifference(
            "Beside an `exception` that is unusable or null, `sentry.interfaces.Exception` counts; in Sentry it does not.",
            [.message, .exceptionType]
        ) {
            let isOlder = $0.shape.event.contains(#""sentry.interfaces.Exception":"#)
            return isOlder && $0.shape.event.contains(#""exception":"#)
                && ($0.sentry == nil || $0.sentry == "<unlabeled event>")
        },
        SentryDifference(
            "An exception without a type has none in its column; Sentry takes the word before the colon of its value.",
            [.exceptionType]
        ) { $0.mesher == nil && $0.sentry?.contains(":") == false },
        SentryDifference(
            "An exception without a type keeps a value such as `http://x`; Sentry splits it at the colon.", [.message]
        ) {
            guard let sentry = $0.sentry, sentry.contains(": ") else { return false }
            return sentry.replacing(": ", with: ":", maxReplacements: 1) == $0.mesher
        },
    ]

    private static let others = [
        SentryDifference("Levels are read in any case; `warn`, 25, and a number in quotes are levels too.", [.level]) {
            guard let sent = $0.sent, $0.sentry == "error" else { return false }
            let names = ["warn": "warning", "log": "info", "critical": "fatal"]
            let steps = [1: "debug", 2: "info", 3: "warning"]
            let byNumber = Double(sent).map { $0 == 50 ? "fatal" : steps[Int($0) / 10] ?? "error" }
            return $0.mesher == byNumber ?? names[sent.lowercased()] ?? sent.lowercased()
        },
        SentryDifference(
            "An event older than 30 days keeps its time. Sentry replaces it with the time of receipt.", [.timestamp]
        ) {
            let month: Int64 = 30 * 86_400_000_000
            return $0.sentry == nil && ($0.mesher.flatMap { Int64($0) } ?? .max) < SentryShape.receivedAt - month
        },
        SentryDifference(
            "More forms of a time are accepted: a blank or a small `t` between date and time without a zone,"
                + " `GMT`, an offset of hours, seconds in quotes.", [.timestamp]
        ) { $0.isOfKind("timestamp.zone", "timestamp.date") && $0.sentry == nil && $0.mesher != nil },
        SentryDifference("Times are truncated to microseconds, not rounded.", [.timestamp]) {
            guard let sentry = $0.sentry.flatMap({ Int64($0) }), let mesher = $0.mesher.flatMap({ Int64($0) }) else {
                return false
            }
            return sentry - mesher == 1
        },
        SentryDifference(
            "An event id of all zeros counts as none, so that one event cannot hide another.", [.eventID]
        ) { $0.mesher == nil && $0.sentry == String(repeating: "0", count: 32) },
    ]

    private static let tags = [
        SentryDifference(
            "Tags keep numbers, booleans and `null` as such. Sentry converts them to texts and whole numbers,"
                + " and drops `null`.",
            [.tags]
        ) { $0.isLiteral },
        SentryDifference(
            "The tags `environment`, `release`, `server_name`, `dist`, `user`, `filename` and `function` stay"
                + " tags too.",
            [.tags]
        ) {
            let names = ["environment", "release", "server_name", "dist", "user", "filename", "function"]
            return $0.sentry == nil && names.contains($0.tag ?? "")
        },
        SentryDifference(
            "A tag's name is kept as it was sent, and is no boolean; Sentry turns blanks into dashes, and drops names with"
                + " other characters than ASCII letters, digits, and `_.:-`.", [.tags]
        ) {
            guard let tag = $0.tag else { return false }
            let isPlain = tag.utf8.allSatisfy { Array("_.:-".utf8).contains($0) || isLetterOrDigit($0) }
            let isRenamed = $0.shape.kinds.contains { $0.hasPrefix("pair_name.") || $0 == "tags.form" }
            return $0.sentry == nil && !isPlain || $0.mesher == nil && isRenamed
        },
        SentryDifference("A tag with an empty or blank value, or with a line break in it, is kept.", [.tags]) {
            guard $0.sentry == nil, let mesher = $0.mesher else { return false }
            return trimmed(mesher).isEmpty || mesher.contains { $0.isNewline }
        },
        SentryDifference("Of pairs with the same tag name the last one counts; in Sentry, the first.", [.tags]) {
            $0.isOfKind("tags.form", "order.form") && $0.mesher != nil && $0.sentry != nil
        },
        SentryDifference("`site` does not become a tag.", [.tags]) { $0.tag == "site" && $0.mesher == nil },
    ]

    /// Whether the one is the other without white space around it, or cut.
    private static func isCut(_ text: String?, of whole: String?) -> Bool {
        guard let whole else { return false }
        let rest = trimmed(whole)
        return text.map { isStart($0, of: rest) } ?? rest.isEmpty
    }

    /// Whether a text is the other, or what is left of a long one.
    private static func isStart(_ start: String, of whole: String) -> Bool {
        let isLong = start.unicodeScalars.count >= 60
        return isLong ? whole.unicodeScalars.starts(with: start.unicodeScalars) : SentryComparison.isSame(start, whole)
    }

    private static func trimmed(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        return String(scalars)
    }

    private static func isNumber(_ text: String) -> Bool {
        Double(text) != nil && text.first?.isLetter == false
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
}
