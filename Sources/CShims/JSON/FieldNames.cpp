#include "FieldNames.h"

#include <algorithm>
#include <new>

namespace mesher {

bool FieldNames::set(const mesher_json_name *names, size_t number) noexcept {
    if (number > UINT8_MAX) return false;
    entries.reset(new (std::nothrow) Entry[number]);
    if (!entries) return false;
    for (size_t size = 0; size <= MESHER_JSON_NAME; size++) {
        for (size_t field = 0; field < number; field++) {
            if (names[field].count != size) continue;
            // The bytes after a name may not be readable.
            uint8_t head[8] = {};
            memcpy(head, names[field].start, std::min(size, sizeof head));
            entries[count++] = {first_bytes(head, size), names[field].start, field};
        }
        starts[size + 1] = uint8_t(count);
    }
    return count == number;
}

}  // namespace mesher
