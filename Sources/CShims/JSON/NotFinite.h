// NaN and Infinity, which JSON has not but some senders write.
#pragma once

#include <cstddef>
#include <cstdint>

#include "StructuralIndex.h"

namespace mesher {

/// How many of an indexed text's tokens are `NaN`, `Infinity` or `-Infinity`.
size_t count_not_finite(const StructuralIndex &index, const uint8_t *bytes, size_t count) noexcept;

/// Copies the text with `null` for each of them, which makes it longer by at most one byte each, and returns the size.
size_t replace_not_finite(
    const StructuralIndex &index, const uint8_t *bytes, size_t count, uint8_t *replaced) noexcept;

}  // namespace mesher
