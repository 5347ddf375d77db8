#include <cstring>

#include "CJSON.h"
#include "Cursor.h"
#include "Escapes.h"
#include "Parser.h"

using mesher::Cursor;
using mesher::ValueFacts;

namespace {

/// The place of the name that is the `size` bytes at `key`, or `name_count`. No name that is asked for needs an escape.
size_t find_name(const uint8_t *key, size_t size, const char *const *names, size_t name_count) {
    size_t place = 0;
    while (place < name_count && (strlen(names[place]) != size || memcmp(names[place], key, size) != 0)) place++;
    return place;
}

mesher_json_fault walk(
    Cursor &cursor, uint8_t *bytes, const char *const *names, mesher_json_value *values, size_t name_count) {
    if (cursor.peek() != '{') {
        ValueFacts facts;
        auto fault = cursor.value(MESHER_JSON_LEVELS, Cursor::Excess::refuse, facts);
        return fault ? fault : mesher_json_fault_not_object;
    }
    cursor.advance();
    bool is_empty = cursor.peek() == '}';
    while (!is_empty) {
        size_t key_start = cursor.offset();
        if (auto fault = cursor.key()) return fault;
        size_t start = cursor.offset();
        size_t key_end = start;
        while (bytes[key_end - 1] != '"') key_end--;
        ValueFacts facts;
        if (auto fault = cursor.value(MESHER_JSON_LEVELS - 1, Cursor::Excess::refuse, facts)) return fault;
        size_t end = cursor.trimmed_end();
        size_t place = find_name(bytes + key_start + 1, key_end - key_start - 2, names, name_count);
        if (place < name_count) {
            bool is_string = facts.kind == mesher_json_kind_string;
            mesher_json_value &value = values[place];
            value.kind = facts.kind;
            value.start = bytes + start + (is_string ? 1 : 0);
            value.count = uint32_t(end - start - (is_string ? 2 : 0));
        }
        if (cursor.peek() != ',') break;
        cursor.advance();
    }
    if (cursor.peek() != '}') {
        cursor.fault_offset = cursor.offset();
        return cursor.is_at_end() ? mesher_json_fault_unexpected_end : mesher_json_fault_expected_comma_or_brace;
    }
    cursor.advance();
    if (cursor.is_at_end()) return mesher_json_fault_none;
    cursor.fault_offset = cursor.offset();
    return mesher_json_fault_trailing_bytes;
}

}  // namespace

mesher_json_fault mesher_json_find_fields(
    mesher_json_parser *parser, uint8_t *bytes, size_t count, const char *const *names, mesher_json_value *values,
    size_t name_count, size_t *offset) {
    bool has_escapes = false;
    size_t checked = mesher::sanitise_escapes(bytes, count, has_escapes);
    if (checked != count) {
        *offset = checked;
        return mesher_json_fault_invalid_escape;
    }
    auto fault = parser->index.build(bytes, count, *offset);
    if (!fault) {
        Cursor cursor(parser->index, bytes, count);
        fault = walk(cursor, bytes, names, values, name_count);
        *offset = cursor.fault_offset;
    }
    parser->index.trim();
    if (fault || !has_escapes) return fault;
    for (size_t place = 0; place < name_count; place++) {
        mesher_json_value &value = values[place];
        if (value.kind != mesher_json_kind_string) continue;
        auto content = const_cast<uint8_t *>(value.start);
        value.count = uint32_t(mesher::resolve_escapes(content, value.count, content));
    }
    return fault;
}
