// The escapes of JSON strings, RFC 8259 section 7.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mesher {

/// Checks every escape of a text. Those that PostgreSQL accepts in no text (U+0000, lone surrogates) are replaced in
/// place by `\ufffd`.
///
/// A backslash outside a string is treated the same: such a text is invalid anyway.
///
/// Returns `count`, or the offset of an invalid escape; `any` says whether there was an escape at all.
size_t sanitise_escapes(uint8_t *bytes, size_t count, bool &any);

/// Writes a string's content with its escapes resolved, and returns the size, which is never larger.
///
/// `bytes` is the content between the quotes, of a text that `sanitise_escapes` found valid.
size_t resolve_escapes(const uint8_t *bytes, size_t count, uint8_t *resolved);

}  // namespace mesher
