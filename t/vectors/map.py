#!/usr/bin/env python3
"""Model of the map trees of format 1, written from the page store-format(5) alone.

It shares no line and no library with the C sources: it builds every level at once from the whole list of items, where
the C editor streams.  Usage, to standard output:

    map.py    t/golden/vectors/map-roots.txt

Items are made from numbers, so that a test can make the same ones.  d(i) = SHA-256("store map" || seed u32 LE ||
i u32 LE), x(i) = SHA-256(d(i)).  A name is the 10 hex digits of d[1..5], then d[0] mod `stretch` further bytes: byte j
is 0x21 + d[8 + j mod 24] mod 0xde, with "/" made "_".
Directory: kind 1 + d[6] mod 4, id x; sizes are d[8..11] as u32 LE, of height 0 mod 2^24 - 1, plus 1; height of kinds 1 and 2 is d[7] mod 3;
a directory has height d[7] mod 4, files d[12..13] as u16 LE plus 1, directories d[14].
Changes: the key is the two digits of d[30], the digit of d[31] mod 16, and the name, joined by NUL; the value is
[1,0,1], [2,1,2], [3,3,0], [4,4,3] or [5,2,1], by d[6] mod 5.
Meta: flags is 1, 3, 7, 8, 9 or 15, by d[6] mod 6; mode d[8..9] mod 4096; seconds d[10..13] as u32 LE minus 2^31;
nanoseconds d[14..17] mod 10^9; uid d[18..21], gid d[22..25]; attribute list: id x, height d[26] mod 2, size d[27]
plus 1; child map: id d, height d[28] mod 4.
"""
import hashlib
import struct
import sys

KINDS = {"directory": 1, "changes": 2, "meta": 3}
FLAGS = [1, 3, 7, 8, 9, 15]
CHANGES = [(1, 0, 1), (2, 1, 2), (3, 3, 0), (4, 4, 3), (5, 2, 1)]


def sha(data):
    return hashlib.sha256(data).digest()


def leb(v):
    out = bytearray()
    while v >= 128:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def u16(b):
    return struct.unpack("<H", b)[0]


def u32(b):
    return struct.unpack("<I", b)[0]


# --- items ------------------------------------------------------------------------------------------------------
def name(d, stretch):
    tail = bytes(0x21 + d[8 + j % 24] % 0xde for j in range(d[0] % stretch))
    return d[1:6].hex().encode() + tail.replace(b"/", b"_")


def directory_item(d, stretch):
    kind, size = 1 + d[6] % 4, u32(d[8:12]) + 1
    if kind == 3:
        files, dirs = u16(d[12:14]) + 1, d[14]
        value = bytes([3, d[7] % 4]) + sha(d) + leb(size) + leb(files) + leb(dirs)
        return name(d, stretch), value, (size, files, dirs + 1)
    height = d[7] % 3 if kind < 3 else 0
    if height == 0:
        size = u32(d[8:12]) % 0xffffff + 1
    return name(d, stretch), bytes([kind, height]) + sha(d) + leb(size), (size, 1, 0)


def changes_item(d, stretch):
    key = b"\0".join([b"%02x" % d[30], b"%x" % (d[31] % 16), name(d, stretch)])
    return key, bytes(CHANGES[d[6] % 5]), (1,)


def meta_item(d, stretch):
    flags = FLAGS[d[6] % 6]
    value = bytes([flags])
    if flags & 1:
        seconds = u32(d[10:14]) - (1 << 31)
        zigzag = 2 * seconds if seconds >= 0 else -2 * seconds - 1
        value += leb(u16(d[8:10]) % 4096) + leb(zigzag) + leb(u32(d[14:18]) % 10**9)
    if flags & 2:
        value += leb(u32(d[18:22])) + leb(u32(d[22:26]))
    if flags & 4:
        value += sha(d) + bytes([0]) + leb(d[27] + 1)
    if flags & 8:
        value += d + bytes([d[28] % 4])
    return name(d, stretch), value, (1,)


MAKERS = {"directory": directory_item, "changes": changes_item, "meta": meta_item}


def items(kind, seed, count, stretch):
    made = [MAKERS[kind](sha(b"store map" + struct.pack("<II", seed, i)), stretch) for i in range(count)]
    made.sort(key=lambda item: item[0])
    assert all(a[0] < b[0] for a, b in zip(made, made[1:]))
    return made


# --- the tree ---------------------------------------------------------------------------------------------------
def split(level_items, constant, level):
    """The nodes of one level, as lists of items."""
    nodes, node, weight = [], [], 0
    for item in level_items:
        key = item[0]
        after = weight + 8 + len(key) + constant
        h = struct.unpack("<Q", sha(bytes([level]) + key)[:8])[0]
        closes = h >> 16 < after**4 - weight**4 or after >= 12288
        node.append(item)
        weight = after
        if closes and not (level > 0 and len(node) == 1):
            nodes.append(node)
            node, weight = [], 0
    if node:
        nodes.append(node)
    return nodes


def encode(kind, level, node):
    body = b"".join(leb(len(key)) + key + value for key, value, _ in node)
    return b"MP\x01" + bytes([KINDS[kind], level]) + leb(len(node)) + body


def sums(node):
    return tuple(sum(column) for column in zip(*(item[2] for item in node)))


def build(kind, level_items):
    """(id, level, totals, nodes in the whole tree)"""
    zero = (0, 0, 0) if kind == "directory" else (0,)
    if not level_items:
        return sha(encode(kind, 0, [])), 0, zero, 0
    constant = 16 if kind == "changes" else 48
    level, stored = 0, 0
    while True:
        nodes = split(level_items, constant, level)
        stored += len(nodes)
        parents = []
        for node in nodes:
            data = encode(kind, level, node)
            assert len(data) <= 65536
            totals = sums(node)
            parents.append((node[-1][0], sha(data) + b"".join(leb(n) for n in totals), totals))
        if len(nodes) == 1:
            return parents[0][1][:32], level, parents[0][2], stored
        level_items, level = parents, level + 1


CASES = [(kind, seed, count, stretch)
         for kind in ("directory", "changes", "meta")
         for seed, count, stretch in ((1, 0, 1), (1, 1, 1), (1, 2, 246), (2, 60, 1), (2, 100, 20), (3, 500, 20),
                                      (4, 500, 246), (5, 3000, 12), (6, 6000, 246), (7, 20000, 246))]


def main():
    if len(sys.argv) != 1:
        raise SystemExit("usage: map.py")
    print("# Map roots of format 1: kind, seed, items, stretch, then level of the root, nodes in the tree, root, totals")
    print("# (directory: size, files, directories; else items).  Written by t/vectors/map.py, where the items are described.")
    for kind, seed, count, stretch in CASES:
        root, level, totals, stored = build(kind, items(kind, seed, count, stretch))
        print(" ".join([kind] + [str(x) for x in (seed, count, stretch, level, stored, root.hex()) + totals]))


main()
