// CRC32C (RFC 3720, appendix B.4), by the processor's own instruction where there is one.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The checksum of so many bytes; `checksum` is that of the bytes before them, 0 for none.
uint32_t mesher_crc32c(uint32_t checksum, const void *bytes, size_t count);

/// The same by a table, as on a processor without the instruction.
uint32_t mesher_crc32c_by_table(uint32_t checksum, const void *bytes, size_t count);
