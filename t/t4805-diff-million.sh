#!/bin/sh
# Trees of 1,000,000 entries by the command.  t/second-writer.py makes them, with a thousand directories of a thousand files,
# in which all directories are one object: to be read they take as long as any other, to be made a moment.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
PYTHONDONTWRITEBYTECODE=1
export STORE_TEST_FSYNC PYTHONDONTWRITEBYTECODE

command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# Branches main and other, which differ in three files of three directories, and a limit of nodes into the file limit: for
# each change the way to it on both sides, through the top's map and that of its directory, and a neighbour in each where a
# border moved.
cat >make.py <<'EOF'
import argparse, importlib.util, os, sys

spec = importlib.util.spec_from_file_location("second_writer", sys.argv[1])
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)
options = argparse.Namespace(average=65536, classes=[], posix=False, meta=False)
tree = writer.Tree(options)

def directory(files):
	"""(height, id, size, files, directories)."""
	items = []
	for name, text in sorted(files.items()):
		value = bytes([1, 0]) + tree.put(writer.CHUNK, text) + writer.leb(len(text))
		items.append((name, value, [len(text), 1, 0]))
	return tree.map(1, items, 48) + (sum(i[2][0] for i in items), len(items), 0)

def top(directories):
	items, sums = [], [0, 0, 0]
	for name, (height, oid, size, files, below) in sorted(directories.items()):
		value = bytes([writer.DIRECTORY, height]) + oid + b"".join(map(writer.leb, (size, files, below)))
		items.append((name, value, [size, files, below + 1]))
		sums = [a + b for a, b in zip(sums, items[-1][2])]
	return tree.map(1, items, 48) + tuple(sums)

files = {b"file%04d" % i: b"content of file %d\n" % i for i in range(1000)}
same = directory(files)
directories = {b"dir%04d" % i: same for i in range(1000)}
one = top(directories)
assert one[3:] == (1000000, 1000)
directories[b"dir0003"] = directory({**files, b"file0500": b"changed\n"})
directories[b"dir0500"] = directory({n: t for n, t in files.items() if n != b"file0000"})
directories[b"dir0999"] = directory({**files, b"new": b"new\n"})
other = top(directories)

store = "r/.store"
os.makedirs(store + "/packs")
commits = [writer.history(tree, root, None) for root in (one, other)]
for number, klass, objects in ((2, 1, tree.content), (3, 2, tree.nodes)):
	pack = writer.PackFile(1)
	pack.add(klass, [(oid, tree.kind[oid], data) for oid, data in objects.items()], 64 << 10)
	writer.publish(store, number, pack)
writer.write_texts(store, options, commits[0])
with open(store + "/refs.log", "ab") as f:
	lines = [b"record 4 " + writer.WHEN + b" " + writer.WHO, b"ref refs/heads/other - " + commits[1].hex().encode(), b"why branch"]
	record = b"".join(line + b"\n" for line in lines)
	f.write(record + b"end " + writer.digest(record).hex()[:16].encode() + b"\n")
with open("limit", "w") as f:
	f.write("%d\n" % (2 * 3 * (one[0] + 1 + same[0] + 1 + 2)))
EOF

test_expect_success 'setup: two branches with 1,000,000 files each, of which 3 differ' '
	python3 make.py "$SRC_ROOT/t/second-writer.py" && store -C r fsck --rebuild -q >out && test_grep "all is well" out &&
	store -C r root --json main >root && test_grep "\"files\":1000000[,}]" root
'

# few NODES: --stats in the file stats tells of at least 1 and at most so many.
few()
{
	nodes=$(sed -n "s/^nodes read: //p" stats) && echo "nodes: $nodes of $1" && [ "$nodes" -ge 1 ] && [ "$nodes" -le "$1" ]
}

test_expect_success 'diff of two trees of 1,000,000 entries with 3 changes reads only the way to these, by name, by count and as a patch' '
	printf "M\tdir0003/file0500\nD\tdir0500/file0000\nA\tdir0999/new\n" >want && read -r limit <limit &&
	store -C r diff --name-status --stats main other >got 2>stats && test_cmp want got && few "$limit" &&
	store -C r diff --numstat --stats main other >got 2>stats && test_line_count -eq 3 got && few "$limit" &&
	store -C r diff --stats main other >got 2>stats && grep -c "^[-+][a-z]" got >count && echo 4 >want && test_cmp want count && few "$limit"
'

test_expect_success 'of equal trees of 1,000,000 entries diff reads nothing but the commit and the layer of each side' '
	store -C r diff --name-only --stats main main >got 2>stats && test_must_be_empty got && few 6
'

test_done
