// JSON checked whole and cut into views: simdjson's structural index (its first stage), and above it the grammar of
// RFC 8259. Unlike simdjson's own parsers, it checks every value, even those that nobody reads, and takes numbers of
// any length.
//
// No function throws, or writes outside the bytes it was given. The 64 bytes after those must be readable, whatever
// they hold: simdjson reads them on processors without SSE 4.2. Sizes and offsets are in bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How deep an event may nest; its own object is level 1.
#define MESHER_JSON_LEVELS 64
/// How deep a text of a lenient dialect may nest. PostgreSQL 15 accepted 10,000 levels with its stack of 2 MB.
#define MESHER_JSON_LENIENT_LEVELS 512

/// What is wrong with a text.
typedef enum __attribute__((enum_extensibility(closed))) mesher_json_fault : int32_t {
    mesher_json_fault_none,
    mesher_json_fault_out_of_memory,
    /// Valid JSON, but not an object.
    mesher_json_fault_not_object,
    /// Valid JSON, but not an array.
    mesher_json_fault_not_array,
    mesher_json_fault_too_many_elements,
    mesher_json_fault_too_deep,
    // The text is not JSON; these have an offset.
    mesher_json_fault_byte_order_mark,
    mesher_json_fault_unexpected_end,
    mesher_json_fault_trailing_bytes,
    mesher_json_fault_expected_value,
    mesher_json_fault_expected_key,
    mesher_json_fault_expected_colon,
    mesher_json_fault_expected_comma_or_brace,
    mesher_json_fault_expected_comma_or_bracket,
    mesher_json_fault_invalid_literal,
    mesher_json_fault_invalid_number,
    mesher_json_fault_invalid_escape,
    mesher_json_fault_control_character,
    mesher_json_fault_unclosed_string,
    mesher_json_fault_invalid_utf8,
} mesher_json_fault;

typedef enum __attribute__((enum_extensibility(closed))) mesher_json_kind : uint8_t {
    mesher_json_kind_absent,
    mesher_json_kind_null,
    mesher_json_kind_boolean,
    mesher_json_kind_number,
    mesher_json_kind_string,
    mesher_json_kind_object,
    mesher_json_kind_array,
} mesher_json_kind;

/// A value: a string's content with its escapes resolved, or the text of anything else.
typedef struct mesher_json_value {
    const uint8_t *_Nullable start;
    uint32_t count;
    mesher_json_kind kind;
    /// Of an array: whether all its elements are strings.
    uint8_t only_strings;
    /// Whether every number in it, at any level, is within the range of PostgreSQL's numeric.
    uint8_t fits_numeric;
    /// Of a string found by `mesher_json_next_member`: whether it has escapes, not yet resolved.
    uint8_t has_escapes;
    /// Of an object or an array: the number of values in it, at any level.
    uint32_t values;
} mesher_json_value;

/// The name of a field that is looked for: at most `MESHER_JSON_NAME` bytes, which stay where they are.
typedef struct mesher_json_name {
    const uint8_t *_Nonnull start;
    size_t count;
} mesher_json_name;

/// The most bytes of a field's name.
#define MESHER_JSON_NAME 31

/// An event's object.
typedef struct mesher_json_event {
    /// The value of each name that the parser was created with: the last, if a name occurs twice; absent if it does
    /// not occur.
    const mesher_json_value *_Nullable fields;
    /// From the opening to the closing brace.
    mesher_json_value payload;
} mesher_json_event;

typedef struct mesher_json_range {
    size_t start, end;
} mesher_json_range;

/// Which texts are accepted.
typedef enum __attribute__((enum_extensibility(closed))) mesher_json_dialect : uint8_t {
    /// RFC 8259 alone.
    mesher_json_dialect_strict,
    /// Also `NaN`, `Infinity` and `-Infinity`, which become `null`, and any depth: the content of containers below the
    /// last level is overwritten with spaces. Offsets of faults are then those in the changed text.
    mesher_json_dialect_not_finite,
} mesher_json_dialect;

/// The position of a walk over the members of a container.
typedef struct mesher_json_members {
    uint32_t token;
    uint8_t is_object;
} mesher_json_members;

/// The index and the buffers, which are reused for the next text; large ones are freed.
typedef struct mesher_json_parser mesher_json_parser;

/// NULL when there is no memory.
///
/// - Parameter names: the fields to find in an event, each once; none for a parser that only splits.
mesher_json_parser *_Nullable mesher_json_create(const mesher_json_name *_Nullable names, size_t count);
void mesher_json_destroy(mesher_json_parser *_Nullable parser);

/// Checks an event and finds its fields.
///
/// `\u0000` and the escapes of lone surrogates, which PostgreSQL accepts in no text, become `\ufffd` in place. The
/// views in `event` point into `bytes` or the parser, and are valid until `mesher_json_trim` or the parser's next
/// text. `offset` is set when the fault has one.
mesher_json_fault mesher_json_parse_event(
    mesher_json_parser *_Nonnull parser, mesher_json_dialect dialect, uint8_t *_Nullable bytes, size_t count,
    mesher_json_event *_Nonnull event, size_t *_Nonnull offset);

/// Starts a walk over the members of an object or an array that is part of the event parsed last; anything else has
/// none.
mesher_json_members mesher_json_members_of(
    const mesher_json_parser *_Nonnull parser, const mesher_json_value *_Nonnull container);

/// Passes to the next member; false when there is none left. An object's member has a name. Strings are not resolved:
/// `has_escapes` is set if they need that. Of a container's content only the number of values is set.
bool mesher_json_next_member(
    const mesher_json_parser *_Nonnull parser, mesher_json_members *_Nonnull members, mesher_json_value *_Nonnull name,
    mesher_json_value *_Nonnull value);

/// Writes the content of a string that `has_escapes`, resolved, and returns its size, which is at most `count`.
size_t mesher_json_resolve(const mesher_json_value *_Nonnull string, uint8_t *_Nonnull room);

/// Frees the memory that a large event needed. Call it when its views are no longer used.
void mesher_json_trim(mesher_json_parser *_Nonnull parser);

/// Checks an array and finds its elements: at most `capacity` ranges are written, `found` says how many. Escapes are
/// replaced as by `mesher_json_parse_event`.
///
/// An element that nests too deep is no fault here: `mesher_json_parse_event` refuses that element alone.
mesher_json_fault mesher_json_split(
    mesher_json_parser *_Nonnull parser, uint8_t *_Nullable bytes, size_t count, mesher_json_range *_Nullable ranges,
    size_t capacity, size_t *_Nonnull found, size_t *_Nonnull offset);

#ifdef __cplusplus
}
#endif
