#!/usr/bin/env python3
"""Model of the chunk borders of format 1, written from the text of the format alone.

It shares no line and no library with the C sources.  Usage, everything to standard output:

    gear.py table    t/golden/vectors/gear-table.txt
    gear.py cuts     t/golden/vectors/chunk-cuts.txt
    gear.py c        src/data/chunker_table.c

The rule: h = (h << 1) + T[byte] mod 2^64 over all bytes of the file.  Cut after byte i iff the chunk then has at
least min bytes and h < floor(2^64 / (avg - min)), or at max; min = avg / 4, max = 4 avg.
T[b] = first 8 bytes, little-endian, of SHA-256("store gear" || n as u32 LE || b as u8), n the smallest with
(2^64 - T[b]) mod 2^64 >= 2^64 / 192 for all b.  A run of byte b has h = -T[b], so no such run cuts.
"""
import hashlib
import struct
import sys

TWO64 = 1 << 64
MASK = TWO64 - 1


def entry(n, b):
    digest = hashlib.sha256(b"store gear" + struct.pack("<IB", n, b)).digest()
    return struct.unpack("<Q", digest[:8])[0]


def table():
    n = 0
    while True:
        t = [entry(n, b) for b in range(256)]
        # Compared without division: x >= 2^64 / 192 is 192 x >= 2^64.
        if all(192 * ((TWO64 - v) % TWO64) >= TWO64 for v in t):
            return n, t
        n += 1


def cuts(t, data, avg):
    """Ends of the chunks, the end of the data included."""
    least, most = avg // 4, avg * 4
    threshold = TWO64 // (avg - least)
    ends, start, h = [], 0, 0
    for i, byte in enumerate(data):
        h = ((h << 1) + t[byte]) & MASK
        length = i + 1 - start
        if (length >= least and h < threshold) or length == most:
            ends.append(i + 1)
            start = i + 1
    if start < len(data):
        ends.append(len(data))
    return ends


def stream(seed, length):
    """SHA-256("store vector" || seed u32 LE || k u32 LE) for k = 0, 1, 2, ..."""
    blocks = (hashlib.sha256(b"store vector" + struct.pack("<II", seed, k)).digest() for k in range((length + 31) // 32))
    return b"".join(blocks)[:length]


def make(kind, seed, length):
    if kind == "random":
        return stream(seed, length)
    if kind == "zero":
        return bytes(length)
    if kind == "byte":                      # a run of one byte, the seed
        return bytes([seed]) * length
    if kind == "two":                       # two byte values only: bit 0 of each byte of the stream
        return bytes(x & 1 for x in stream(seed, length))
    if kind == "period":                    # the first `seed` bytes of stream 0, again and again
        unit = stream(0, seed)
        return (unit * (length // seed + 1))[:length]
    if kind == "island":                    # zeros, with 4,096 bytes of the stream at every 65,536
        data = bytearray(length)
        source = stream(seed, length)
        for at in range(0, length, 65536):
            data[at:at + 4096] = source[at:at + 4096]
        return bytes(data[:length])
    raise SystemExit("unknown kind " + kind)


CASES = [
    ("random", 1, 0, 256), ("random", 1, 1, 256), ("random", 1, 63, 256), ("random", 1, 64, 256),
    ("random", 1, 65, 256), ("random", 1, 1024, 256), ("random", 1, 20000, 256), ("random", 2, 20000, 512),
    ("random", 3, 200000, 4096), ("random", 4, 2000000, 65536), ("random", 5, 12000000, 2 << 20),
    ("zero", 0, 5000, 256), ("zero", 0, 1000000, 65536), ("byte", 255, 5000, 256), ("byte", 97, 40000, 4096),
    ("two", 6, 20000, 256), ("two", 7, 300000, 4096), ("period", 7, 20000, 256), ("period", 64, 20000, 256),
    ("period", 100, 20000, 256), ("period", 5000, 200000, 4096), ("period", 100000, 2000000, 65536),
    ("island", 8, 1000000, 65536), ("island", 9, 200000, 1024),
]


def print_table():
    n, t = table()
    print("# Gear table of format 1: byte and entry, both in hex.  Written by t/vectors/gear.py table.")
    print("n %d" % n)
    for b, v in enumerate(t):
        print("%02x %016x" % (b, v))


def print_cuts():
    _, t = table()
    print("# Chunk ends of format 1: input kind, seed, length, average, count of chunks, ends.  Written by t/vectors/gear.py cuts,")
    print("# where the inputs are described.")
    for kind, seed, length, avg in CASES:
        ends = cuts(t, make(kind, seed, length), avg)
        print(" ".join([kind] + [str(x) for x in [seed, length, avg, len(ends)] + ends]))


def print_c():
    n, t = table()
    print("/*")
    print(" * The gear table, frozen with format 1.  Written by t/vectors/gear.py c, never by hand: entry b is")
    print(" * the first 8 bytes, little-endian, of SHA-256(\"store gear\" || n as u32 LE || b as u8) with n = %d," % n)
    print(" * the smallest n for which no run of one byte value cuts at any average.  Numbers stand here so")
    print(" * that no start of a command pays for 256 hashes; t/unit/u_chunker.c computes it again.")
    print(" */")
    print("#include \"data/chunker_internal.h\"")
    print()
    print("const uint64_t chunker_gear[256] = {")
    for v in t:
        print("\t0x%016x," % v)
    print("};")


def main():
    actions = {"table": print_table, "cuts": print_cuts, "c": print_c}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        raise SystemExit("usage: gear.py table|cuts|c")
    actions[sys.argv[1]]()


main()
