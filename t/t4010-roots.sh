#!/bin/sh
# The same content has the same root: in any order, with any number of threads, in one commit or in fifty, with holes or
# with zeros, after any history; and the roots of fixed trees never change.
test_leaks=0
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# The trees are made from SHAKE-256, so they are the same with every Python and on every machine.
cat >make-tree.py <<'EOT'
import hashlib
import os
import sys


def noise(name, size):
    return hashlib.shake_256(name.encode()).digest(size)


def file(path, data, mode=0o644):
    path = os.path.join(b"tree", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def kinds():
    file(b"empty", b"")
    file(b"one", b"1")
    file(b"program", b"#!/bin/sh\n", 0o755)
    file(b"text", b"".join(b"line %d\n" % n for n in range(40000)))
    file(b"odd/new\nline", b"1")
    file(b"odd/not utf-8 \xff\xfe", b"2")
    file(b"odd/" + b"n" * 255, b"3")
    file(b"order/same/inner", b"4")
    file(b"order/same!", b"5")
    file(b"order/same.c", b"6")
    file(b"deep/" + b"/".join([b"d"] * 100) + b"/file", b"7")
    os.makedirs(b"tree/hollow/inner")
    os.symlink(b"../one", b"tree/odd/link")
    os.symlink(b"nowhere", b"tree/dangling")


def wide():
    for n in range(3000):
        file(b"%02d/%s" % (n % 3, hashlib.sha256(b"%d" % n).hexdigest()[: 8 + n % 50].encode()), b"%d\n" % (n // 7))


def large():
    data = noise("large", 9 << 20)
    file(b"noise", data)
    file(b"shifted", b"x" + data)
    file(b"zeros", bytes(5 << 20))
    file(b"period", noise("period", 100000) * 30)
    file(b"between", data[: 1 << 20] + bytes(3 << 20) + data[: 1 << 20])
    file(b"quarter", noise("quarter", 16384))
    file(b"quarter more", noise("quarter", 16385))


def empty():
    os.makedirs(b"tree")


globals()[sys.argv[1]]()
EOT

# root: of what is staged.
root()
{
	store commit -n --allow-empty | sed -n 's/^root \([0-9a-f]*\) .*/\1/p' | grep .
}
# anew TREE [init options]: the folder TREE as the working tree of an empty repository; we are in it.
anew()
{
	cd "$1" && shift && rm -rf .store && store -q init "$@"
}

test_expect_success 'setup: the trees' '
	for name in kinds wide large empty; do
		rm -rf tree && python3 make-tree.py $name && mv tree $name || return 1
	done
'

# The build under test, and the one that is installed, which is the same whatever is under test.
builds="$STORE_BIN $STORE_RELEASE_BIN"
[ -z "${STORE_TEST_LIGHT-}" ] || builds=$STORE_BIN
while read -r name average want; do
	test_expect_success "the root of '$name' at chunk average $average is the frozen one" '
		for build in $builds; do
			(PATH=$build:$PATH && anew $name --chunk-average $average && store -q add . && root >../got &&
			echo $want >../want && test_cmp ../want ../got &&
			store -q commit --allow-empty -m one && store root | cut -d" " -f1 >../got && test_cmp ../want ../got) || return 1
		done
	'
done <"$SRC_ROOT/t/golden/roots"

test_expect_success 'no frozen root is missing' '
	grep -c "" "$SRC_ROOT/t/golden/roots" >got && echo 8 >want && test_cmp want got &&
	cut -d" " -f3 "$SRC_ROOT/t/golden/roots" | sort -u | grep -c "^[0-9a-f]\{64\}$" >got &&
	echo 8 >want && test_cmp want got
'

for threads in 1 2 7; do
	test_expect_success "$threads threads give the frozen roots" '
		for tree in "large 4096" "wide 256" "kinds 65536"; do
			(anew ${tree% *} --chunk-average ${tree#* } && store -q --threads $threads add . && root) >got &&
			sed -n "s/^$tree //p" "$SRC_ROOT/t/golden/roots" >want && test_cmp want got || return 1
		done
	'
done

# Most of them in one directory, which has more than one node.
test_expect_success 'setup: fifty files and more, and their root when all are added at once' '
	mkdir many && (cd wide && find 0? -type f | LC_ALL=C sort | awk "NR % (/^00/ ? 25 : 250) == 0") >names && test_line_count -eq 48 names &&
	(cd wide && xargs cp -a --parents -t ../many) <names && mkdir many/hollow && ln -s x many/link && printf "hollow\nlink\n" >>names &&
	python3 -c "
import random
names = open(\"names\").read().split()
for seed in list(range(1, $(test_cases 2) + 1)) + [\"fifty\"]:
    random.Random(seed).shuffle(names)
    open(\"order.%s\" % seed, \"w\").write(\"\".join(n + \"\n\" for n in names))" &&
	(anew many --chunk-average 256 && store -q add . && root) >want
'

for seed in $(seq 1 "$(test_cases 2)"); do
	test_expect_success "added one by one in the random order $seed they have that root" '
		(anew many --chunk-average 256 && while read -r name; do
			store -q add "$name" || exit 1
		done <../order.$seed && root) >got && test_cmp want got
	'
done

test_expect_success 'in fifty commits, in another order, they have the root that one commit has' '
	test_line_count -eq 50 order.fifty && (anew many --chunk-average 256 && while read -r name; do
		store -q add "$name" && store -q commit -m "$name" || exit 1
	done <../order.fifty && root) >got && test_cmp want got &&
	(cd many && test "$(store log --oneline | wc -l)" = 50 && store root | cut -d" " -f1) >got && test_cmp want got
'

test_expect_success 'holes and zeros have one root' '
	mkdir holes zeros && python3 -c "
import os
def make(name, pieces, size):
    with open(\"holes/\" + name, \"wb\") as f:
        for at, data in pieces:
            f.seek(at)
            f.write(data)
        f.truncate(size)
    with open(\"holes/\" + name, \"rb\") as f, open(\"zeros/\" + name, \"wb\") as g:
        while data := f.read(1 << 20):
            g.write(data)
    assert os.stat(\"zeros/\" + name).st_blocks * 512 >= size // 2
    assert os.stat(\"holes/\" + name).st_blocks * 512 < size // 2
make(\"all\", [], 20 << 20)
make(\"odd\", [(1, b\"x\"), (7000001, b\"y\" * 5000), (12 << 20, os.urandom(70000))], (19 << 20) + 12345)
make(\"end\", [(15 << 20, b\"end\")], (15 << 20) + 3)
make(\"front\", [(0, os.urandom(300000))], 8 << 20)
make(\"blocks\", [(n * (1 << 20), os.urandom(4096)) for n in range(0, 16, 3)], (16 << 20) + 1)
" && for average in 256 65536 2097152; do
		(anew holes --chunk-average $average && store -q add . && root) >want &&
		(anew zeros --chunk-average $average && store -q add . && root) >got &&
		test_cmp want got || return 1
	done
'

test_expect_success 'after random edits in many commits the root is that of the tree put in at once' '
	cat >edit.py <<-\EOT &&
	import os, random, shutil, sys
	rng = random.Random(int(sys.argv[1]))
	files = []
	for top, dirs, names in os.walk("."):
	    if ".store" in dirs:
	        dirs.remove(".store")
	    files += [os.path.join(top, n) for n in names]
	files.sort()
	gone = rng.sample(files, len(files) * 2 // 5) if files else []
	for name in gone:
	    os.remove(name)
	for n in range(rng.randrange(250, 450)):
	    d = "%d/%d" % (rng.randrange(2), rng.randrange(2))
	    os.makedirs(d, exist_ok=True)
	    with open("%s/%x" % (d, rng.getrandbits(rng.randrange(8, 200))), "w") as f:
	        f.write("%d" % rng.randrange(50))
	if rng.random() < 0.5:
	    shutil.rmtree("%d/%d" % (rng.randrange(2), rng.randrange(2)), ignore_errors=True)
	EOT
	rm -rf edits && mkdir edits && cd edits && store -q init &&
	for n in 1 2 3 4 5 6; do
		python3 ../edit.py $n && store -q add . && { test $((n % 3)) = 0 || store -q commit -m $n; } || return 1
	done &&
	root >../want && cd .. &&
	rm -rf again && mkdir again && (cd edits && tar cf - --exclude=./.store .) | (cd again && tar xf -) &&
	(cd again && store -q init && store -q add . && root) >got && test_cmp want got
'

test_expect_success 'deleting everything gives the empty tree again' '
	cd edits && rm -rf ./* && store -q add . && root >../got &&
	sed -n "s/^empty 256 //p" "$SRC_ROOT/t/golden/roots" >../want && test_cmp ../want ../got &&
	store -q commit -m gone && store ls -r >../ls && test_must_be_empty ../ls
'

test_expect_success 'root and layer are the same whoever commits, when, and with which attributes of files' '
	rm -rf a b && mkdir a b && echo x >a/file && echo x >b/file && chmod 600 a/file && touch -d 2001-01-01 a/file &&
	(cd a && store -q init && store -q add . && store -q commit -m one && store --json root) >a.json &&
	(cd b && store -q init && store -q add . && store -q commit -m two --author "Somebody <e@x>" --date "@5 +0100" && store --json root) >b.json &&
	python3 -c "
import json
a, b = json.load(open(\"a.json\")), json.load(open(\"b.json\"))
assert a[\"root\"] == b[\"root\"] and a[\"layer\"] == b[\"layer\"] and a[\"commit\"] != b[\"commit\"], (a, b)"
'

test_done
