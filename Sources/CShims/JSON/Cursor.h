// The grammar of JSON, RFC 8259, above the structural index.
#pragma once

#include <cstddef>
#include <cstdint>

#include "CJSON.h"
#include "StructuralIndex.h"

namespace mesher {

inline bool is_white_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

/// What a walk over a valid value finds out; see `mesher_json_value`.
struct ValueFacts {
    mesher_json_kind kind = mesher_json_kind_null;
    bool only_strings = true;
    bool fits_numeric = true;
    /// The digits of all numbers so far, written out.
    long numeric_digits = 0;
    /// Of a container: the values in it, at any level.
    uint32_t values = 0;
};

/// A place in an indexed text.
class Cursor {
  public:
    /// What to do with a container beyond the allowed levels.
    enum class Excess {
        refuse,
        /// Skip it, checking only that its brackets balance.
        skip,
        /// Overwrite its content with spaces.
        clear,
    };

    /// Starts at a token, which must not be beyond the end.
    ///
    /// `notes` has room for one at each token. `value` notes there where each container ends, so that `pass` takes one step.
    /// A walk that nobody repeats needs none.
    Cursor(const StructuralIndex &index, uint8_t *bytes, size_t count, uint32_t *notes, size_t token = 0) noexcept
        : bytes(bytes), count(count), notes(notes), tokens(index.begin()), next(tokens + token), last(index.end()) {}

    bool is_at_end() const noexcept { return next == last; }
    /// The offset of the next token, or the text's size.
    size_t offset() const noexcept { return next == last ? count : *next; }
    /// The first byte of the next token, or 0.
    uint8_t peek() const noexcept { return next == last ? 0 : bytes[*next]; }
    void advance() noexcept { next++; }
    /// The next token's place in the index.
    size_t place() const noexcept { return size_t(next - tokens); }
    /// The end of the text before the next token, without trailing white space.
    size_t trimmed_end() const noexcept {
        size_t end = offset();
        while (end > 0 && is_white_space(bytes[end - 1])) end--;
        return end;
    }

    /// Passes over a key and its colon.
    mesher_json_fault key() noexcept;
    /// Passes over a value whose containers nest at most `levels` deep; `levels` is at most
    /// `MESHER_JSON_LENIENT_LEVELS`.
    mesher_json_fault value(unsigned levels, Excess excess, ValueFacts &facts) noexcept;
    /// Passes over a value that `value` has noted; of its content only the number of values is set.
    mesher_json_fault pass(ValueFacts &facts) noexcept;

    /// The offset of the fault that `key` or `value` returned.
    size_t fault_offset = 0;

  private:
    uint8_t *bytes;
    size_t count;
    /// At the opening bracket of each container the place behind it, at the closing one the number of values in it.
    uint32_t *notes;
    const uint32_t *tokens;
    const uint32_t *next;
    const uint32_t *last;

    mesher_json_fault fail(mesher_json_fault fault, size_t at) noexcept {
        fault_offset = at;
        return fault;
    }
    mesher_json_fault scalar(size_t at, ValueFacts &facts, mesher_json_kind &kind) noexcept;
    template <size_t size> mesher_json_fault literal(size_t at, const char (&text)[size]) noexcept;
    mesher_json_fault number(size_t at, ValueFacts &facts) noexcept;
    mesher_json_fault skip_container(ValueFacts &facts) noexcept;
    /// The next token is the first behind a container, before whose content `before` values were passed.
    void note_container(size_t opener, uint32_t before, const ValueFacts &facts) noexcept {
        if (!notes) return;
        notes[opener] = uint32_t(place());
        notes[place() - 1] = facts.values - before;
    }
    mesher_json_fault pass_container(ValueFacts &facts) noexcept;
    /// Empties the container between two brackets.
    void clear(size_t start, size_t end) noexcept;
};

}  // namespace mesher
