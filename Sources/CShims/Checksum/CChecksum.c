#include "CChecksum.h"

#include <string.h>

// The polynomial 0x1EDC6F41, its bits reversed.
static uint32_t next_of_table(uint32_t checksum, const uint8_t *bytes, size_t count) {
    static uint32_t table[256];
    // Threads may fill it at the same time: they write the same values, the last entry last.
    if (__atomic_load_n(&table[255], __ATOMIC_ACQUIRE) == 0) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t value = byte;
            for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? 0x82f63b78u : 0);
            __atomic_store_n(&table[byte], value, __ATOMIC_RELEASE);
        }
    }
    for (size_t place = 0; place < count; place++) {
        checksum = (checksum >> 8) ^ table[(checksum ^ bytes[place]) & 0xff];
    }
    return checksum;
}

uint32_t mesher_crc32c_by_table(uint32_t checksum, const void *bytes, size_t count) {
    return ~next_of_table(~checksum, bytes, count);
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t next_of_instruction(
    uint32_t checksum, const uint8_t *bytes, size_t count) {
    uint64_t value = checksum;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        value = __builtin_ia32_crc32di(value, word);
    }
    for (; count > 0; bytes++, count--) value = __builtin_ia32_crc32qi((uint32_t)value, *bytes);
    return (uint32_t)value;
}

uint32_t mesher_crc32c(uint32_t checksum, const void *bytes, size_t count) {
    if (!__builtin_cpu_supports("sse4.2")) return mesher_crc32c_by_table(checksum, bytes, count);
    return ~next_of_instruction(~checksum, bytes, count);
}

#elif defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

uint32_t mesher_crc32c(uint32_t checksum, const void *bytes, size_t count) {
    const uint8_t *place = bytes;
    checksum = ~checksum;
    for (; count >= 8; place += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, place, 8);
        checksum = __crc32cd(checksum, word);
    }
    for (; count > 0; place++, count--) checksum = __crc32cb(checksum, *place);
    return ~checksum;
}

#else

uint32_t mesher_crc32c(uint32_t checksum, const void *bytes, size_t count) {
    return mesher_crc32c_by_table(checksum, bytes, count);
}

#endif
