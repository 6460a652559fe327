# For the scripts of the second reader and the second writer: sourced after test-lib.sh.
# shellcheck shell=sh

reader=$SRC_ROOT/t/second-reader
writer=$SRC_ROOT/t/second-writer.py
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# make-tree.py DIR: every kind of entry.  With a chunk average of 256 bytes the file `deep`, which is made of few distinct
# pieces, has three levels of seq nodes, and the folder `wide` three levels of map nodes.
cat >make-tree.py <<'EOT'
import os
import random
import sys

rng = random.Random(3900)
top = os.fsencode(sys.argv[1])


def file(name, data, mode=0o644):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


file(b"none/empty", b"")
file(b"none/one byte", b"x")
file(b"none/program", b"#!/bin/sh\nexit 0\n", 0o755)
file(b"none/noise", rng.randbytes(100000))
file(b"none/zeros", bytes(20000))
file(b"zlib/lines", b"".join(b"line %d\n" % n for n in range(6000)))
file(b"zlib/period", rng.randbytes(3000) * 40)
# Of this seed a few chunks end a node, which gives three levels to so small a file.
chosen = random.Random(35)
pieces = [chosen.randbytes(1000) for _ in range(12)]
file(b"zlib/deep", b"".join(chosen.choice(pieces) for _ in range(500)))
file(b"zstd/lines", b"".join(b"row %d\n" % (n * n) for n in range(6000)))
for n in range(320):
    file(b"zstd/wide/%05d" % n + b"w" * rng.randint(180, 250), b"%d" % (n // 2))
file(b"zstd/wide-with-short-names/x", b"x")
for n in range(9):
    file(b"odd/new\nline \"quoted\" \\ \xff\xfe %d" % n, b"odd %d" % n)
file(b"odd/" + b"n" * 255, b"the longest name")
file(b"odd/a/" + b"/".join([b"d" * 200] * 14) + b"/file", b"the longest path but a little")
# NUL sorts before everything, so the folder comes before the file that has more behind the same beginning.
file(b"odd/order/same/inner", b"1")
file(b"odd/order/same!", b"2")
file(b"odd/order/same.c", b"3")
os.makedirs(os.path.join(top, b"odd/empty folder/and one more"))
os.symlink(b"../none/program", os.path.join(top, b"odd/link"))
os.symlink(b"nowhere\xff", os.path.join(top, b"odd/dangling"))
os.symlink(b".", os.path.join(top, b"odd/to a folder"))
with open(os.path.join(top, b"odd/hole"), "wb") as f:
    f.write(b"before")
    f.seek(1 << 20)
    f.write(b"behind")
    f.truncate(3 << 19)
EOT

# broken.py T TREE [verify] <CASES: of each line NAME|FROM|TO the second writer, in which the first FROM is made TO, writes
# TREE to the repository NAME, and what it prints to NAME.made.  With verify NAME.said is what the second reader says.
# One start makes all of them: chunks, which no case changes, are cut once.
cat >broken.py <<'EOT'
import contextlib
import importlib.machinery
import importlib.util
import os
import sys
import types

tests, tree = sys.argv[1:3]
with open(os.path.join(tests, "second-writer.py"), encoding="utf-8") as f:
    source = f.read()
loader = importlib.machinery.SourceFileLoader("second_reader", os.path.join(tests, "second-reader"))
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
loader.exec_module(reader)
gear, cuts = None, {}


def remembered(cut):
    def again(data, average):
        if (data, average) not in cuts:
            cuts[data, average] = list(cut(data, average))
        return cuts[data, average]
    return again


def write(name, old, new):
    global gear
    assert old in source, old
    text = source.replace(old, new, 1)
    if gear:
        text = text.replace("\nGEAR = gear_table()\n", "\n")
    module = types.ModuleType("second_writer")
    module.GEAR = gear
    exec(compile(text, name, "exec"), module.__dict__)
    gear, module.cut = module.GEAR, remembered(module.cut)
    sys.argv = ["second-writer.py", "--average", "256", "--meta", tree, name]
    with open(name + ".made", "w") as out, contextlib.redirect_stdout(out):
        module.main()


def verify(name):
    try:
        return reader.Store(name).verify()
    except reader.Bad as e:
        return "refused: %s\n" % e


verified = sys.argv[3:] == ["verify"]
for line in sys.stdin:
    case = line.rstrip("\n").split("|")
    write(*case)
    if verified:
        with open(case[0] + ".said", "w") as out:
            out.write(verify(case[0]))
EOT

# make_small TREE SMALL: a smaller tree that still has two levels of both nodes.
make_small()
{
	cp -a "$1/none" "$2" &&
		mkdir "$2/folder" "$2/folder/none" "$2/many" &&
		cp -a "$1/odd/link" "$1/odd/dangling" "$2/folder/" &&
		cp -a "$1/odd/order" "$2/" &&
		cp -a "$1"/zstd/wide/00[0-2]* "$2/many/"
}
