#!/bin/sh
# The format stands on its page: a reader and a writer made from store-format(5) alone, t/second-reader and
# t/second-writer.py, agree with each other and with the command in every id, ref, name and byte.
. "${0%/*}/test-lib.sh"

reader=$SRC_ROOT/t/second-reader
writer=$SRC_ROOT/t/second-writer.py
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

command -v python3 >/dev/null || test_skip_all 'python3 is not here'
! command -v zstd >/dev/null || test_set_prereq ZSTD

# Every kind of entry.  With a chunk average of 256 bytes the file `deep` has three levels of seq nodes and the folder
# `wide` three levels of map nodes.
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
file(b"zlib/lines", b"".join(b"line %d\n" % n for n in range(30000)))
file(b"zlib/period", rng.randbytes(3000) * 100)
file(b"zlib/deep", rng.randbytes(13 << 20))
file(b"zstd/lines", b"".join(b"row %d\n" % (n * n) for n in range(30000)))
for n in range(1200):
    file(b"zstd/wide/%05d" % n + b"w" * rng.randint(150, 250), b"%d" % (n // 2))
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
    f.seek(2 << 20)
    f.write(b"behind")
    f.truncate(3 << 20)
EOT

# list TREE NAME: a folder as the second writer sees it.  NAME.list: KIND HEIGHT ID SIZE PATH of everything in it,
# NAME.root: HEIGHT ID SIZE of its root.
list()
{
	python3 "$writer" --average 256 --list "$2.list" "$1" >"$2.made" &&
		cut -d" " -f1-3 "$2.made" >"$2.root" &&
		test -s "$2.list" && test -s "$2.root"
}
# refused PATTERN REPOSITORY: one line that fits, and exit code 1.
refused()
{
	test_expect_code 1 "$reader" "$2" verify >refused.out 2>refused.err &&
		grep -v "second-reader: warning" refused.err >refused.line &&
		test_line_count -eq 1 refused.line &&
		test_grep -E "$1" refused.line
}
# a_pack REPOSITORY NUMBER: path of a pack.
a_pack()
{
	find "$1/.store/packs" -type f | sort | sed -n "$2p"
}
# flip FILE OFFSET: change one bit.
flip()
{
	chmod u+w "$1" && python3 -c "
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(int(sys.argv[2]), 0 if int(sys.argv[2]) >= 0 else 2)
    b = f.read(1)[0] ^ 1
    f.seek(-1, 1)
    f.write(bytes([b]))
" "$1" "$2"
}

test_expect_success 'setup: a tree with every kind of entry' '
	python3 make-tree.py tree &&
	cp -a tree/none small &&
	mkdir small/folder small/folder/none &&
	cp -a tree/odd/link tree/odd/dangling small/folder/ &&
	cp -a tree/odd/order small/ &&
	mkdir small/many && for n in 0 1 2 3 4 5 6 7 8 9; do
		cp -a tree/zstd/wide/00?"$n"* small/many/ || return 1
	done
'

for options in '--codec none' '--codec zlib --meta' '--codec zlib --class 100:1024 --class 20000:512' '--average 65536'; do
	test_expect_success "the second reader gives back what the second writer wrote ($options)" '
		rm -rf repo out &&
		python3 "$writer" --average 256 $options --list small.list small repo >made &&
		cut -d" " -f1-3 made >want &&
		"$reader" repo root >got &&
		test_cmp want got &&
		"$reader" repo stage-root >got &&
		test_cmp want got &&
		"$reader" -z repo ls >got &&
		test_cmp small.list got &&
		"$reader" -z repo stage >got &&
		test_cmp small.list got &&
		"$reader" repo extract main out &&
		diff -r --no-dereference small out &&
		test -x out/program && test ! -x out/empty &&
		"$reader" repo verify
	'
done

# Whoever breaks one rule of the page is caught by the other one.
# broken FROM TO: the second writer with one change.
broken()
{
	from=$1 to=$2 awk '{
		at = index($0, ENVIRON["from"])
		if (at > 0 && !done++)
			$0 = substr($0, 1, at - 1) ENVIRON["to"] substr($0, at + length(ENVIRON["from"]))
		print
	}' "$writer" >broken.py && ! cmp -s "$writer" broken.py
}
while IFS='|' read -r promise from to pattern; do
	test_expect_success "the second reader refuses $promise" '
		rm -rf repo && broken "$from" "$to" &&
		python3 broken.py --average 256 --meta small repo >/dev/null &&
		refused "$pattern" repo
	'
done <<'EOT'
a seq node that ends too early|len(node) == 1024|len(node) == 100|should not have ended
a seq node that ends too late|len(node) >= 16|len(node) >= 200|should have ended
a seq node with another threshold|2 ** 57|2 ** 58|should not have ended
runs that are not joined|if rows and rows[-1][:2] == (oid, length)|if rows and rows[-1][2] < 7 and rows[-1][:2] == (oid, length)|one run
a map node with another weight|weight + 8|weight + 40|should (not )?have ended
a root that stands above a single node|if len(above) == 1:|if len(above) == 1 and lev > 0:|above a single node
totals that are not true|sums = [a + b for a, b in zip(sums, add)]|sums = [a + b + 1 for a, b in zip(sums, add)]|totals are
a number in a longer form|out.append(n)|out.extend([n + 128, 0] if n == 7 else [n])|shortest form
a changes map that is not the difference|bytes([1, 0, DIRECTORY])|bytes([1, 0, 1])|its changes have
counts of a layer that are not true|added %d\nmodified 0|added 1%d\nmodified 0|added, modified and deleted
a generation that is not 0 without a parent|generation 0|generation 1|generation
a layer with its lines in another order|files %d\ndirectories %d|directories %d\nfiles %d|not as the format has it
a header line that it does not know|store commit 1\nlayer|store commit 1\nnote\nlayer|not as the format has it
ids that are not sorted|for oid in sorted(self.ids)|for oid in sorted(self.ids, reverse=True)|not in order
a footer that names other bytes|offset += len(data)|offset += len(data) - 1|not inside a block|footer
a block of a class it does not know|pack.add(2,|pack.add(4,|class
a map node of another kind|self.map(1, items, 48)|self.map(2, items, 48)|no map node of kind 1
a refs.log that it cannot follow|ref refs/heads/main - |ref HEAD - |was not what the record says
parameters that do not fit|digest(text.encode())|digest(b"")|parameters
sixteen chunking classes|for c in options.classes|for c in [(n, 256) for n in range(1, 17)]|more than 15 class lines
a time zone of sixty minutes|+0000|+0060|wrong lines
a time zone that has another spelling|+0000|-0000|wrong lines
attributes that say nothing|return b"\x01" + leb(st.st_mode|return b"\x00" or leb(st.st_mode|meta flags 0
an object that the footer leaves out|self.ids[oid] = (len|if kind != CHUNK or len(self.ids) != 3: self.ids[oid] = (len|is not in the footer
EOT

# What makes another root for the same content is found by fsck too, and named with the paths that need it.
test_expect_success 'fsck finds nothing wrong with what the second writer wrote' '
	rm -rf repo && python3 "$writer" --average 256 --meta small repo >/dev/null && store -C repo fsck --rebuild
'
while IFS='|' read -r promise from to words path; do
	test_expect_success "fsck names $promise" '
		rm -rf repo && broken "$from" "$to" &&
		python3 broken.py --average 256 --meta small repo >/dev/null &&
		test_expect_code 4 store -C repo fsck --rebuild >said &&
		test_grep -E "^damaged: packs/[0-9a-f-]* at offset [0-9]*: object [0-9a-f]{64}: $words" said &&
		test_grep -E "^damaged: packs/[0-9a-f-]* at offset [0-9]*: object [0-9a-f]{64} is needed by: $path" said
	'
done <<'EOT'
a seq node that ends too early|len(node) == 1024|len(node) == 100|the node ends before its border$|noise$
a seq node that ends too late|len(node) >= 16|len(node) >= 200|the node goes on behind its border$|noise$
a seq node with another threshold|2 ** 57|2 ** 58|the node ends before its border$|noise$
runs that are not joined|if rows and rows[-1][:2] == (oid, length)|if rows and rows[-1][2] < 7 and rows[-1][:2] == (oid, length)|two neighbouring rows are one run$|zeros$
a map node with another weight|weight + 8|weight + 40|the node [a-z ]* its border$|many$
a root that stands above a single node|if len(above) == 1:|if len(above) == 1 and lev > 0:|the node is a root above a single child$|folder$
EOT

test_expect_success 'the same object may stand in several blocks of a pack, and the footer names one of them' '
	rm -rf repo out &&
	sed "s/for obj in objects:/for obj in (objects + objects if klass == 2 else objects):/" "$writer" >twice.py &&
	! cmp -s "$writer" twice.py &&
	python3 "$writer" --average 256 small >want &&
	python3 twice.py --average 256 small repo >got &&
	test_cmp want got &&
	cat >surplus.py <<-\EOF &&
	import struct, sys
	for name in sys.argv[1:]:
	    data, at, listed = open(name, "rb").read(), 32, 0
	    while data[at:at + 4] == b"STBK":
	        _, stored, count, table = struct.unpack_from("<IIII", data, at + 8)
	        at, listed = at + 32 + table + stored, listed + count
	    print(listed - struct.unpack_from("<I", data, at + 12)[0])
	EOF
	python3 surplus.py repo/.store/packs/* >surplus &&
	test_grep "[1-9]" surplus &&
	"$reader" repo verify &&
	"$reader" repo extract main out &&
	diff -r --no-dereference small out
'

test_expect_success 'each of twenty damaged bytes is named with pack and offset' '
	rm -rf repo && python3 "$writer" --average 256 small repo &&
	pack=$(a_pack repo 1) &&
	size=$(wc -c <"$pack") &&
	n=0 &&
	while [ $n -lt 20 ]; do
		at=$((n * (size - 1) / 19)) &&
		flip "$pack" $at &&
		refused "^second-reader: pack ${pack##*/}( offset [0-9]+)" repo &&
		flip "$pack" $at || return 1
		n=$((n + 1))
	done &&
	"$reader" repo verify
'

test_expect_success 'packs without their footers give everything back' '
	rm -rf repo out && python3 "$writer" --average 256 --meta small repo &&
	"$reader" -z repo stage >want &&
	for n in 1 2; do
		pack=$(a_pack repo $n) &&
		size=$(wc -c <"$pack") &&
		chmod u+w "$pack" && truncate -s $((size - 40)) "$pack" || return 1
	done &&
	"$reader" repo extract HEAD out 2>err &&
	test_line_count -eq 2 err &&
	test_grep "footer is lost" err &&
	diff -r --no-dereference small out &&
	"$reader" -z repo stage >got 2>/dev/null &&
	test_cmp want got &&
	refused "footer is lost" repo
'

test_expect_success 'a half-written block at the end of a pack costs nothing but itself' '
	rm -rf repo out && python3 "$writer" --average 256 small repo &&
	pack=$(a_pack repo 2) && chmod u+w "$pack" &&
	{ printf STBK && head -c 50 tree/none/noise; } >>"$pack" &&
	test_must_fail "$reader" repo verify &&
	truncate -s $(($(wc -c <"$pack") - 54 - 64)) "$pack" &&
	"$reader" repo extract HEAD out &&
	diff -r --no-dereference small out
'

# record REPOSITORY LINES: append a record with its checksum.
record()
{
	printf "%b" "$2" >record.txt &&
		{
			cat record.txt &&
				printf "end %s\n" "$(sha256sum record.txt | cut -c1-16)"
		} >>"$1/.store/refs.log"
}

test_expect_success 'void, torn and unfinished records of refs.log are passed over' '
	rm -rf repo && python3 "$writer" --average 256 small repo &&
	"$reader" repo refs >want &&
	test_line_count -eq 2 want &&
	zero=$(printf %064d 0) &&
	main=$(sed -n "s,^refs/heads/main ,,p" want) &&
	who="1767323045 +0000 A U Thor <author@example.com>" &&
	record repo "record 4 $who\nref refs/heads/main $main $zero\n" &&
	"$reader" repo refs >got && test_cmp want got &&
	record repo "void 4\n" &&
	"$reader" repo refs >got && test_cmp want got &&
	record repo "record 5 $who\nref refs/heads/other - $main\nref ORIG_HEAD - $main\nwhy branch\n" &&
	record repo "record 6 $who\nref ORIG_HEAD $main -\n" &&
	{ cat want && echo "refs/heads/other $main"; } >want2 &&
	"$reader" repo refs >got && test_cmp want2 got &&
	printf "record 7 $who\nref refs/heads/other $main -\nend 0123" >>repo/.store/refs.log &&
	"$reader" repo refs >got && test_cmp want2 got &&
	"$reader" repo verify
'

test_expect_success 'a damaged record of refs.log with a whole one behind it is refused' '
	record repo "\nrecord 8 $who\nref refs/heads/third - $main\n" &&
	printf "record 9 $who\nref refs/heads/third - $main\n" >record.txt &&
	printf "end %s\n" "$(sha256sum record.txt | cut -c1-16)" >>record.txt &&
	cat record.txt >>repo/.store/refs.log &&
	refused "refs.log line [0-9]+: a damaged record" repo
'

# From here on the packs are those of the command.

test_expect_success ZSTD 'setup: a repository of the command with all codecs' '
	cp -a tree work && cd work &&
	store init --chunk-average 256 &&
	store -c core.codec=none add none &&
	store -c core.codec=zlib add zlib &&
	store -c core.codec=zstd add zstd &&
	store add -A &&
	cd .. && list work tree
'

test_expect_success ZSTD 'the tree has three levels of seq and of map nodes' '
	tr "\n\0" "?\n" <tree.list >lines &&
	test_grep "^1 [3-9] .* zlib/deep$" lines &&
	test_grep "^3 [2-9] .* zstd/wide$" lines
'

test_expect_success ZSTD 'the packs hold blocks of all three codecs' '
	python3 - work/.store/packs/* >codecs <<-\EOT &&
	import struct
	import sys
	seen = set()
	for name in sys.argv[1:]:
	    data, at = open(name, "rb").read(), 32
	    while data[at:at + 4] == b"STBK":
	        seen.add(data[at + 4])
	        stored, _, table = struct.unpack("<III", data[at + 12:at + 24])
	        at += 32 + table + stored
	print(*sorted(seen))
	EOT
	echo 0 1 2 >want &&
	test_cmp want codecs
'

test_expect_success ZSTD 'the stage is read from stage records alone, and has the root that commit -n names' '
	"$reader" -z work stage >got &&
	test_cmp tree.list got &&
	"$reader" work stage-root >got &&
	test_cmp tree.root got &&
	(cd work && store commit -n -m one) >said &&
	test_grep "$(cut -d" " -f2 tree.root | cut -c1-12)" said
'

test_expect_success ZSTD 'after a commit refs.log gives HEAD, the branch and the commit that log names' '
	(cd work && store commit -m one) &&
	"$reader" work refs >refs &&
	test_grep "^HEAD ref:refs/heads/main$" refs &&
	(cd work && store log --oneline -n 1) | cut -d" " -f1 >short &&
	test -s short &&
	test_grep "^refs/heads/main $(cat short)" refs
'

test_expect_success ZSTD 'ls of the commit is the tree, and its root is the one of the second writer and of root' '
	"$reader" -z work ls >got &&
	test_cmp tree.list got &&
	"$reader" work root >got &&
	test_cmp tree.root got &&
	cut -d" " -f2 tree.root >want &&
	(cd work && store root) | grep -oE "[0-9a-f]{64}" >got &&
	test_cmp want got
'

test_expect_success ZSTD 'ls -r of the command names the same files' '
	(cd work && store -z ls -r HEAD) | tr "\n\0" "?\n" | grep -v "/$" | sort >got &&
	tr "\n\0" "?\n" <tree.list | grep -v "^3 " | cut -d" " -f5- | sort >want &&
	test -s want &&
	test_cmp want got
'

test_expect_success ZSTD 'extract equals checkout --to and the tree that went in' '
	"$reader" work extract HEAD extracted &&
	(cd work && store checkout --to ../checked-out HEAD) &&
	diff -r --no-dereference checked-out extracted &&
	diff -r --no-dereference tree extracted &&
	for folder in tree checked-out extracted; do
		(cd $folder && find . -type f -perm -100) | sort >$folder.programs || return 1
	done &&
	test_line_count -eq 1 tree.programs &&
	test_cmp tree.programs checked-out.programs &&
	test_cmp tree.programs extracted.programs
'

test_expect_success ZSTD 'the packs of the command pass every check of the page' '
	"$reader" work verify >said &&
	test_grep "commits 1, layers 1" said
'

test_expect_success ZSTD 'setup: commits with every kind of change' '
	cd work &&
	printf x >>none/empty && rm none/"one byte" && chmod -x none/program &&
	python3 -c "
with open(\"zlib/deep\", \"r+b\") as f:
    f.seek(5000000)
    f.write(b\"changed\")" &&
	store add -A && store commit -m "modified, deleted, mode" &&
	rm -r odd/order/same && echo file >odd/order/same && rm odd/link && ln -s elsewhere odd/link &&
	rm odd/dangling && echo file >odd/dangling && rm odd/order/same.c && mkdir odd/order/same.c &&
	echo inner >odd/order/same.c/x && chmod +x none/program && echo more >>none/program &&
	store add -A && store commit -m "folders, files and links for each other" &&
	rm -r zstd/wide && mkdir -p new/a/b/c && echo c >new/a/b/c/d &&
	store add -A && store commit -m "whole folders come and go" &&
	store commit --allow-empty -m "nothing" &&
	echo staged >staged && rm -r odd/a && mv none moved &&
	store add -A &&
	store tag plain HEAD~1 && store tag -m "why" noted HEAD~2 && store tag gone && store tag -d gone &&
	store branch first HEAD~4 && store branch -m first renamed && store branch gone && store branch -D gone
'

test_expect_success ZSTD 'branches and tags, renamed, annotated and deleted ones, are those that the command lists' '
	(cd work && store --json branch && store --json tag) | python3 -c "
import json, sys
for row in map(json.loads, sys.stdin):
    folder = \"tags\" if row[\"schema\"] == \"store/tag/1\" else \"heads\"
    print(\"refs/%s/%s %s\" % (folder, row[\"name\"], row.get(\"tag\") or row[\"commit\"]))" >want &&
	test_line_count -eq 4 want &&
	"$reader" work refs | grep "^refs/" >got &&
	test_cmp want got
'

test_expect_success ZSTD 'changes, counts and generations of all layers are those of the page' '
	"$reader" work verify >said &&
	test_grep "commits 5, layers 5" said
'

test_expect_success ZSTD 'commits and roots of the whole history are those that the command prints' '
	for back in "" "~1" "~2" "~3" "~4"; do
		(cd work && store root "HEAD$back") | grep -oE "[0-9a-f]{64}" || return 1
	done >want &&
	"$reader" work log >log &&
	cut -d" " -f3 log >got &&
	test_cmp want got &&
	(cd work && store log --oneline) | cut -d" " -f1 >shorts &&
	test_line_count -eq 5 shorts &&
	cut -c1-$(($(head -n 1 shorts | wc -c) - 1)) log >got &&
	test_cmp shorts got &&
	(cd work && store checkout --to ../old HEAD~4) &&
	diff -r --no-dereference tree old &&
	"$reader" work extract "$(tail -n 1 log | cut -d" " -f1)" old-too &&
	diff -r --no-dereference old old-too
'

test_expect_success ZSTD 'the stage follows additions, deletions and moves' '
	list work later &&
	"$reader" -z work stage >got &&
	test_cmp later.list got &&
	"$reader" work stage-root >got &&
	test_cmp later.root got
'

test_expect_success ZSTD 'without db the second reader says the same' '
	"$reader" -z work stage >want &&
	"$reader" -z work ls >>want &&
	"$reader" work refs >>want &&
	mv work/.store/db db.away &&
	test_when_finished "mv db.away work/.store/db" &&
	"$reader" -z work stage >got &&
	"$reader" -z work ls >>got &&
	"$reader" work refs >>got &&
	test_cmp want got
'

test_expect_success 'other averages and classes have equal roots too' '
	for average in 1024 65536 2097152; do
		rm -rf other && mkdir other && cp -a tree/none tree/odd other/ &&
		cp tree/zlib/lines tree/zlib/period other/ &&
		python3 "$writer" --average $average other | cut -d" " -f2 >want &&
		(cd other && store init --chunk-average $average && store add -A && store commit -m one) &&
		(cd other && store root) | grep -oE "[0-9a-f]{64}" >got &&
		test_cmp want got &&
		"$reader" other verify || return 1
	done
'

# The command passes over its own unfinished publications by void records, and so does the second reader.
test_expect_success ZSTD 'a publication of the command that was cut short leaves a void record, and both pass it over' '
	cp -a work cut && cd cut &&
	{ (STORE_FAULT=env.commit:2:kill && export STORE_FAULT && exec store commit -m "never") || test $? -eq 137; } &&
	grep -c "^record" .store/refs.log >before &&
	store commit -m "again" && store log --oneline -n 1 >said && cd .. &&
	test_grep "^void [0-9]*$" cut/.store/refs.log && test_grep "^why commit: never$" cut/.store/refs.log &&
	test_grep " again$" cut/said &&
	"$reader" cut refs >refs && test_grep "^refs/heads/main $(cut -d" " -f1 cut/said)" refs &&
	"$reader" cut verify >said && test_grep "commits 6, layers 6" said
'

# What every golden and fresh repository must hold, so that "agrees" means something.
# holds REPOSITORY SEQ MAP: entries of every kind; files of SEQ levels of seq nodes, directories of MAP levels of map nodes;
# blocks of all three codecs; staged entries.
cat >holds.py <<'EOT'
import importlib.machinery, importlib.util, os, sys

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("second_reader", sys.argv[1])
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
loader.exec_module(reader)
store = reader.Store(sys.argv[2])
kinds, files, maps, changes, empty = set(), 0, 0, 0, set()
for oid, root in store.log("HEAD"):
	maps = max(maps, root[1] + 1)
	layer = store.layer(store.commit(oid)[0])[3]
	changes = max(changes, int(layer["changesh"]) + 1)
	for path, entry in store.walk(root):
		kinds.add(entry[0])
		if entry[0] == reader.DIRECTORY:
			maps = max(maps, entry[1] + 1)
		else:
			files = max(files, entry[1])
		if not entry[3] and not entry[5] and not entry[4]:
			empty.add(entry[0])
stage, staged = reader.Stage(store), []
stage.entries(stage.root, b"", staged)
codecs = {(b.codec, b.klass) for p in store.objects.packs for b in p.blocks}
print("kinds", *sorted(kinds))
print("empty", *sorted(empty))
print("seq", files)
print("map", maps)
print("codecs", *sorted({c for c, _ in codecs}))
print("content codecs", *sorted({c for c, k in codecs if k == 1}))
print("staged", "yes" if dict(staged) != dict(store.walk(store.root("HEAD"))) else "no")
EOT
holds()
{
	python3 holds.py "$reader" "$1" >held &&
		printf '%s\n' 'kinds 1 2 3 4' 'empty 1 3' "seq $2" "map $3" 'codecs 0 1 2' 'content codecs 0 1 2' 'staged yes' >want && test_cmp want held
}

test_expect_success ZSTD 'the repository of the command holds every kind of entry, three levels of both nodes, all codecs, staged changes' '
	holds work 3 3
'

# The golden repositories are frozen; the archive is all there is of them.
for golden in "$SRC_ROOT"/t/golden/*/*.tar.gz; do
	name=$(basename "$golden" .tar.gz)
	case $name in
	average-256) levels='3 3' ;;
	*) levels='1 3' ;;
	esac

	test_expect_success ZSTD "golden $name holds every kind of entry, $levels levels of seq and map nodes, all codecs, staged changes" '
		mkdir "golden-$name" && tar -C "golden-$name" -xzf "$golden" && holds "golden-$name" $levels
	'

	test_expect_success ZSTD "golden $name: the second reader verifies it, and agrees with the command in commits, files, stage and refs" '
		repo=golden-$name && "$reader" "$repo" verify &&
		"$reader" "$repo" log >log && test_line_count -eq 4 log && "$reader" "$repo" refs >refs.before &&
		(cd "$repo" && store fsck --rebuild -q) &&
		while read -r commit height root size; do
			rm -rf extracted checked-out && "$reader" "$repo" extract "$commit" extracted &&
			(cd "$repo" && store checkout --to ../checked-out "$commit") &&
			diff -r --no-dereference checked-out extracted &&
			(cd extracted && find . -type f -perm -100 | sort) >programs &&
			(cd checked-out && find . -type f -perm -100 | sort) >programs.too && test_cmp programs programs.too &&
			(cd "$repo" && store root "$commit") >said && test_grep "$root" said || return 1
		done <log &&
		"$reader" -z "$repo" stage | tr "\n\0" "?\n" | grep -v "^3 " | cut -d" " -f5- | sort >want && test -s want &&
		(cd "$repo" && store -z ls -r :) | tr "\n\0" "?\n" | grep -v "/$" | sort >got && test_cmp want got &&
		"$reader" "$repo" stage-root | cut -d" " -f2 >want && (cd "$repo" && store commit -n -m x) >said && test_grep "$(cat want)" said &&
		"$reader" "$repo" refs >refs.after && test_cmp refs.before refs.after &&
		(cd "$repo" && store log --oneline) | cut -d" " -f1 >shorts && test_line_count -eq 4 shorts &&
		cut -c1-$(($(head -n 1 shorts | wc -c) - 1)) log >got && test_cmp shorts got
	'
done

test_expect_success 'two golden repositories were looked at' '
	ls -d golden-*/.store/packs >got && test_line_count -ge 2 got
'

test_done
