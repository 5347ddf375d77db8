#include "StructuralIndex.h"

#include <simdjson.h>

#include <cstring>

namespace mesher {

namespace {

/// The first stage has no use for a depth, but its constructor takes one.
constexpr size_t unused_depth = 1;

/// The size of the UTF-8 sequence that starts with a byte from 0x80 on, or 0 if it is invalid (RFC 3629, section 4).
size_t utf8_size(const uint8_t *bytes, size_t count) {
    uint8_t first = bytes[0];
    size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (size == 0 || size > count) return 0;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    }
    uint8_t second = bytes[1];
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return size;
}

/// Finds the fault that the first stage has detected, since it does not say where it is.
mesher_json_fault find_fault(const uint8_t *bytes, size_t count, size_t &offset) {
    bool in_string = false;
    size_t string_start = 0;
    for (size_t at = 0; at < count;) {
        uint8_t byte = bytes[at];
        offset = at;
        size_t size = 1;
        if (byte >= 0x80) {
            size = utf8_size(bytes + at, count - at);
            if (size == 0) return mesher_json_fault_invalid_utf8;
        } else if (!in_string) {
            if (byte == '"') {
                in_string = true;
                string_start = at;
            }
        } else if (byte == '\\') {
            size = 2;
        } else if (byte == '"') {
            in_string = false;
        } else if (byte < 0x20) {
            return mesher_json_fault_control_character;
        }
        at += size;
    }
    offset = in_string ? string_start : count;
    return in_string ? mesher_json_fault_unclosed_string : mesher_json_fault_unexpected_end;
}

}  // namespace

StructuralIndex::StructuralIndex() noexcept = default;
StructuralIndex::~StructuralIndex() = default;

mesher_json_fault StructuralIndex::build(const uint8_t *bytes, size_t count, size_t &offset) noexcept {
    offset = 0;
    if (count == 0) return mesher_json_fault_unexpected_end;
    if (count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) return mesher_json_fault_byte_order_mark;
    if (!implementation || implementation->capacity() < count) {
        implementation.reset();
        size_t capacity = count < kept_capacity ? kept_capacity : count;
        auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, unused_depth, implementation);
        if (error) {
            implementation.reset();
            return mesher_json_fault_out_of_memory;
        }
    }
    if (implementation->stage1(bytes, count, simdjson::stage1_mode::regular)) return find_fault(bytes, count, offset);
    return mesher_json_fault_none;
}

void StructuralIndex::trim() noexcept {
    if (implementation && implementation->capacity() > kept_capacity) implementation.reset();
}

const uint32_t *StructuralIndex::begin() const noexcept { return implementation->structural_indexes.get(); }

const uint32_t *StructuralIndex::end() const noexcept { return begin() + implementation->n_structural_indexes; }

}  // namespace mesher
