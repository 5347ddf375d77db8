#include "Cursor.h"

#include <cstring>

namespace mesher {

namespace {

/// The digits before and after the decimal point that PostgreSQL's numeric holds.
constexpr long numeric_integer_digits = 131072;
constexpr long numeric_fraction_digits = 16383;
/// The digits of all numbers together: "1e131071" is eight bytes, and 131,072 when PostgreSQL prints it.
constexpr long numeric_digits_in_all = 1 << 20;
/// A larger exponent is out of range for any mantissa.
constexpr long largest_exponent = 1 << 20;

bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

}  // namespace

mesher_json_fault Cursor::key() noexcept {
    if (is_at_end()) return fail(mesher_json_fault_unexpected_end, count);
    if (peek() != '"') return fail(mesher_json_fault_expected_key, *next);
    advance();
    if (is_at_end()) return fail(mesher_json_fault_unexpected_end, count);
    if (peek() != ':') return fail(mesher_json_fault_expected_colon, *next);
    advance();
    return mesher_json_fault_none;
}

mesher_json_fault Cursor::value(unsigned levels, Excess excess, ValueFacts &facts) noexcept {
    // Each open container: its closing bracket, the place of its opening one, and the values passed before its first.
    struct {
        uint8_t closer;
        uint32_t opener, before;
    } open[MESHER_JSON_LENIENT_LEVELS];
    if (levels > MESHER_JSON_LENIENT_LEVELS) levels = MESHER_JSON_LENIENT_LEVELS;
    unsigned level = 0;
    for (bool is_outermost = true;; is_outermost = false) {
        if (is_at_end()) return fail(mesher_json_fault_unexpected_end, count);
        size_t at = *next;
        uint8_t first = bytes[at];
        mesher_json_kind kind = mesher_json_kind_string;
        if (first == '{' || first == '[') {
            kind = first == '{' ? mesher_json_kind_object : mesher_json_kind_array;
            uint32_t opener = uint32_t(place());
            uint32_t before = facts.values;
            if (level == levels) {
                if (excess == Excess::refuse) return fail(mesher_json_fault_too_deep, at);
                if (auto fault = skip_container(facts)) return fault;
                if (excess == Excess::clear) clear(at, next[-1]);
                note_container(opener, before, facts);
            } else {
                advance();
                uint8_t closer = first == '{' ? '}' : ']';
                if (peek() == closer) {
                    advance();
                    note_container(opener, before, facts);
                } else {
                    if (is_outermost) {
                        facts.kind = kind;
                    } else {
                        facts.only_strings = false;
                        facts.values++;
                    }
                    open[level++] = {closer, opener, facts.values};
                    if (closer == '}') {
                        if (auto fault = key()) return fault;
                    }
                    continue;
                }
            }
        } else {
            advance();
            if (first != '"') {
                if (auto fault = scalar(at, facts, kind)) return fault;
            }
        }
        if (is_outermost) {
            facts.kind = kind;
        } else {
            if (kind != mesher_json_kind_string) facts.only_strings = false;
            facts.values++;
        }

        // After a value: close the containers that end here, up to the comma before the next value.
        for (;;) {
            if (level == 0) return mesher_json_fault_none;
            if (is_at_end()) return fail(mesher_json_fault_unexpected_end, count);
            uint8_t separator = peek();
            uint8_t closer = open[level - 1].closer;
            if (separator == ',') {
                advance();
                if (closer == '}') {
                    if (auto fault = key()) return fault;
                }
                break;
            }
            if (separator != closer) {
                return fail(
                    closer == '}' ? mesher_json_fault_expected_comma_or_brace
                                  : mesher_json_fault_expected_comma_or_bracket,
                    *next);
            }
            advance();
            level--;
            note_container(open[level].opener, open[level].before, facts);
        }
    }
}

mesher_json_fault Cursor::pass(ValueFacts &facts) noexcept {
    size_t at = offset();
    facts.kind = mesher_json_kind_string;
    switch (peek()) {
    case '{': facts.kind = mesher_json_kind_object; return pass_container(facts);
    case '[': facts.kind = mesher_json_kind_array; return pass_container(facts);
    case '"': advance(); return mesher_json_fault_none;
    case 0: return fail(mesher_json_fault_unexpected_end, at);
    default: advance(); return scalar(at, facts, facts.kind);
    }
}

mesher_json_fault Cursor::scalar(size_t at, ValueFacts &facts, mesher_json_kind &kind) noexcept {
    switch (bytes[at]) {
    case 't': kind = mesher_json_kind_boolean; return literal(at, "true");
    case 'f': kind = mesher_json_kind_boolean; return literal(at, "false");
    case 'n': kind = mesher_json_kind_null; return literal(at, "null");
    default: kind = mesher_json_kind_number; return number(at, facts);
    }
}

template <size_t size> mesher_json_fault Cursor::literal(size_t at, const char (&text)[size]) noexcept {
    constexpr size_t letters = size - 1;
    size_t end = offset();
    bool is_letters = end - at >= letters && memcmp(bytes + at, text, letters) == 0;
    // Only white space may separate two tokens; any other byte belongs to this one.
    bool is_whole = is_letters && (at + letters == end || is_white_space(bytes[at + letters]));
    return is_whole ? mesher_json_fault_none : fail(mesher_json_fault_invalid_literal, at);
}

mesher_json_fault Cursor::number(size_t at, ValueFacts &facts) noexcept {
    const uint8_t *p = bytes + at;
    const uint8_t *end = bytes + offset();
    if (*p != '-' && !is_digit(*p)) return fail(mesher_json_fault_expected_value, at);
    if (*p == '-') p++;

    const uint8_t *integer = p;
    while (p != end && is_digit(*p)) p++;
    long integer_digits = p - integer;
    if (integer_digits == 0 || (integer_digits > 1 && *integer == '0')) {
        return fail(mesher_json_fault_invalid_number, at);
    }
    long fraction_digits = 0;
    if (p != end && *p == '.') {
        const uint8_t *fraction = ++p;
        while (p != end && is_digit(*p)) p++;
        fraction_digits = p - fraction;
        if (fraction_digits == 0) return fail(mesher_json_fault_invalid_number, at);
    }
    long exponent = 0;
    if (p != end && (*p | 0x20) == 'e') {
        p++;
        bool is_negative = p != end && *p == '-';
        if (p != end && (*p == '-' || *p == '+')) p++;
        const uint8_t *digits = p;
        for (; p != end && is_digit(*p); p++) {
            if (exponent < largest_exponent) exponent = exponent * 10 + (*p - '0');
        }
        if (p == digits) return fail(mesher_json_fault_invalid_number, at);
        if (is_negative) exponent = -exponent;
    }
    if (p != end && !is_white_space(*p)) return fail(mesher_json_fault_invalid_number, at);
    long before = integer_digits + exponent, behind = fraction_digits - exponent;
    if (before > numeric_integer_digits || behind > numeric_fraction_digits) {
        facts.fits_numeric = false;
    } else {
        facts.numeric_digits += (before > 0 ? before : 1) + (behind > 0 ? behind : 0);
        if (facts.numeric_digits > numeric_digits_in_all) facts.fits_numeric = false;
    }
    return mesher_json_fault_none;
}

mesher_json_fault Cursor::pass_container(ValueFacts &facts) noexcept {
    size_t end = notes[place()];
    if (end <= place() || end > size_t(last - tokens)) return fail(mesher_json_fault_unexpected_end, count);
    facts.values = notes[end - 1];
    next = tokens + end;
    return mesher_json_fault_none;
}

void Cursor::clear(size_t start, size_t end) noexcept {
    memset(bytes + start + 1, ' ', end - start - 1);
    bytes[end] = bytes[start] == '{' ? '}' : ']';
}

mesher_json_fault Cursor::skip_container(ValueFacts &facts) noexcept {
    size_t open = 0;
    bool was_opened = false;
    for (; !is_at_end(); advance()) {
        uint8_t byte = peek();
        bool is_closer = byte == '}' || byte == ']';
        // A value follows each comma, and each opening bracket that is not closed at once.
        if (byte == ',' || (was_opened && !is_closer)) facts.values++;
        was_opened = byte == '{' || byte == '[';
        if (was_opened) {
            open++;
        } else if (is_closer && --open == 0) {
            advance();
            return mesher_json_fault_none;
        }
    }
    return fail(mesher_json_fault_unexpected_end, count);
}

}  // namespace mesher
