#include "Escapes.h"

#include <cstring>

namespace mesher {

namespace {

/// The size of `\u` and four digits.
constexpr size_t unit_size = 6;

constexpr int32_t not_a_unit = -1;

int32_t hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/// The UTF-16 unit of the escape that starts here, or `not_a_unit`.
int32_t unit(const uint8_t *bytes, size_t count) {
    if (count < unit_size || bytes[0] != '\\' || bytes[1] != 'u') return not_a_unit;
    int32_t value = 0;
    for (size_t i = 2; i < unit_size; i++) {
        int32_t digit = hex_digit(bytes[i]);
        if (digit < 0) return not_a_unit;
        value = value << 4 | digit;
    }
    return value;
}

bool is_high_surrogate(int32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

uint8_t *write_utf8(uint32_t scalar, uint8_t *to) {
    if (scalar < 0x80) {
        *to++ = uint8_t(scalar);
    } else if (scalar < 0x800) {
        *to++ = uint8_t(0xC0 | scalar >> 6);
        *to++ = uint8_t(0x80 | (scalar & 0x3F));
    } else if (scalar < 0x10000) {
        *to++ = uint8_t(0xE0 | scalar >> 12);
        *to++ = uint8_t(0x80 | (scalar >> 6 & 0x3F));
        *to++ = uint8_t(0x80 | (scalar & 0x3F));
    } else {
        *to++ = uint8_t(0xF0 | scalar >> 18);
        *to++ = uint8_t(0x80 | (scalar >> 12 & 0x3F));
        *to++ = uint8_t(0x80 | (scalar >> 6 & 0x3F));
        *to++ = uint8_t(0x80 | (scalar & 0x3F));
    }
    return to;
}

const uint8_t *find_backslash(const uint8_t *from, const uint8_t *end) {
    return from == end ? nullptr : static_cast<const uint8_t *>(memchr(from, '\\', size_t(end - from)));
}

}  // namespace

size_t sanitise_escapes(uint8_t *bytes, size_t count, bool &any) {
    const uint8_t *end = bytes + count;
    const uint8_t *found = find_backslash(bytes, end);
    any = found != nullptr;
    while (found) {
        size_t at = size_t(found - bytes);
        size_t left = count - at;
        if (left < 2) return at;
        size_t size = 2;
        if (bytes[at + 1] == 'u') {
            int32_t first = unit(found, left);
            if (first == not_a_unit) return at;
            size = unit_size;
            bool is_lone = is_low_surrogate(first);
            if (is_high_surrogate(first)) {
                is_lone = !is_low_surrogate(unit(found + unit_size, left - unit_size));
                if (!is_lone) size = 2 * unit_size;
            }
            if (is_lone || first == 0) memcpy(bytes + at + 2, "fffd", 4);
        } else if (!memchr("\"\\/bfnrt", bytes[at + 1], 8)) {
            return at;
        }
        found = find_backslash(found + size, end);
    }
    return count;
}

size_t resolve_escapes(const uint8_t *bytes, size_t count, uint8_t *resolved) {
    const uint8_t *from = bytes;
    const uint8_t *end = bytes + count;
    uint8_t *to = resolved;
    while (from != end) {
        const uint8_t *escape = find_backslash(from, end);
        size_t plain = size_t((escape ? escape : end) - from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        if (end - from < 2) break;
        switch (from[1]) {
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        case 'u': {
            uint32_t scalar = uint32_t(unit(from, size_t(end - from)));
            if (is_high_surrogate(int32_t(scalar))) {
                from += unit_size;
                uint32_t low = uint32_t(unit(from, size_t(end - from)));
                scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00);
            }
            to = write_utf8(scalar, to);
            from += unit_size;
            continue;
        }
        default: *to++ = from[1];
        }
        from += 2;
    }
    return size_t(to - resolved);
}

}  // namespace mesher
