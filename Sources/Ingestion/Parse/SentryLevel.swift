import CJSON

/// The levels of Sentry SDKs: names in any case, and numbers as in Python's `logging`.
enum SentryLevel {
    /// The name of ours that stands for a level; `error` for what is no level.
    static func name(of value: mesher_json_value) -> UnsafeRawBufferPointer {
        let name: StaticString
        switch value.kind {
        case .number: name = Self.name(ofNumber: value.bytes)
        case .string where isNumber(value.bytes): name = Self.name(ofNumber: value.bytes)
        case .string: name = Self.name(ofWord: value.bytes)
        default: name = "error"
        }
        return name.bytes
    }

    private static func name(ofWord word: UnsafeRawBufferPointer) -> StaticString {
        func isWord(_ name: StaticString) -> Bool { word.equalsIgnoringCase(name) }
        if isWord("info") || isWord("log") { return "info" }
        if isWord("warning") || isWord("warn") { return "warning" }
        if isWord("debug") { return "debug" }
        if isWord("fatal") || isWord("critical") { return "fatal" }
        return "error"
    }

    private static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count > 0 && text.allSatisfy { UnsafeRawBufferPointer.isDigit($0) }
    }

    /// From 10 to 50; a value between two steps counts as the lower one.
    private static func name(ofNumber number: UnsafeRawBufferPointer) -> StaticString {
        guard let seconds = try? Timestamp.seconds(number) else { return "error" }
        switch seconds / 1_000_000 {
        case 10..<20: return "debug"
        case 20..<30: return "info"
        case 30..<40: return "warning"
        case 50: return "fatal"
        default: return "error"
        }
    }
}
