"""Bodies that cost their reader far more than their sender."""
import zlib


def packed(bits):
    """Bytes of a string of 0 and 1, the lowest bit of each byte first."""
    return int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little")


def field(value, count):
    return format(value, f"0{count}b")[::-1] if count else ""


def slow_brotli(size):
    """RFC 7932: meta-blocks of one byte each, which say that literals have 256 block types. The decoder fills a context
    map of 16,384 entries and runs the inverse move-to-front over it."""
    simple = lambda symbol, width: field(1, 2) + field(0, 2) + field(symbol, width)
    block = (
        "0" + field(0, 2) + field(0, 16) + "0"              # not the last, one byte, compressed
        + "1" + field(7, 3) + field(127, 7)                 # 256 types of literal blocks
        + simple(0, 9) + simple(0, 5) + field(0, 2)         # the code of types, of counts, the first count
        + "00" + field(0, 6) + field(0, 512)                # one type each of the others; distances; context modes
        + "1000" + "0" + simple(1, 1) + "1" + "0"           # two trees, a map without runs, move to front
        + simple(0x61, 8) * 2 + simple(8, 10) + simple(0, 6))
    return packed("0" + block * (size * 8 // len(block)) + "11")


def slow_zstandard(size, start=b"{}\n{\"type\":\"x\"}\n"):
    """RFC 8878: blocks that stand for three bytes, each with its own three FSE tables of 512, 256 and 512 entries."""
    # One symbol has the whole probability.
    table = lambda log: (log - 5 | (2 << log) - 1 << 4).to_bytes((log + 12) // 8, "little")
    head = lambda last, kind, count: (last | kind << 1 | count << 3).to_bytes(3, "little")
    # No literals, one sequence, three tables; three states of 26 bits together, and the bit that ends them.
    content = b"\x00\x01\xa8" + table(9) + table(8) + table(9) + (1 << 26).to_bytes(4, "little")
    block = head(0, 2, len(content)) + content
    return (b"\x28\xb5\x2f\xfd\x00\x38" + head(0, 0, len(start)) + start
            + block * (size // len(block)) + head(1, 0, 0))


def deflated(message):
    """A message as permessage-deflate has it, RFC 7692, section 7.2.1."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
