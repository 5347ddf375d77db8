// NaN and Infinity, which are not JSON but which some SDKs write.
#pragma once

#include <cstddef>
#include <cstdint>

#include "StructuralIndex.h"

namespace mesher {

/// How many of an indexed text's tokens are `NaN`, `Infinity` or `-Infinity`.
size_t count_not_finite(const StructuralIndex &index, const uint8_t *bytes, size_t count) noexcept;

/// Copies the text with `null` in place of each, and returns the size: at most one byte more for each.
size_t replace_not_finite(
    const StructuralIndex &index, const uint8_t *bytes, size_t count, uint8_t *replaced) noexcept;

}  // namespace mesher
