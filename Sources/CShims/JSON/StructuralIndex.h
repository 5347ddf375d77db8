// Where the tokens of a JSON text begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "CJSON.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace mesher {

/// The buffers of a text up to this size are kept for the next. Larger ones are freed, since a process that serves one
/// connection may idle for days. The index takes four times as much.
constexpr size_t kept_capacity = 64 << 10;

/// simdjson's first stage, which finds where in a text every brace, bracket, colon, comma, string, number and literal
/// begins, and refuses bad UTF-8, unclosed strings and control characters in them.
///
/// simdjson's later stages don't fit: its document model refuses integers beyond 64 bits, and On-Demand checks only the
/// values that are read.
class StructuralIndex {
  public:
    StructuralIndex() noexcept;
    ~StructuralIndex();

    /// Indexes a text; `offset` is set when there is a fault.
    mesher_json_fault build(const uint8_t *bytes, size_t count, size_t &offset) noexcept;

    /// Gives the memory back if the last text needed much of it.
    void trim() noexcept;

    const uint32_t *begin() const noexcept;
    const uint32_t *end() const noexcept;
    size_t size() const noexcept { return size_t(end() - begin()); }

  private:
    std::unique_ptr<simdjson::internal::dom_parser_implementation> implementation;
};

}  // namespace mesher
