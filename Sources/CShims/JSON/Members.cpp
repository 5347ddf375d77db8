#include <algorithm>
#include <cstring>

#include "CJSON.h"
#include "Cursor.h"
#include "Escapes.h"
#include "Parser.h"

using mesher::Cursor;
using mesher::ValueFacts;

namespace {

/// The string that starts with the quote at `start` and ends with the last one before `end`.
mesher_json_value raw_string(const uint8_t *bytes, size_t start, size_t end) {
    while (bytes[end - 1] != '"') end--;
    mesher_json_value value{};
    value.kind = mesher_json_kind_string;
    value.start = bytes + start + 1;
    value.count = uint32_t(end - start - 2);
    value.has_escapes = value.count > 0 && memchr(value.start, '\\', value.count) != nullptr;
    return value;
}

}  // namespace

mesher_json_members mesher_json_members_of(const mesher_json_parser *parser, const mesher_json_value *container) {
    bool is_object = container->kind == mesher_json_kind_object;
    if (!is_object && container->kind != mesher_json_kind_array) return {UINT32_MAX, 0};
    const uint32_t *first = parser->index.begin();
    const uint32_t *opener = std::lower_bound(first, parser->index.end(), uint32_t(container->start - parser->bytes));
    return {uint32_t(opener - first) + 1, is_object};
}

bool mesher_json_next_member(
    const mesher_json_parser *parser, mesher_json_members *members, mesher_json_value *name, mesher_json_value *value) {
    if (members->token >= parser->index.size()) return false;
    Cursor cursor(parser->index, parser->bytes, parser->count, parser->notes.get(), members->token);
    if (cursor.peek() == '}' || cursor.peek() == ']') return false;
    if (cursor.peek() == ',') cursor.advance();
    if (members->is_object) {
        size_t start = cursor.offset();
        if (cursor.key()) return false;
        *name = raw_string(parser->bytes, start, cursor.offset());
    }
    size_t start = cursor.offset();
    ValueFacts facts;
    if (cursor.pass(facts)) return false;
    if (facts.kind == mesher_json_kind_string) {
        *value = raw_string(parser->bytes, start, cursor.offset());
    } else {
        *value = {};
        value->start = parser->bytes + start;
        value->count = uint32_t(cursor.trimmed_end() - start);
        value->kind = facts.kind;
        value->values = facts.values;
    }
    members->token = uint32_t(cursor.place());
    return true;
}

size_t mesher_json_resolve(const mesher_json_value *string, uint8_t *room) {
    return mesher::resolve_escapes(string->start, string->count, room);
}

void mesher_json_trim(mesher_json_parser *parser) {
    parser->index.trim();
    parser->notes.trim();
    parser->resolved.trim();
    parser->replaced.trim();
}
