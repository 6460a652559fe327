#!/bin/sh
# The format stands on its page: a reader and a writer made from store-format(5) alone, t/second-reader and
# t/second-writer.py, agree with the command in every id, ref, name and byte.  What they say to each other is t3905.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/second-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

! command -v zstd >/dev/null || test_set_prereq ZSTD

# list TREE NAME: a folder as the second writer sees it.  NAME.list: KIND HEIGHT ID SIZE PATH of everything in it,
# NAME.root: HEIGHT ID SIZE of its root.
list()
{
	python3 "$writer" --average 256 --list "$2.list" "$1" >"$2.made" &&
		cut -d" " -f1-3 "$2.made" >"$2.root" &&
		test -s "$2.list" && test -s "$2.root"
}

# log_of REPOSITORY: as the second reader prints it.
log_of()
{
	store -C "$1" --json log |
		sed 's/.*"commit":"\([0-9a-f]*\)".*"root":{"id":"\([0-9a-f]*\)".*"height":\([0-9]*\),"size":\([0-9]*\).*/\1 \3 \2 \4/'
}

test_expect_success 'setup: a tree with every kind of entry' '
	python3 make-tree.py tree && make_small tree small
'

# What makes another root for the same content is found by fsck, and named with the paths that need it.
cat >broken <<'EOT'
a seq node that ends too early|len(node) == 1024|len(node) == 100|the node ends before its border$|noise$
a seq node that ends too late|len(node) >= 16|len(node) >= 200|the node goes on behind its border$|noise$
a seq node with another threshold|2 ** 57|2 ** 58|the node ends before its border$|noise$
runs that are not joined|if rows and rows[-1][:2] == (oid, length)|if rows and rows[-1][2] < 7 and rows[-1][:2] == (oid, length)|two neighbouring rows are one run$|zeros$
a map node with another weight|weight + 8|weight + 40|the node [a-z ]* its border$|many$
a root that stands above a single node|if len(above) == 1:|if len(above) == 1 and lev > 0:|the node is a root above a single child$|folder$
EOT
test_expect_success 'setup: writers that each break one rule, and one that breaks none' '
	{ echo "whole|store|store" && awk -F"|" "{ print \"broken-\" NR \"|\" \$2 \"|\" \$3 }" broken; } >cases && test_line_count -eq 7 cases &&
	python3 broken.py "$SRC_ROOT/t" small <cases
'
test_expect_success 'fsck finds nothing wrong with what the second writer wrote' '
	store -C whole fsck --rebuild
'
n=0
while IFS='|' read -r promise from to words path; do
	n=$((n + 1))
	test_expect_success "fsck names $promise" '
		test_expect_code 4 store -C broken-$n fsck --rebuild >said &&
		test_grep -E "^damaged: packs/[0-9a-f-]* at offset [0-9]*: object [0-9a-f]{64}: $words" said &&
		test_grep -E "^damaged: packs/[0-9a-f-]* at offset [0-9]*: object [0-9a-f]{64} is needed by: $path" said
	'
done <broken

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
	grep " zlib/deep$\| zstd/wide$" lines >deep &&
	test_grep "^1 [3-9] .* zlib/deep$" deep &&
	test_grep "^3 [2-9] .* zstd/wide$" deep
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
	"$reader" -z -o got work stage , -o got.root work stage-root &&
	test_cmp tree.list got &&
	test_cmp tree.root got.root &&
	(cd work && store commit -n -m one) >said &&
	test_grep "$(cut -d" " -f2 tree.root | cut -c1-12)" said
'

test_expect_success ZSTD 'setup: a commit, and what the second reader says of it' '
	(cd work && store commit -m one) &&
	"$reader" -o refs work refs , -z -o ls work ls , -o root work root , work extract HEAD extracted , -o verified work verify
'

test_expect_success ZSTD 'after a commit refs.log gives HEAD, the branch and the commit that log names' '
	test_grep "^HEAD ref:refs/heads/main$" refs &&
	(cd work && store log --oneline -n 1) | cut -d" " -f1 >short &&
	test -s short &&
	test_grep "^refs/heads/main $(cat short)" refs
'

test_expect_success ZSTD 'ls of the commit is the tree, and its root is the one of the second writer and of root' '
	test_cmp tree.list ls &&
	test_cmp tree.root root &&
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
	test_grep "commits 1, layers 1" verified
'

test_expect_success ZSTD 'setup: commits with every kind of change' '
	cd work &&
	printf x >>none/empty && rm none/"one byte" && chmod -x none/program &&
	python3 -c "
with open(\"zlib/deep\", \"r+b\") as f:
    f.seek(200000)
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

test_expect_success ZSTD 'setup: what the second reader says of all that' '
	list work later &&
	"$reader" -o refs work refs , -o log work log , -z -o ls work ls , -z -o stage work stage , -o stage-root work stage-root , -o verified work verify &&
	"$reader" work extract "$(tail -n 1 log | cut -d" " -f1)" old-too
'

test_expect_success ZSTD 'branches and tags, renamed, annotated and deleted ones, are those that the command lists' '
	(cd work && store --json branch && store --json tag) | python3 -c "
import json, sys
for row in map(json.loads, sys.stdin):
    folder = \"tags\" if row[\"schema\"] == \"store/tag/1\" else \"heads\"
    print(\"refs/%s/%s %s\" % (folder, row[\"name\"], row.get(\"tag\") or row[\"commit\"]))" >want &&
	test_line_count -eq 4 want &&
	grep "^refs/" refs >got &&
	test_cmp want got
'

test_expect_success ZSTD 'changes, counts and generations of all layers are those of the page' '
	test_grep "commits 5, layers 5" verified
'

test_expect_success ZSTD 'commits and roots of the whole history are those that the command prints' '
	test_line_count -eq 5 log && log_of work >got && test_cmp log got &&
	(cd work && store checkout --to ../old HEAD~4) &&
	diff -r --no-dereference tree old &&
	diff -r --no-dereference old old-too
'

test_expect_success ZSTD 'the stage follows additions, deletions and moves' '
	test_cmp later.list stage &&
	test_cmp later.root stage-root
'

test_expect_success ZSTD 'without db the second reader says the same' '
	mv work/.store/db db.away &&
	test_when_finished "mv db.away work/.store/db" &&
	"$reader" -z -o got.stage work stage , -z -o got.ls work ls , -o got.refs work refs &&
	test_cmp stage got.stage && test_cmp ls got.ls && test_cmp refs got.refs
'

test_expect_success 'other averages and classes have equal roots too' '
	mkdir content && cp -a tree/none tree/odd content/ && cp tree/zlib/lines tree/zlib/period content/ && set -- &&
	for average in 1024 65536 2097152; do
		cp -a content other-$average &&
		python3 "$writer" --average $average content | cut -d" " -f2 >want &&
		(cd other-$average && store init --chunk-average $average && store add -A && store commit -m one && store root) >said &&
		test_grep "^$(cat want)" said && set -- "$@" other-$average verify , || return 1
	done &&
	"$reader" "$@"
'

# The command passes over its own unfinished publications by void records, and so does the second reader.
test_expect_success ZSTD 'a publication of the command that was cut short leaves a void record, and both pass it over' '
	cp -a work cut && cd cut &&
	{ (STORE_FAULT=env.commit:2:kill && export STORE_FAULT && exec store commit -m "never") || test $? -eq 137; } &&
	grep -c "^record" .store/refs.log >before &&
	store commit -m "again" && store log --oneline -n 1 >said && cd .. &&
	test_grep "^void [0-9]*$" cut/.store/refs.log && test_grep "^why commit: never$" cut/.store/refs.log &&
	test_grep " again$" cut/said &&
	"$reader" -o refs.cut cut refs , -o said cut verify && test_grep "^refs/heads/main $(cut -d" " -f1 cut/said)" refs.cut &&
	test_grep "commits 6, layers 6" said
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

	# That both give every commit back as it went in is t9000.
	test_expect_success ZSTD "golden $name: the second reader verifies it, and agrees with the command in commits, files, stage and refs" '
		repo=golden-$name &&
		"$reader" "$repo" verify , -o log "$repo" log , -o refs.before "$repo" refs , -z -o stage "$repo" stage , -o stage-root "$repo" stage-root &&
		store -C "$repo" fsck --rebuild -q &&
		test_line_count -eq 4 log && log_of "$repo" >got && test_cmp log got &&
		tr "\n\0" "?\n" <stage | grep -v "^3 " | cut -d" " -f5- | sort >want && test -s want &&
		(cd "$repo" && store -z ls -r :) | tr "\n\0" "?\n" | grep -v "/$" | sort >got && test_cmp want got &&
		(cd "$repo" && store commit -n -m x) >said && test_grep "$(cut -d" " -f2 stage-root)" said &&
		"$reader" "$repo" refs >refs.after && test_cmp refs.before refs.after
	'
done

test_expect_success 'two golden repositories were looked at' '
	ls -d golden-*/.store/packs >got && test_line_count -ge 2 got
'

test_done
