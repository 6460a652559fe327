#!/usr/bin/env python3
"""make-tree.py DIR STEP AVERAGE: the working trees of the golden repositories, the same bytes wherever it runs.

STEP 1 makes the tree in DIR; steps 2, 3 and 4 change it, the last one for what stays staged.  Everything has fixed
times.  The big things are made of few distinct pieces, so that the repositories stay small although their files and
folders have several levels of nodes.
"""
import os
import random
import shutil
import sys

TOP = os.fsencode(sys.argv[1])
STEP = int(sys.argv[2])
AVERAGE = int(sys.argv[3])


def at(name):
    return os.path.join(TOP, name)


def file(name, data, mode=0o644):
    os.makedirs(os.path.dirname(at(name)), exist_ok=True)
    with open(at(name), "wb") as f:
        f.write(data)
    os.chmod(at(name), mode)


def pieces(seed, distinct, length, count):
    rng = random.Random(seed)
    alphabet = [rng.randbytes(length) for _ in range(distinct)]
    return b"".join(rng.choice(alphabet) for _ in range(count))


def first():
    rng = random.Random(1)
    file(b"none/empty", b"")
    file(b"none/one byte", b"x")
    file(b"none/noise", rng.randbytes(6000))
    file(b"none/program", b"#!/bin/sh\nexit 0\n", 0o755)
    file(b"none/read only", b"mode 0444\n", 0o444)
    file(b"zlib/lines", b"".join(b"line %d\n" % n for n in range(2000)))
    # At 256 bytes three levels of seq nodes, at 64 KiB one.
    file(b"zlib/deep", pieces(2, 12, 1000, 1700) if AVERAGE == 256 else pieces(2, 3, 300, 5000))
    file(b"zlib/zeros", bytes(300000))
    file(b"zstd/lines", b"".join(b"row %d\n" % (n * n) for n in range(2000)))
    for n in range(280):
        file(b"zstd/wide/%05d" % n + b"w" * (180 + n * 7 % 60), b"%d" % (n % 10))
    for n in range(4):
        file(b"odd/new\nline \"quoted\" \\ \xff\xfe %d" % n, b"odd %d" % n)
    file(b"odd/" + b"n" * 255, b"the longest name")
    file(b"odd/a/" + b"/".join([b"d" * 200] * 14) + b"/file", b"a long path")
    file(b"odd/icon@2x.png", b"not a revision")
    file(b"odd/order/same/inner", b"1")
    file(b"odd/order/same!", b"2")
    file(b"odd/order/same.c", b"3")
    os.makedirs(at(b"odd/empty folder/and one more"))
    os.symlink(b"../none/program", at(b"odd/link"))
    os.symlink(b"nowhere\xff", at(b"odd/dangling"))
    os.symlink(b".", at(b"odd/to a folder"))
    with open(at(b"odd/hole"), "wb") as f:
        f.write(b"before")
        f.seek(2 << 20)
        f.write(b"behind")
        f.truncate(3 << 20)


def second():
    file(b"none/empty", b"no longer")
    os.remove(at(b"none/one byte"))
    os.chmod(at(b"none/program"), 0o644)
    with open(at(b"zlib/deep"), "r+b") as f:
        f.seek(800000)
        f.write(b"changed")


def third():
    shutil.rmtree(at(b"odd/order/same"))
    file(b"odd/order/same", b"a file now")
    os.remove(at(b"odd/order/same.c"))
    file(b"odd/order/same.c/x", b"a folder now")
    os.remove(at(b"odd/link"))
    os.symlink(b"elsewhere", at(b"odd/link"))
    os.remove(at(b"odd/dangling"))
    file(b"odd/dangling", b"a file now")
    shutil.rmtree(at(b"zstd/wide"))
    file(b"new/a/b/c", b"a folder that came whole")


def staged():
    file(b"staged/only", b"never committed")
    os.chmod(at(b"none/program"), 0o755)
    os.remove(at(b"zlib/lines"))
    shutil.rmtree(at(b"odd/a"))
    os.rename(at(b"new/a"), at(b"moved"))


[None, first, second, third, staged][STEP]()
for folder, folders, files in os.walk(TOP, topdown=False):
    if b".store" in folder.split(b"/"):
        continue
    for name in folders + files:
        if name != b".store":
            os.utime(os.path.join(folder, name), (1700000000, 1700000000 + STEP), follow_symlinks=False)
os.utime(TOP, (1700000000, 1700000000 + STEP))
