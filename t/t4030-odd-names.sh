#!/bin/sh
# Odd names, odd sizes and odd content go in and come out as they are; also content that is the repository's own.
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

cat >make-odd.py <<'EOT'
import os
import random

rng = random.Random(4030)


def file(path, data):
    path = os.path.join(b"odd", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def far(parts, data):
    # Longer than one call to the kernel takes in some places: go there step by step.
    top = os.open(b"odd", os.O_RDONLY)
    for part in parts[:-1]:
        try:
            os.mkdir(part, dir_fd=top)
        except FileExistsError:
            pass
        down = os.open(part, os.O_RDONLY, dir_fd=top)
        os.close(top)
        top = down
    with os.fdopen(os.open(parts[-1], os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=top), "wb") as f:
        f.write(data)
    os.close(top)


for n in [1, 2, 9, 10, 13, 27, 31, 32, 34, 39, 42, 58, 64, 92, 126, 127, 128, 155, 191, 192, 237, 255]:
    file(b"bytes/" + bytes([n]), b"%d" % n)
    file(b"bytes/a" + bytes([n]) + b"b", b"%d" % n)
file(b"new\nline", b"1")
file(b"\n", b"2")
file(b" leading and trailing ", b"3")
file(b"-dash", b"4")
file(b"--", b"5")
file(b"*?[x]", b"6")
file(b"not utf-8 \xff\xfe\xc3", b"7")
file("r\u00e9sum\u00e9 \u4e2d\u6587 \U0001f600".encode(), b"8")
file("re\u0301sume\u0301".encode(), b"9")
file("bidi \u202e txt".encode(), b"10")
file(b"..x", b"11")
file(b"...", b"12")
file(b"a@b", b"13")
file(b"HEAD:x", b"14")
file(b"x" * 255, b"15")
file(b"case", b"16")
file(b"CASE", b"17")
file(b"a/b", b"18")
file(b"a.b", b"19")
file(b"a!b", b"20")
file(b"ab", b"21")
for n in range(40):
    file(b"random/" + bytes(rng.choice([c for c in range(1, 256) if c != 47]) for _ in range(rng.randrange(3, 200))), b"%d" % n)
os.makedirs(b"odd/hollow/in\xffner")
os.symlink(b"nowhere\xff\n", b"odd/dangling")
os.symlink(b"t" * 4000, b"odd/long target")
far([b"%02d" % n + b"d" * 198 for n in range(14)] + [b"f" * 180], b"three thousand bytes")
far([b"w"] * 200 + [b"file"], b"two hundred directories")
EOT

# listed DIR: everything below it with type, size and target, however odd the names.
listed()
{
	(cd "$1" && find . -name .store -prune -o -printf '%y %s %l %P\0' | sed -z 's/^d [0-9]*/d/' | LC_ALL=C sort -z | tr '\0\n' '\n?')
}

test_expect_success 'odd names, long paths and empty things go in, and come out the same' '
	python3 make-odd.py && cd odd && store -q init && store add . && store -q commit -m one && store -z ls -r >../names &&
	find . -mindepth 1 -name .store -prune -o -mindepth 1 -type d -printf "%P/\0" -o -mindepth 1 -printf "%P\0" | LC_ALL=C sort -z | tr "\0\n" "\n?" >../want &&
	LC_ALL=C sort -z <../names | tr "\0\n" "\n?" >../got && test_cmp ../want ../got &&
	test "$(grep -c . ../got)" -gt 300 && awk "length > 2980" ../got >../long && test_line_count -eq 1 ../long
'

test_expect_success 'checkout gives back every one of them' '
	(cd odd && store checkout --to ../out HEAD) && listed odd >want && listed out >got && test_cmp want got &&
	diff -r --no-dereference --exclude=.store odd out
'

test_expect_success 'each is named by the path that it has, and cat prints it' '
	cd odd && test "$(store cat -- "new
line")" = 1 && test "$(store cat -- "
")" = 2 && test "$(store cat -- "-dash")" = 4 && test "$(store cat -- --)" = 5 && test "$(store cat -- "*?[x]")" = 6 &&
	test "$(store cat -- "$(printf "not utf-8 \377\376\303")")" = 7 && test "$(store cat -- a@b)" = 13 &&
	test "$(store cat -- HEAD:x)" = 14 && test "$(store cat CASE)" = 17
'

test_expect_success 'odd names are quoted for people, and no control byte reaches the output' '
	cd odd && store ls -r >../ls && tr -d "\12\40-\176\200-\377" <../ls >../control && test_must_be_empty ../control &&
	test_grep -F "\"new\\nline\"" ../ls && test_grep -F "\"not utf-8 \\377\\376\\303\"" ../ls
'

test_expect_success 'a changed and a deleted odd name are staged' '
	cd odd && rm "new
line" && echo changed >"$(printf "not utf-8 \377\376\303")" && store add . 2>../err && test_grep "0 added, 1 modified, 1 deleted" ../err &&
	store -q commit -m two && test_expect_code 2 store cat -- "new
line" 2>../err && test "$(store cat -- "$(printf "not utf-8 \377\376\303")")" = changed
'

test_expect_success 'a path beyond 4,096 bytes is refused by name, the rest goes in, exit 3' '
	mkdir far && cd far && store -q init && echo 1 >near && python3 -c "
import os
top = os.open(\".\", os.O_RDONLY)
for n in range(21):
    os.mkdir(\"d\" * 200, dir_fd=top)
    top = os.open(\"d\" * 200, os.O_RDONLY, dir_fd=top)
os.close(os.open(\"file\", os.O_WRONLY | os.O_CREAT, dir_fd=top))
" && test_expect_code 3 store add . 2>../err && test_grep "ddd.* is left out: its path is longer than 4096 bytes" ../err &&
	test "$(store cat :near)" = 1 && store -q commit -m one && store ls -r | awk "length > 4097" >../long && test_must_be_empty ../long
'

test_expect_success 'one file nine hundred directories deep, as the operand: its directories come along' '
	mkdir depth900 && cd depth900 && store -q init && p=$(printf "d/%.0s" $(seq 1 900)) &&
	mkdir -p "$p" && echo far >"${p}file" && store -q add "${p}file" && store -q commit -m far &&
	test "$(store cat "${p}file")" = far && store ls -r >../ls && test_line_count -eq 901 ../ls &&
	store status --porcelain >../got && test_must_be_empty ../got && store -q fsck
'

test_expect_success 'two thousand and forty-eight directories deep' '
	mkdir deep && cd deep && store -q init && python3 -c "
import os
top = os.open(\".\", os.O_RDONLY)
for n in range(2040):
    os.mkdir(\"d\", dir_fd=top)
    down = os.open(\"d\", os.O_RDONLY, dir_fd=top)
    os.close(top)
    top = down
with os.fdopen(os.open(\"f\", os.O_WRONLY | os.O_CREAT, dir_fd=top), \"w\") as f:
    f.write(\"deep\")
" && store add . && store -q commit -m one && store ls -r >../ls && test_line_count -eq 2041 ../ls &&
	test "$(store cat "$(tail -n 1 ../ls)")" = deep
'

# Content that is a map node, a seq node, a layer and a commit of the same repository.
cat >take-nodes.py <<'EOT'
import importlib.machinery
import importlib.util
import os
import sys

loader = importlib.machinery.SourceFileLoader("second_reader", os.path.join(os.environ["SRC_ROOT"], "t/second-reader"))
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
sys.dont_write_bytecode = True
loader.exec_module(reader)
store = reader.Store(sys.argv[1])
os.mkdir(sys.argv[2])
for oid in store.objects.index:
    data = store.objects.get(oid, "any object")
    kind = {b"MP\x01": "map", b"SQ\x01": "seq", b"store layer 1": "layer", b"store commit 1": "commit"}
    for begin, name in kind.items():
        if data.startswith(begin):
            with open("%s/%s-%s" % (sys.argv[2], name, oid.hex()), "wb") as f:
                f.write(data)
EOT
# plain_tree DIR: a tree with nodes of all kinds, and with fixed times.
plain_tree()
{
	mkdir "$1" && mkdir "$1/d" && python3 -c "
import hashlib, sys
for n in range(300):
    open(\"$1/d/%03d\" % n, \"w\").write(\"%d\\n\" % n)
open(\"$1/large\", \"wb\").write(hashlib.shake_256(b\"large\").digest(3000000))
" && find "$1" -exec touch -d @1000000000 {} +
}
# whole NAME: everything is there, and is what it should be.
whole()
{
	(cd "$1" && store fsck) && "$SRC_ROOT/t/second-reader" "$1" verify &&
		rm -rf out && (cd "$1" && store checkout --to ../out HEAD) && diff -r --no-dereference --exclude=.store "$1" out
}

test_expect_success 'setup: a repository, and the bytes of its nodes' '
	plain_tree after && (cd after && store -q init && find . -maxdepth 0 -exec touch -d @1000000000 {} + &&
		store -q add . && store -q commit -m one) &&
	python3 take-nodes.py after nodes && for kind in map seq layer commit; do
		ls nodes/$kind-* >list && test -s list || return 1
	done && test "$(ls nodes | grep -c "^layer-")" = 1
'

test_expect_success 'files with the bytes of nodes that are there already go in as files, and come out' '
	cp -r nodes after/copies && (cd after && store add copies && store -q commit -m two && test "$(ls copies | wc -l)" -gt 3 &&
		store cat copies/* >../got && cat copies/* | cmp - ../got && store cat "HEAD~1:large" | cmp - large && store ls -r HEAD~1 | wc -l >../got) && echo 302 >want && test_cmp want got &&
	whole after
'

test_expect_success 'nodes whose bytes were stored as files before are nodes all the same' '
	mkdir before && (cd before && store -q init && cp -r ../nodes copies && store -q add . &&
		(set -- copies/* && for f; do set -- "$@" ":$f" && shift; done && store cat "$@") >../got && cat copies/* | cmp - ../got && rm -r copies && store -q add .) &&
	rm -rf tree && plain_tree tree && cp -a tree/. before/ && (cd before && find . -maxdepth 0 -exec touch -d @1000000000 {} + &&
		store add . 2>../err && store --stats commit -m one 2>../stats) &&
	(cd after && store log --oneline | tail -n 1) >want && (cd before && store log --oneline) >got && test_cmp want got &&
	sed -n "s/^new objects: //p" stats >got && echo 0 >want && test_cmp want got &&
	whole before
'

test_expect_success 'and both as a file and as a node at the same time' '
	cp -r nodes before/copies && (cd before && store -q add . && store -q commit -m two) && whole before &&
	(cd after && store root | cut -d" " -f1) >want && (cd before && store root | cut -d" " -f1) >got && test_cmp want got &&
	(cd before && store fsck --rebuild >../said && store root | cut -d" " -f1) >got && test_cmp want got && whole before
'

test_done
