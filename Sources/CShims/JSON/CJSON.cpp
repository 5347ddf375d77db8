#include "CJSON.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "Cursor.h"
#include "Escapes.h"
#include "NotFinite.h"
#include "Parser.h"

using mesher::Cursor;
using mesher::ValueFacts;

namespace {

/// How far beyond a text simdjson may read.
constexpr size_t padding = 64;

/// One text being parsed.
struct Text {
    const mesher::FieldNames &names;
    uint8_t *bytes;
    size_t count;
    mesher_json_dialect dialect;
    bool has_escapes;
    uint8_t *resolved;

    /// The content of the string that starts with the quote at `start` and ends before `end`.
    mesher_json_value string(size_t start, size_t end) {
        mesher_json_value value{};
        value.kind = mesher_json_kind_string;
        value.start = bytes + start + 1;
        value.count = uint32_t(end - start - 2);
        if (has_escapes && memchr(value.start, '\\', value.count)) {
            size_t size = mesher::resolve_escapes(value.start, value.count, resolved);
            value.start = resolved;
            value.count = uint32_t(size);
            resolved += size;
        }
        return value;
    }

    /// The number of the field whose name is the key that starts with the quote at `start`, and whose value starts at
    /// `value_start`; `FieldNames::none` if it is not looked for.
    size_t field(size_t start, size_t value_start) {
        size_t end = value_start;
        while (bytes[end - 1] != '"') end--;
        size_t found = names.find(bytes + start + 1, end - start - 2);
        if (found != mesher::FieldNames::none || !has_escapes) return found;
        // No known name needs an escape, but a sender may use them.
        uint8_t *before = resolved;
        mesher_json_value key = string(start, end);
        resolved = before;
        return names.find(key.start, key.count);
    }

    mesher_json_value other(size_t start, size_t end, const ValueFacts &facts) {
        mesher_json_value value{};
        value.start = bytes + start;
        value.count = uint32_t(end - start);
        value.kind = facts.kind;
        value.only_strings = facts.only_strings;
        value.fits_numeric = facts.fits_numeric;
        value.values = facts.values;
        return value;
    }
};

/// Prepares a text for a walk: checks its escapes and builds its index.
mesher_json_fault prepare(mesher_json_parser &parser, uint8_t *bytes, size_t count, bool &has_escapes, size_t &offset) {
    size_t checked = mesher::sanitise_escapes(bytes, count, has_escapes);
    if (checked != count) {
        offset = checked;
        return mesher_json_fault_invalid_escape;
    }
    return parser.index.build(bytes, count, offset);
}

/// How deep a text may nest, and what happens to deeper containers.
struct Depth {
    unsigned levels;
    Cursor::Excess excess;

    explicit Depth(mesher_json_dialect dialect) noexcept
        : levels(dialect == mesher_json_dialect_strict ? MESHER_JSON_LEVELS : MESHER_JSON_LENIENT_LEVELS),
          excess(dialect == mesher_json_dialect_strict ? Cursor::Excess::refuse : Cursor::Excess::clear) {}
};

/// Checks a text whose value is of the wrong kind to its end: only if it is valid JSON is the kind the fault.
mesher_json_fault wrong_kind(Cursor &cursor, mesher_json_fault fault) {
    ValueFacts facts;
    if (auto other = cursor.value(MESHER_JSON_LEVELS, Cursor::Excess::refuse, facts)) return other;
    if (cursor.is_at_end()) return fault;
    cursor.fault_offset = cursor.offset();
    return mesher_json_fault_trailing_bytes;
}

mesher_json_fault walk_event(
    Cursor &cursor, Text &text, mesher_json_value *fields, mesher_json_value &payload) {
    Depth depth(text.dialect);
    if (cursor.peek() != '{') return wrong_kind(cursor, mesher_json_fault_not_object);
    size_t start = cursor.offset();
    cursor.advance();
    bool is_empty = cursor.peek() == '}';
    while (!is_empty) {
        size_t key_start = cursor.offset();
        if (auto fault = cursor.key()) return fault;
        size_t value_start = cursor.offset();
        ValueFacts facts;
        if (auto fault = cursor.value(depth.levels - 1, depth.excess, facts)) return fault;
        size_t value_end = cursor.trimmed_end();

        size_t field = text.field(key_start, value_start);
        if (field != mesher::FieldNames::none) {
            fields[field] = facts.kind == mesher_json_kind_string ? text.string(value_start, value_end)
                                                                  : text.other(value_start, value_end, facts);
        }
        if (cursor.peek() != ',') break;
        cursor.advance();
    }
    if (cursor.peek() != '}') {
        cursor.fault_offset = cursor.offset();
        return cursor.is_at_end() ? mesher_json_fault_unexpected_end : mesher_json_fault_expected_comma_or_brace;
    }
    size_t end = cursor.offset() + 1;
    cursor.advance();
    if (!cursor.is_at_end()) {
        cursor.fault_offset = cursor.offset();
        return mesher_json_fault_trailing_bytes;
    }
    ValueFacts facts;
    facts.kind = mesher_json_kind_object;
    payload = text.other(start, end, facts);
    return mesher_json_fault_none;
}

/// Walks over an event whose index is built.
mesher_json_fault find_fields(mesher_json_parser &parser, Text &text, mesher_json_event &event, size_t &offset) {
    // `FieldNames` may read this far beyond a key.
    bool has_room = (!text.has_escapes || parser.resolved.reserve(text.count + sizeof(uint64_t)))
                    && parser.notes.reserve(parser.index.size());
    if (!has_room) return mesher_json_fault_out_of_memory;
    text.resolved = parser.resolved.get();
    parser.bytes = text.bytes;
    parser.count = text.count;
    mesher_json_value *fields = parser.fields.get();
    std::fill_n(fields, text.names.size(), mesher_json_value{});
    event.fields = fields;
    Cursor cursor(parser.index, text.bytes, text.count, parser.notes.get());
    auto fault = walk_event(cursor, text, fields, event.payload);
    offset = cursor.fault_offset;
    return fault;
}

mesher_json_fault walk_array(Cursor &cursor, mesher_json_range *ranges, size_t capacity, size_t &found) {
    if (cursor.peek() != '[') return wrong_kind(cursor, mesher_json_fault_not_array);
    cursor.advance();
    bool is_empty = cursor.peek() == ']';
    while (!is_empty) {
        size_t start = cursor.offset();
        ValueFacts facts;
        if (auto fault = cursor.value(MESHER_JSON_LEVELS, Cursor::Excess::skip, facts)) return fault;
        if (found == capacity) return mesher_json_fault_too_many_elements;
        ranges[found++] = {start, cursor.trimmed_end()};
        if (cursor.peek() != ',') break;
        cursor.advance();
    }
    if (cursor.peek() != ']') {
        cursor.fault_offset = cursor.offset();
        return cursor.is_at_end() ? mesher_json_fault_unexpected_end : mesher_json_fault_expected_comma_or_bracket;
    }
    cursor.advance();
    if (cursor.is_at_end()) return mesher_json_fault_none;
    cursor.fault_offset = cursor.offset();
    return mesher_json_fault_trailing_bytes;
}

}  // namespace

mesher_json_parser *mesher_json_create(const mesher_json_name *names, size_t count) {
    auto parser = new (std::nothrow) mesher_json_parser();
    if (!parser) return nullptr;
    parser->fields.reset(new (std::nothrow) mesher_json_value[count]());
    if (parser->fields && parser->names.set(names, count)) return parser;
    delete parser;
    return nullptr;
}

void mesher_json_destroy(mesher_json_parser *parser) { delete parser; }

mesher_json_fault mesher_json_parse_event(
    mesher_json_parser *parser, mesher_json_dialect dialect, uint8_t *bytes, size_t count, mesher_json_event *event,
    size_t *offset) {
    Text text{parser->names, bytes, count, dialect, false, nullptr};
    if (auto fault = prepare(*parser, bytes, count, text.has_escapes, *offset)) return fault;
    auto fault = find_fields(*parser, text, *event, *offset);
    bool may_be_number = fault == mesher_json_fault_expected_value || fault == mesher_json_fault_invalid_number;
    if (dialect == mesher_json_dialect_strict || !may_be_number) return fault;

    size_t found = mesher::count_not_finite(parser->index, bytes, count);
    if (found == 0) return fault;
    if (!parser->replaced.reserve(count + found + padding)) return mesher_json_fault_out_of_memory;
    text.bytes = parser->replaced.get();
    text.count = mesher::replace_not_finite(parser->index, bytes, count, text.bytes);
    if (auto other = parser->index.build(text.bytes, text.count, *offset)) return other;
    return find_fields(*parser, text, *event, *offset);
}

mesher_json_fault mesher_json_split(
    mesher_json_parser *parser, uint8_t *bytes, size_t count, mesher_json_range *ranges, size_t capacity,
    size_t *found, size_t *offset) {
    *found = 0;
    bool has_escapes;
    auto fault = prepare(*parser, bytes, count, has_escapes, *offset);
    if (!fault) {
        Cursor cursor(parser->index, bytes, count, nullptr);
        fault = walk_array(cursor, ranges, capacity, *found);
        *offset = cursor.fault_offset;
    }
    parser->index.trim();
    return fault;
}
