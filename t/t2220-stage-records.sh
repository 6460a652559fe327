#!/bin/sh
# Every operation of a stage record, replayed by a rebuild: set, delete, move, reset. The records are written by hand with
# t/second-writer.py, since no command writes all of them; t/second-reader says what the stage is then.
test_leaks=0
. "${0%/*}/test-lib.sh"

reader=$SRC_ROOT/t/second-reader
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# The operations of a case are those of ops.py.  The cases are made in repositories of their own by one start of that
# program, and looked at by one start of agrees.py: a start of either costs more than all that it does.
cat >replayed <<'EOF'
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
EOF
cat >malformed <<'EOF'
a chunk that is longer than any object|row bad 1 0 0 20000000 hello
an empty size and an id of something|row bad 1 0 0 0 hello
the id of the empty file and a size|row bad 1 0 0 5
an empty file of height 1|row bad 1 0 1 0
a link of height 1|row bad 4 0 1 5 hello
a class that format does not have|row bad 1 1 0 5 hello
a height over the limit|row bad 1 0 33 5 hello
EOF
# The name of the repository, and the operations.
cat >attributes <<'EOF'
moved|move a/b c/b
reset-1|reset-meta c a
reset-2|reset c a
reset-3|mkdir c 0123\nreset-meta c a\nreset-meta c c
root-1|mkdir . 0123\nreset-meta . .\nset q 1 q
root-2|mkdir .\nreset-meta . .\nset q 1 q
root-3|mkdir . 0123\nreset . .\nset q 1 q
root-4|mkdir . 0123\ndelete .\nset q 1 q
root-5|reset-meta . .\nmkdir . 0321\nset q 1 q
set|mkdir a 0770\nmkdir c
EOF
cat >moves <<'EOF'
into-itself|move a/b a/b/c
to-itself|move a a
no-such|move no such
no-such-folder|move no/such thing
EOF
cat >others <<'EOF'
status|move a/b c/b\nmove z y
top|set before 1 hello\nrecord\nreset-meta c .
wrong|row new/wrong 1 0 0 95 hello
torn|torn a\nrecord\ntorn .\nrecord\nset after 1 hello
EOF

# ops.py T <CASES: of each line NAME|OPERATIONS the repository NAME, or, where there is none, a copy of `good` without its
# database, gets a pack with the next number that holds the operations.  PATH . is the root; a line "record" begins another
# record.  A TREE is a directory of HEAD of `good`.
#	set PATH KIND CONTENT	mkdir PATH [MODE]	delete PATH	move PATH PATH	reset PATH TREE		reset-meta PATH TREE
#	torn PATH: a reset to a tree with a directory that is in no pack
#	row PATH KIND CLASS HEIGHT SIZE CONTENT: a set that says so of the content, true or not
cat >ops.py <<'EOT'
import importlib.machinery, importlib.util, os, shutil, sys

def load(name, path):
	loader = importlib.machinery.SourceFileLoader(name, path)
	module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
	loader.exec_module(module)
	return module

tests = sys.argv[1]
sys.dont_write_bytecode = True
writer = load("second_writer", os.path.join(tests, "second-writer.py"))
reader = load("second_reader", os.path.join(tests, "second-reader"))
leb = writer.leb
store = reader.Store("good")

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

def publish(repo, operations):
	records, ops, content = [], [], []
	for line in operations.splitlines():
		word = line.split(" ")
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

for case in sys.stdin:
	name, operations = case.rstrip("\n").split("|")
	if not os.path.exists(name):
		shutil.copytree("good", name, symlinks=True)
		shutil.rmtree(name + "/.store/db")
	publish(name, operations.replace("\\n", "\n"))
EOT

# agrees.py T <NAMES: of each repository NAME.agrees says "agrees" if the command (NAME.out of the rebuild, NAME.ls,
# NAME.status, NAME.commit) and the second reader say the same of the stage: names, tree, differences to HEAD.  Else it says
# what differs.  A directory that is shown with M has other attributes than in HEAD, of which the lists tell
# nothing.  Where the program is slow (STORE_TEST_LIGHT) the last two are asked of every third repository.
cat >agrees.py <<'EOT'
import importlib.machinery, importlib.util, os, sys

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("second_reader", os.path.join(sys.argv[1], "second-reader"))
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
loader.exec_module(reader)

def lines(name):
	with open(name, "rb") as f:
		return f.read().splitlines()

def shown(rows):
	"""Of (path, entry) all but directories, and those that are empty."""
	rows = {path.replace(b"\0", b"/"): entry[:4] for path, entry in rows}
	full = {path.rpartition(b"/")[0] for path in rows}
	return {(p + b"/" if e[0] == reader.DIRECTORY else p): e for p, e in rows.items() if e[0] != reader.DIRECTORY or p not in full}

def differences(old, new):
	"""The first column of status, of everything that differs."""
	for path in old.keys() | new.keys():
		a, b = old.get(path), new.get(path)
		if a != b:
			yield (b"A" if not a else b"D" if not b else b"M" if (a[0] == 4) == (b[0] == 4) else b"T") + b" " + path

def look(name):
	store, stage = reader.Store(name), []
	replayed = reader.Stage(store)
	root = replayed.entries(replayed.root, b"", stage)
	if not any(b"all is well" in line for line in lines(name + ".out")):
		yield "the rebuild did not end well"
	want = sorted(p.replace(b"\0", b"/") + (b"/" if e[0] == reader.DIRECTORY else b"") for p, e in stage)
	asked = os.path.exists(name + ".ls")
	if asked and sorted(lines(name + ".ls")) != want:
		yield "ls should be %r" % want
	want = sorted(differences(shown(store.walk(store.root("HEAD"))), shown(stage)))
	status = [line for line in lines(name + ".status" if asked else os.devnull) if line[:1] not in b" ?" and not (line[:3] == b"M  " and line[-1:] == b"/")]
	got = sorted(line[:1] + b" " + line[3:] for line in status)
	if asked and got != want:
		yield "status is %r, should be %r" % (got, want)
	head = store.root("HEAD")
	if root[1:4] == head[1:4]:
		if want:
			yield "the root of the stage is that of HEAD, and %r differ" % want
	elif not any(line.startswith(b"root " + root[2].hex().encode() + b" ") for line in lines(name + ".commit")):
		yield "commit -n does not give the root " + root[2].hex()

for name in sys.stdin.read().split():
	try:
		said = list(look(name)) or ["agrees"]
	except reader.Bad as e:
		said = ["refused: %s" % e]
	with open(name + ".agrees", "w") as out:
		out.write("\n".join(said) + "\n")
EOT

# rebuilt NAME WHOLE: the database made anew; the root that the command has of the stage then, and if WHOLE is not empty its
# names and differences too.  (A rebuild ends with all of fsck.)
rebuilt()
{
	store -C "$1" fsck --rebuild -q >"$1.out" && { store -C "$1" commit -n -m x >"$1.commit" || test $? -eq 1; } &&
		{ [ -z "$2" ] || { store -C "$1" ls -r : >"$1.ls" && store -C "$1" status --porcelain >"$1.status"; }; }
}

# agrees NAME: agrees.py says so.
agrees()
{
	read -r said <"$1.agrees" || return 1
	[ "$said" = agrees ] || {
		cat "$1.agrees" >&2
		return 1
	}
}

# harmed NAME: the rebuild tells of damage, and the newest pack is $pack.
harmed()
{
	test_must_fail store -C "$1" fsck --rebuild -q >out 2>err && for pack in "$1"/.store/packs/*; do :; done && pack=${pack##*/}
}

# refused NAME WORDS: the second reader refuses the stage with these words.
refused()
{
	test_grep "^refused: .*\($2\)" "$1.agrees"
}

# modes NAME "MODE PATH"...: they are recorded so after the commit.
modes()
{
	awk '{ print $1, $6 }' "$1.attributes" >recorded && shift && for modes_want; do
		test_grep -xF -e "$modes_want" recorded || return 1
	done
}

test_expect_success 'setup: a repository with one commit' '
	mkdir good && cd good && store init . && mkdir -p a/b c/empty && echo x >a/x && echo y >a/b/y && ln -s y a/b/l && echo run >c/run &&
	chmod 755 c/run && chmod 750 a/b && chmod 711 c && chmod 700 a && echo z >z && store add -A && store commit -m one
'

test_expect_success 'setup: a repository for each case' '
	awk -F"|" "{ print \"replayed-\" NR \"|\" \$2 }" replayed >cases && test_line_count -eq 22 cases &&
	awk -F"|" "{ print \"malformed-\" NR \"|set before 1 hello\\\\nrecord\\\\n\" \$2 }" malformed >>cases &&
	awk -F"|" "{ print \$1 \"|set before 1 hello\\\\nrecord\\\\n\" \$2 \"\\\\nrecord\\\\nset after 1 hello\" }" moves >>cases &&
	cat attributes others >>cases && test_line_count -eq 47 cases &&
	python3 ops.py "$SRC_ROOT/t" <cases && cut -d"|" -f1 cases >names
'

test_expect_success 'setup: the command makes their databases anew and tells of the stage, and so does the second reader' '
	grep -E "^(replayed|moved|reset|root|set|status)" names >whole && test_line_count -eq 33 whole &&
	n=0 && while read -r name; do
		whole=t && n=$((n + 1)) && { [ -z "${STORE_TEST_LIGHT-}" ] || [ $((n % 3)) -eq 0 ] || [ "$name" = status ] || whole=; } &&
		rebuilt "$name" "$whole" || { echo "$name" >&2; return 1; }
	done <whole &&
	grep -v -x -e wrong -e torn names | python3 agrees.py "$SRC_ROOT/t"
'

n=0
while IFS='|' read -r promise operations; do
	n=$((n + 1))
	test_expect_success "replayed: $promise" 'agrees replayed-$n'
done <replayed

test_expect_success 'status after a move says what came and what went' '
	agrees status && grep "^[AMDT]" status.status >got &&
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

test_expect_success 'setup: what the cases of attributes staged is committed' '
	set -- && while IFS="|" read -r name operations; do
		store -C "$name" commit -q -m "what was staged" && set -- "$@" -o "$name.attributes" "$name" attributes , || return 1
	done <attributes && test $# -eq 50 && "$reader" "$@"
'

test_expect_success 'a directory that is moved takes its attributes with it' '
	agrees moved && modes moved "0700 a" "0711 c" "0750 c/b" "0644 c/b/y"
'

test_expect_success 'reset leaves a directory its own attributes, and gives what is below it the recorded ones' '
	modes reset-1 "0700 a" "0711 c" "0750 c/b" "0644 c/b/y" &&
	modes reset-2 "0700 a" "0711 c" && test_grep ! " c/b$" reset-2.attributes &&
	modes reset-3 "0123 c" "0755 c/run"
'

test_expect_success 'so it does with the root, whatever attributes the map names' '
	for name in root-1 root-2 root-3 root-4 root-5; do agrees $name || return 1; done &&
	modes root-1 "0123 ." "0700 a" "0644 z" &&
	modes root-2 "0700 a" && test_grep ! " [.]$" root-2.attributes &&
	modes root-3 "0123 ." && test_grep ! " a$" root-3.attributes &&
	modes root-4 "0123 ." && test_grep ! " q$" root-4.attributes &&
	modes root-5 "0321 ." "0700 a"
'

test_expect_success 'attributes of a root below another directory are damage' '
	harmed top && test_grep "attributes of a top directory are given to one below it; what it staged is not all there" out && store -C top ls : >list &&
	test_grep "^before$" list && test_grep "^c/$" list && refused top "meta of a reset"
'

test_expect_success 'set of a directory gives and takes attributes' '
	modes set "0770 a" "- c" "0755 c/run"
'

while IFS='|' read -r name operations; do
	test_expect_success "a record with '$operations' is damage, told with pack and offset, and what other records say is applied" '
		harmed $name &&
		test_grep -E "^damaged: packs/$pack at offset [0-9]+: a move of what is not there, or into itself; what it staged is not all there$" out &&
		store -C $name ls : >list && test_grep "^before$" list && test_grep "^after$" list && test_grep "^a/$" list &&
		refused $name "a move of"
	'
done <moves

n=0
while IFS='|' read -r what operation; do
	n=$((n + 1))
	test_expect_success "a set with $what is damage for rebuild and for the second reader" '
		harmed malformed-$n &&
		test_grep -E "^damaged: packs/$pack at offset [0-9]+: an operation of a stage record is malformed; what it staged is not all there$" out &&
		store -C malformed-$n ls : >list && test_grep "^before$" list && test_grep ! "^bad$" list &&
		refused malformed-$n "class\|kind\|length 0\|chunk of"
	'
done <malformed

test_expect_success 'a set with another length than its content has is found by the fsck behind the rebuild, with the path' '
	harmed wrong && test_grep "^damaged: stage: it says another length than its content has: new/wrong$" out
'

test_expect_success 'a reset to a tree that is not all there leaves the stage as it was, and no directory that nothing leads to' '
	harmed torn && test_grep "an object is in no pack; what it staged is not all there$" out && test_grep " 2 damaged$" out &&
	store -C torn fsck -q && store -C torn ls -r : >got && { store -C good ls -r && echo after; } | sort >want && sort got >sorted && test_cmp want sorted
'

test_expect_success 'an object that stands in two packs is read from the second when the block of the first is damaged' '
	rm -rf r && store init -q r && printf "stands twice" >r/one && printf "stands once" >r/once && store -C r add one once && store -C r commit -q -m one >out &&
	p=$(find r/.store/packs -type f | sort | head -n 1) && echo "r|set two 1 stands twice" | python3 ops.py "$SRC_ROOT/t" && chmod u+w "$p" &&
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
