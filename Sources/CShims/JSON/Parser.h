// What is kept from one text to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "CJSON.h"
#include "StructuralIndex.h"

struct mesher_json_parser {
    mesher::StructuralIndex index;
    /// Where strings lie whose escapes were resolved; as large as the text, since that never makes them longer.
    std::unique_ptr<uint8_t[]> resolved;
    size_t resolved_capacity = 0;
};
