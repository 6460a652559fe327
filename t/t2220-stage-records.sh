#!/bin/sh
# Every operation of a stage record, replayed by a rebuild: set, delete, move, reset. The records are written by hand with
# t/second-writer.py, since no command writes all of them; t/second-reader says what the stage is then.
. "${0%/*}/test-lib.sh"

reader=$SRC_ROOT/t/second-reader
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# ops.py T REPO <OPERATIONS: a pack with the next number that holds them. PATH . is the root; a line "record" begins another
# record. A TREE is a directory of HEAD.
#	set PATH KIND CONTENT	mkdir PATH [MODE]	delete PATH	move PATH PATH	reset PATH TREE		reset-meta PATH TREE
#	torn PATH: a reset to a tree with a directory that is in no pack
#	row PATH KIND CLASS HEIGHT SIZE CONTENT: a set that says so of the content, true or not
cat >ops.py <<'EOT'
import importlib.machinery, importlib.util, os, re, sys

def load(name, path):
	loader = importlib.machinery.SourceFileLoader(name, path)
	module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
	loader.exec_module(module)
	return module

tests = sys.argv[1]
sys.dont_write_bytecode = True
writer = load("second_writer", os.path.join(tests, "second-writer.py"))
reader = load("second_reader", os.path.join(tests, "second-reader"))
repo = sys.argv[2]
leb = writer.leb
store = reader.Store(repo)

def path(text):
	data = os.fsencode(text).replace(b"/", b"\0") if text != "." else b""
	return leb(len(data)) + data

def tree(spec):
	"""(height, id) of a directory of HEAD, and (height, id) of its meta map."""
	commit = store.commit(store.resolve("HEAD")[1])
	entry, meta = store.root("HEAD"), commit[2]
	is_root = True
	for name in [os.fsencode(n) for n in spec.split("/") if n not in ("", ".")]:
		entry = dict(store.maps.directory(entry, "a tree"))[name]
		items = dict(store.maps.load(meta[0], meta[1], reader.MAP_META, "meta", is_root)[0])
		meta, is_root = items[name][4], False
	return entry[1], entry[2], meta

records, ops, content = [], [], []
for line in sys.stdin:
	word = line.rstrip("\n").split(" ")
	if word[0] == "record":
		records.append(ops)
		ops = []
	elif word[0] == "set":
		kind, data = int(word[2]), os.fsencode(" ".join(word[3:]))
		oid = writer.digest(data)
		content.append((oid, writer.CHUNK, data))
		ops.append(b"\x01" + path(word[1]) + bytes([kind, 0, 0]) + oid + leb(len(data)) + leb(0))
	elif word[0] == "row":
		kind, klass, height, size = map(int, word[2:6])
		data = os.fsencode(" ".join(word[6:]))
		content += [(writer.digest(data), writer.CHUNK, data)] if data else []
		ops.append(b"\x01" + path(word[1]) + bytes([kind, klass, height]) + writer.digest(data) + leb(size) + leb(0))
	elif word[0] == "torn":
		data = b"MP\x01\x01\x00\x01\x03sub\x03\x00" + bytes(range(32)) + b"\x05\x01\x00"
		content.append((writer.digest(data), writer.MAP, data))
		ops.append(b"\x04" + path(word[1]) + b"\x00" + writer.digest(data) + b"\x00")
	elif word[0] == "mkdir":
		mode = leb(int(word[2], 8)) if len(word) > 2 else b""
		meta = b"\x01" + mode + leb(0) + leb(0) if mode else b""
		ops.append(b"\x01" + path(word[1]) + b"\x03" + leb(len(meta)) + meta)
	elif word[0] == "delete":
		ops.append(b"\x02" + path(word[1]))
	elif word[0] == "move":
		ops.append(b"\x03" + path(word[1]) + path(word[2]))
	elif word[0] in ("reset", "reset-meta"):
		height, oid, meta = tree(word[2])
		op = b"\x04" + path(word[1]) + bytes([height]) + oid
		if word[0] == "reset-meta":
			op += b"\x01" + bytes([meta[1]]) + meta[0]
		else:
			op += b"\x00"
		ops.append(op)
	else:
		sys.exit("what is " + line)
records.append(ops)

last = max(int(n[:16], 16) for n in os.listdir(os.path.join(repo, ".store", "packs")))
pack = writer.PackFile(1)
pack.add(1, content, 256 << 10)
out = [b"SR\x01" + leb(len(r)) + b"".join(r) for r in records]
pack.add(3, [(writer.digest(r), writer.STAGE, r) for r in out], 1 << 20)
writer.publish(os.path.join(repo, ".store"), last + 1, pack)
EOT

# differs.py <HEAD.list+STAGE.list: the first column of status for everything but directories, and for those that are empty.
cat >differs.py <<'EOT'
import sys

def shown(name):
	rows = {}
	for row in open(name, "rb").read().split(b"\0")[:-1]:
		kind, height, oid, size, path = row.split(b" ", 4)
		rows[path] = (kind, height, oid, size)
	full = {path.rpartition(b"/")[0] for path in rows}
	return {(p + b"/" if e[0] == b"3" else p): e for p, e in rows.items() if e[0] != b"3" or p not in full}

old, new = shown(sys.argv[1]), shown(sys.argv[2])
for path in sorted(old.keys() | new.keys()):
	a, b = old.get(path), new.get(path)
	if a != b:
		mark = b"A" if not a else b"D" if not b else b"M" if (a[0] == b"4") == (b[0] == b"4") else b"T"
		sys.stdout.buffer.write(mark + b" " + path + b"\n")
EOT

# replay: the operations of standard input, published behind what `good` has, and a rebuild.
replay()
{
	rm -rf r && cp -a good r && python3 ops.py "$SRC_ROOT/t" r && rm -rf r/.store/db && store -C r fsck --rebuild -q >out 2>err
}

# agrees: the command and the second reader say the same of the stage of r: names, tree, differences to HEAD.  A directory that is shown with M has
# other attributes than in HEAD, of which the lists tell nothing.
agrees()
{
	"$reader" -z r stage >stage.list && "$reader" -z r ls >head.list &&
		tr '\0' '\n' <stage.list | grep -v '^3 ' | cut -d' ' -f5- | sort >want
	store -C r ls -r : | { grep -v '/$' || :; } | sort >got && test_cmp want got &&
		tr '\0' '\n' <stage.list | { grep '^3 ' || :; } | cut -d' ' -f5- | sort >want &&
		store -C r ls -r : | sed -n 's,/$,,p' | sort >got && test_cmp want got &&
		python3 differs.py head.list stage.list >want &&
		store -C r status --porcelain | grep -v -e '^[ ?]' -e '^M. .*/$' | sed 's/^\(.\). /\1 /' | sort -k 2 >got && sort -k 2 want >sorted && test_cmp sorted got &&
		"$reader" r stage-root >want && "$reader" r root >head.root && store -C r fsck -q >out &&
		if cmp -s want head.root; then
			test_must_be_empty sorted
		else
			store -C r commit -n -m x | sed -n 's/^root \([0-9a-f]*\) .*/\1/p' >got && cut -d' ' -f2 want >root && test_cmp root got
		fi
}

# modes PATH...: recorded modes after a commit.
modes()
{
	store -C r commit -q -m "what was staged" >/dev/null && "$reader" r attributes >recorded || return 1
	for mode_path; do
		awk -v path="$mode_path" '$6 == path { print $1, path }' recorded
	done
}

test_expect_success 'setup: a repository with one commit' '
	mkdir good && cd good && store init . && mkdir -p a/b c/empty && echo x >a/x && echo y >a/b/y && ln -s y a/b/l && echo run >c/run &&
	chmod 755 c/run && chmod 750 a/b && chmod 711 c && chmod 700 a && echo z >z && store add -A && store commit -m one
'

while IFS='|' read -r promise operations; do
	test_expect_success "replayed: $promise" '
		printf "%b" "$operations\n" | replay && test_grep "all is well" out && agrees
	'
done <<'EOT'
a set of a file, of a program, of a link|set a/new 1 hello\nset a/prog 2 run me\nset c/link 4 nowhere
a set in place of a directory|set a/b 1 hello
a set below a file, which becomes a directory|set a/x/deep/er 1 hello
a set of a directory where one is, and where a file is|mkdir a 0700\nmkdir z\nmkdir new/one
a delete of a file, of a directory, of what is not there|delete z\ndelete a/b\ndelete no/such\ndelete z/below
a delete of the root|delete .
a delete of the root, and sets behind it|set a/new 1 hello\ndelete .\nset q/r 1 hello\nrecord\nset s 1 hello
a move of a file within a directory|move a/x a/w
a move of a file to a directory that is not there|move a/x new/dir/x
a move of a directory to another one|move a/b c/b
a move of a directory over a file, and of a file over a directory|move a/b z\nmove c/run a
a move of a directory up, over its own parent|move a/b a
a move below a file, which becomes a directory|move a/x z/x
a move of what was moved, changed and added to before|move a q\nset q/new 1 hello\ndelete q/x\nmove q/b q/d/e\nset q/d/e/z 1 zz\nmove q a
a move of an empty directory|move c/empty empty
a reset of the root to HEAD after changes|set a/new 1 hello\ndelete c\nrecord\nreset . .
a reset of the root to a directory of HEAD|reset . a
a reset of a directory|delete a\nset a/q 1 hello\nreset a c
a reset of a directory that is not there, and of a file|reset new/path .\nreset z a
a reset to the tree that stands there, after changes in it|set a/b/q 1 hello\ndelete a/x\nreset a a
sets, deletes and moves below what was reset, in three records|reset d .\nrecord\nset d/a/b/q 1 hello\ndelete d/c\nmove d/a/x d/z\nrecord\nmove d/a e\nreset e/b c\nset e/b/w 1 ww
a reset below what was moved, and a move of what was reset|move a q\nreset q/b .\nmove q/b w\nreset . c\nmove run empty/run
EOT

test_expect_success 'status after a move says what came and what went' '
	printf "move a/b c/b\nmove z y\n" | replay && agrees && store -C r status --porcelain | grep "^[AMDT]" >got &&
	cat >want <<-\EOF &&
	D  a/b/l
	D  a/b/y
	AD c/b/l
	AD c/b/y
	AD y
	D  z
	EOF
	test_cmp want got
'

test_expect_success 'a directory that is moved takes its attributes with it' '
	printf "move a/b c/b\n" | replay && modes a c c/b c/b/y >got && printf "%s\n" "0700 a" "0711 c" "0750 c/b" "0644 c/b/y" >want && test_cmp want got
'

test_expect_success 'reset leaves a directory its own attributes, and gives what is below it the recorded ones' '
	printf "reset-meta c a\n" | replay && modes a c c/b c/b/y >got && printf "%s\n" "0700 a" "0711 c" "0750 c/b" "0644 c/b/y" >want && test_cmp want got &&
	printf "reset c a\n" | replay && modes a c c/b >got && printf "%s\n" "0700 a" "0711 c" >want && test_cmp want got &&
	printf "mkdir c 0123\nreset-meta c a\nreset-meta c c\n" | replay && modes c c/run >got && printf "%s\n" "0123 c" "0755 c/run" >want && test_cmp want got
'

test_expect_success 'so it does with the root, whatever attributes the map names' '
	printf "mkdir . 0123\nreset-meta . .\nset q 1 q\n" | replay && agrees && modes . a z >got && printf "%s\n" "0123 ." "0700 a" "0644 z" >want && test_cmp want got &&
	printf "mkdir .\nreset-meta . .\nset q 1 q\n" | replay && agrees && modes . a >got && printf "%s\n" "0700 a" >want && test_cmp want got &&
	printf "mkdir . 0123\nreset . .\nset q 1 q\n" | replay && agrees && modes . a >got && printf "%s\n" "0123 ." >want && test_cmp want got &&
	printf "mkdir . 0123\ndelete .\nset q 1 q\n" | replay && agrees && modes . q >got && printf "%s\n" "0123 ." >want && test_cmp want got &&
	printf "reset-meta . .\nmkdir . 0321\nset q 1 q\n" | replay && agrees && modes . a >got && printf "%s\n" "0321 ." "0700 a" >want && test_cmp want got
'

test_expect_success 'attributes of a root below another directory are damage' '
	test_must_fail replay <<-EOF &&
	set before 1 hello
	record
	reset-meta c .
	EOF
	test_grep "attributes of a top directory are given to one below it; what it staged is not all there" out && store -C r ls : >names &&
	test_grep "^before$" names && test_grep "^c/$" names && test_expect_code 1 "$reader" r stage 2>err && test_grep "meta of a reset" err
'

test_expect_success 'set of a directory gives and takes attributes' '
	printf "mkdir a 0770\nmkdir c\n" | replay && modes a c c/run >got && printf "%s\n" "0770 a" "- c" "0755 c/run" >want && test_cmp want got
'

for operations in 'move a/b a/b/c' 'move a a' 'move no such' 'move no/such thing'; do
	test_expect_success "a record with '$operations' is damage, told with pack and offset, and what other records say is applied" '
		test_must_fail replay <<-EOF &&
		set before 1 hello
		record
		$operations
		record
		set after 1 hello
		EOF
		pack=$(ls r/.store/packs | tail -n 1) &&
		test_grep -E "^damaged: packs/$pack at offset [0-9]+: a move of what is not there, or into itself; what it staged is not all there$" out &&
		store -C r ls : >names && test_grep "^before$" names && test_grep "^after$" names && test_grep "^a/$" names &&
		test_expect_code 1 "$reader" r stage 2>err && test_grep "a move of" err
	'
done

while IFS='|' read -r what operation; do
	test_expect_success "a set with $what is damage for rebuild and for the second reader" '
		test_must_fail replay <<-EOF &&
		set before 1 hello
		record
		$operation
		EOF
		pack=$(ls r/.store/packs | tail -n 1) &&
		test_grep -E "^damaged: packs/$pack at offset [0-9]+: an operation of a stage record is malformed; what it staged is not all there$" out &&
		store -C r ls : >names && test_grep "^before$" names && ! grep "^bad$" names &&
		test_expect_code 1 "$reader" r stage 2>err && test_grep "class\|kind\|length 0\|chunk of" err
	'
done <<'EOF'
a chunk that is longer than any object|row bad 1 0 0 20000000 hello
an empty size and an id of something|row bad 1 0 0 0 hello
the id of the empty file and a size|row bad 1 0 0 5
an empty file of height 1|row bad 1 0 1 0
a link of height 1|row bad 4 0 1 5 hello
a class that format does not have|row bad 1 1 0 5 hello
a height over the limit|row bad 1 0 33 5 hello
EOF

test_expect_success 'a set with another length than its content has is found by the fsck behind the rebuild, with the path' '
	test_must_fail replay <<-EOF &&
	row new/wrong 1 0 0 95 hello
	EOF
	test_grep "^damaged: stage: it says another length than its content has: new/wrong$" out
'

test_expect_success 'a reset to a tree that is not all there leaves the stage as it was, and no directory that nothing leads to' '
	test_must_fail replay <<-EOF &&
	torn a
	record
	torn .
	record
	set after 1 hello
	EOF
	test_grep "an object is in no pack; what it staged is not all there$" out && test_grep " 2 damaged$" out &&
	store -C r fsck -q && store -C r ls -r : >got && { store -C good ls -r && echo after; } | sort >want && sort got >sorted && test_cmp want sorted
'

test_expect_success 'an object that stands in two packs is read from the second when the block of the first is damaged' '
	rm -rf r && store init -q r && printf "stands twice" >r/one && printf "stands once" >r/once && store -C r add one once && store -C r commit -q -m one >out &&
	p=$(find r/.store/packs -type f | sort | head -n 1) && echo "set two 1 stands twice" | python3 ops.py "$SRC_ROOT/t" r && chmod u+w "$p" &&
	python3 - "$p" <<-\END && rm -rf r/.store/db && test_expect_code 4 store -C r fsck --rebuild >out 2>err && test_grep "checksum" out &&
	import sys
	data = bytearray(open(sys.argv[1], "rb").read())
	assert data[38] == 1
	data[70] ^= 1
	open(sys.argv[1], "wb").write(data)
	END
	printf "stands twice" >want && store -C r cat one >got && test_cmp want got && test_expect_code 4 store -C r cat once >got &&
	test_grep "once" out && test_grep ! ": one$\|: two$\|twice" out && store -C r cat :two >got && test_cmp want got
'

test_done
