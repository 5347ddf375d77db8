import CJSON

/// The refusals for invalid JSON.
enum JSONFault {
    static func refusal(_ fault: mesher_json_fault, at offset: Int) -> Refusal {
        let what: StaticString
        switch fault {
        case .none, .out_of_memory, .too_many_elements: return Refusal(.unavailable, "temporarily unavailable")
        case .not_object: return Refusal(.invalidEvent, "invalid event: must be an object")
        case .not_array: return Refusal(.invalidEvent, "invalid bulk: must be an array")
        case .too_deep: return Refusal(.invalidJSON, "invalid JSON: nested deeper than 64 levels")
        case .byte_order_mark: what = "byte order mark"
        case .unexpected_end: what = "unexpected end"
        case .trailing_bytes: what = "something follows the value"
        case .expected_value: what = "expected a value"
        case .expected_key: what = "expected a key"
        case .expected_colon: what = "expected a colon"
        case .expected_comma_or_brace: what = "expected a comma or a closing brace"
        case .expected_comma_or_bracket: what = "expected a comma or a closing bracket"
        case .invalid_literal: what = "invalid literal"
        case .invalid_number: what = "invalid number"
        case .invalid_escape: what = "invalid escape"
        case .control_character: what = "control character in a string"
        case .unclosed_string: what = "unclosed string"
        case .invalid_utf8: what = "invalid UTF-8"
        }
        return Refusal(.invalidJSON, "invalid JSON: \(what) at byte \(offset)")
    }
}
