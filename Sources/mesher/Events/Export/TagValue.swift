internal import FoundationEssentials

/// A value of `tags`, to be compared: PostgreSQL writes its jsonb in another way than it came.
indirect enum TagValue: Decodable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([TagValue])
    case object([String: TagValue])

    /// Whether two texts are the same value.
    static func isSame(_ one: String?, _ other: String?) -> Bool {
        func value(_ text: String?) -> TagValue? {
            text.flatMap { try? JSONDecoder().decode(TagValue.self, from: Data($0.utf8)) }
        }
        guard let first = value(one), let second = value(other) else { return false }
        return first == second
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let boolean = try? value.decode(Bool.self) {
            self = .boolean(boolean)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let array = try? value.decode([TagValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: TagValue].self))
        }
    }
}
