#!/usr/bin/env python3
"""Roots of sequences, made from store-format(5) alone, in the plainest way: whole levels in memory.

    seq.py > t/golden/vectors/seq-roots.txt
    seq.py 200000                              the cases of at most so many chunks

The frozen file was written once by this script; t/unit/u_seq.c reads it and builds the same sequences.
"""
import hashlib
import sys

HEAD = """\
# Roots of format 1: name, runs, =, height, size, id, number of different nodes.  Written by t/vectors/seq.py.
# A run is FAMILY:FIRST:COUNT:MODULO:LENGTH:REPEAT: for i from 0 to COUNT - 1 the chunk number FIRST + i % MODULO,
# LENGTH bytes long, REPEAT times.  Its id is SHA-256("chunk" and the number as u64), changed by the family:
# p not at all, n byte 7 with its high bit set (never a border), a byte 7 zero (always one).
"""

CASES = [
    ("empty", []),
    ("one-chunk", ["p:0:1:1:5:1"]),
    ("two-chunks", ["p:0:2:2:5:1"]),
    ("one-chunk-twice", ["p:0:1:1:5:2"]),
    ("same-id-other-length", ["p:0:1:1:5:1", "p:0:1:1:6:1"]),
    ("there-and-back", ["p:0:1:1:127:1", "p:1:1:1:128:300", "p:0:1:1:127:1"]),
    ("repeats-in-pieces", ["p:7:5:1:16384:1", "p:7:1:1:16384:9", "p:8:1:1:3:1"]),
    ("hole-16-tib", ["p:0:1:1:262144:67108864"]),
    ("hole-between-data", ["p:1:3:3:65536:1", "p:0:1:1:262144:67108864", "p:4:3:3:65536:1"]),
    ("largest-file", ["p:0:1:1:1:18446744073709551615"]),
    ("largest-chunk", ["p:0:9:9:16777215:1"]),
    ("always-15", ["a:0:15:15:10:1"]),
    ("always-16", ["a:0:16:16:10:1"]),
    ("always-17", ["a:0:17:17:10:1"]),
    ("always-32", ["a:0:32:32:10:1"]),
    ("always-33", ["a:0:33:33:10:1"]),
    ("always-1000", ["a:0:1000:1000:10:1"]),
    ("never-1023", ["n:0:1023:1023:10:1"]),
    ("never-1024", ["n:0:1024:1024:10:1"]),
    ("never-1025", ["n:0:1025:1025:10:1"]),
    ("never-2048", ["n:0:2048:2048:10:1"]),
    ("never-5000-repeated", ["n:0:5000:5000:10:3"]),
    ("early-border-ignored", ["n:0:14:14:9:1", "a:0:1:1:9:1", "n:20:100:100:9:1"]),
    ("sixteenth-row-border", ["n:0:15:15:9:1", "a:0:1:1:9:1", "n:20:100:100:9:1"]),
    ("repeat-is-one-row", ["n:0:15:15:9:1", "a:0:1:1:9:5000", "n:20:100:100:9:1"]),
    ("period-300", ["p:0:100000:300:1000:1"]),
    ("period-1000", ["p:500:100000:1000:65536:1"]),
    ("node-repeated-exactly", ["n:0:51200:1024:10:1"]),
    ("node-repeated-and-rest", ["n:0:51300:1024:10:1", "p:0:3:3:10:1"]),
    ("rest-before-node-repeated", ["a:9000:16:16:10:1", "n:0:51200:1024:10:1"]),
    ("level-2-node-repeated", ["n:0:4194304:2048:100:1"]),
    ("plain-1000", ["p:0:1000:1000:65536:1"]),
    ("plain-100000", ["p:0:100000:100000:65536:1"]),
    ("three-levels", ["p:0:2000000:2000000:65536:1"]),
]


def leb(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def chunk_id(family, number):
    d = hashlib.sha256(b"chunk" + number.to_bytes(8, "little")).digest()
    if family == "n":
        d = d[:7] + bytes([d[7] | 128]) + d[8:]
    elif family == "a":
        d = d[:7] + b"\0" + d[8:]
    return d


def children(runs):
    for run in runs:
        family, first, count, modulo, length, repeat = run.split(":")
        seen = {}
        for i in range(int(count)):
            number = int(first) + i % int(modulo)
            if number not in seen:
                seen[number] = chunk_id(family, number)
            yield seen[number], int(length), int(repeat)


def merge(items):
    rows = []
    for child, length, repeat in items:
        if rows and rows[-1][0] == child and rows[-1][1] == length:
            rows[-1][2] += repeat
        else:
            rows.append([child, length, repeat])
    return rows


def cut(rows):
    node = []
    for row in rows:
        node.append(row)
        low = int.from_bytes(row[0][:8], "little")
        if (low < 2**57 and len(node) >= 16) or len(node) == 1024:
            yield node
            node = []
    if node:
        yield node


def build(runs):
    nodes = set()
    level = 0
    rows = merge(children(runs))
    if not rows:
        return 0, 0, hashlib.sha256(b"").digest(), 0
    while len(rows) > 1 or rows[0][2] > 1:
        level += 1
        above = []
        for node in cut(rows):
            data = b"SQ\x01" + bytes([level]) + leb(len(node))
            data += b"".join(i + leb(n) + leb(r) for i, n, r in node)
            name = hashlib.sha256(data).digest()
            nodes.add(name)
            above.append((name, sum(n * r for _, n, r in node), 1))
        rows = merge(above)
    return level, rows[0][1], rows[0][0], len(nodes)


def main():
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 64
    print(HEAD, end="")
    for name, runs in CASES:
        if sum(int(run.split(":")[2]) for run in runs) > most:
            continue
        height, size, root, nodes = build(runs)
        print(name, *runs, "=", height, size, root.hex(), nodes)


main()
