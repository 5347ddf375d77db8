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
template <typename Element> class Room {
  public:
    /// False when there is no memory. The content is lost.
    bool reserve(size_t count) noexcept {
        if (capacity >= count) return true;
        size_t wanted = count < kept_capacity ? kept_capacity : count;
        elements.reset(new (std::nothrow) Element[wanted]);
        capacity = elements ? wanted : 0;
        return elements != nullptr;
    }
    /// Frees a large buffer.
    void trim() noexcept {
        if (capacity <= kept_capacity) return;
        elements.reset();
        capacity = 0;
    }
    Element *get() const noexcept { return elements.get(); }

  private:
    std::unique_ptr<Element[]> elements;
    size_t capacity = 0;
};

}  // namespace mesher

struct mesher_json_parser {
    mesher::FieldNames names;
    /// The values of these names in the event parsed last.
    std::unique_ptr<mesher_json_value[]> fields;
    mesher::StructuralIndex index;
    /// What a `Cursor` has noted of the event parsed last.
    mesher::Room<uint32_t> notes;
    /// Strings with their escapes resolved; as large as the text is enough.
    mesher::Room<uint8_t> resolved;
    /// A text whose NaN and Infinity were replaced.
    mesher::Room<uint8_t> replaced;
    /// The text that `index` is of.
    uint8_t *bytes = nullptr;
    size_t count = 0;
};
