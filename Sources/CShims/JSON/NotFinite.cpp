#include "NotFinite.h"

#include <cstring>

#include "Cursor.h"

namespace mesher {

namespace {

template <size_t size> bool starts_with(const uint8_t *token, size_t left, const char (&literal)[size]) {
    return left >= size - 1 && memcmp(token, literal, size - 1) == 0;
}

/// The size of the token if it is one of the three; `left` reaches to the next token.
size_t not_finite_size(const uint8_t *token, size_t left) {
    size_t size = starts_with(token, left, "NaN") ? 3
        : starts_with(token, left, "Infinity")    ? 8
        : starts_with(token, left, "-Infinity")   ? 9
                                                  : 0;
    // Only white space may separate two tokens; any other byte belongs to this one.
    return size == left || is_white_space(token[size]) ? size : 0;
}

template <typename Body>
void for_each(const StructuralIndex &index, const uint8_t *bytes, size_t count, Body body) {
    for (const uint32_t *token = index.begin(); token != index.end(); token++) {
        uint8_t first = bytes[*token];
        if (first != 'N' && first != 'I' && first != '-') continue;
        size_t end = token + 1 == index.end() ? count : token[1];
        if (size_t size = not_finite_size(bytes + *token, end - *token)) body(*token, size);
    }
}

}  // namespace

size_t count_not_finite(const StructuralIndex &index, const uint8_t *bytes, size_t count) noexcept {
    size_t found = 0;
    for_each(index, bytes, count, [&](size_t, size_t) { found++; });
    return found;
}

size_t replace_not_finite(
    const StructuralIndex &index, const uint8_t *bytes, size_t count, uint8_t *replaced) noexcept {
    uint8_t *to = replaced;
    size_t copied = 0;
    for_each(index, bytes, count, [&](size_t at, size_t size) {
        memcpy(to, bytes + copied, at - copied);
        to += at - copied;
        memcpy(to, "null", 4);
        to += 4;
        copied = at + size;
    });
    memcpy(to, bytes + copied, count - copied);
    return size_t(to - replaced) + (count - copied);
}

}  // namespace mesher
