// What a parser keeps from one text to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "CJSON.h"
#include "FieldNames.h"
#include "StructuralIndex.h"

namespace mesher {

/// An uninitialised buffer of at least the requested size.
class Room {
  public:
    /// False when there is no memory. The content is lost.
    bool reserve(size_t count) noexcept {
        if (capacity >= count) return true;
        size_t wanted = count < kept_capacity ? kept_capacity : count;
        bytes.reset(new (std::nothrow) uint8_t[wanted]);
        capacity = bytes ? wanted : 0;
        return bytes != nullptr;
    }
    /// Frees a large buffer.
    void trim() noexcept {
        if (capacity <= kept_capacity) return;
        bytes.reset();
        capacity = 0;
    }
    uint8_t *get() const noexcept { return bytes.get(); }

  private:
    std::unique_ptr<uint8_t[]> bytes;
    size_t capacity = 0;
};

}  // namespace mesher

struct mesher_json_parser {
    mesher::FieldNames names;
    /// The values of these names in the event parsed last.
    std::unique_ptr<mesher_json_value[]> fields;
    mesher::StructuralIndex index;
    /// Strings with their escapes resolved; as large as the text is enough.
    mesher::Room resolved;
    /// A text whose NaN and Infinity were replaced.
    mesher::Room replaced;
    /// The text that `index` is of.
    uint8_t *bytes = nullptr;
    size_t count = 0;
};
