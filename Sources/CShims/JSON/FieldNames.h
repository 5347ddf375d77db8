// The names of the fields to find in an event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "CJSON.h"

namespace mesher {

/// Names grouped by size, so that a key is compared with few of them, and mostly by its first eight bytes alone.
class FieldNames {
  public:
    static constexpr size_t none = SIZE_MAX;

    /// False when there is no memory, or a name is too long.
    bool set(const mesher_json_name *names, size_t count) noexcept;

    size_t size() const noexcept { return count; }

    /// The number of the field of this name, or `none`. Eight bytes from `name` on must be readable.
    size_t find(const uint8_t *name, size_t size) const noexcept {
        if (size > MESHER_JSON_NAME) return none;
        uint64_t head = first_bytes(name, size);
        for (size_t i = starts[size]; i < starts[size + 1]; i++) {
            const Entry &entry = entries[i];
            if (entry.head == head && (size <= 8 || memcmp(entry.name + 8, name + 8, size - 8) == 0)) return entry.field;
        }
        return none;
    }

  private:
    struct Entry {
        uint64_t head;
        const uint8_t *name;
        size_t field;
    };

    /// The first eight bytes as a number; a shorter name is padded with zeros.
    static uint64_t first_bytes(const uint8_t *name, size_t size) noexcept {
        uint64_t bytes;
        memcpy(&bytes, name, sizeof bytes);
        return size >= 8 ? bytes : bytes & ~(~uint64_t(0) << 8 * size);
    }

    std::unique_ptr<Entry[]> entries;
    size_t count = 0;
    /// The position in `entries` of the first name of each size.
    std::array<uint8_t, MESHER_JSON_NAME + 2> starts{};
};

}  // namespace mesher
