#!/bin/sh
# store walk: what find finds, whatever the figures are; nothing is lost, little is kept, and what fails is told.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# A few files to look at: make_tree DIR.
make_tree()
{
	mkdir -p "$1/a/b" "$1/.hid" "$1/c.d" && printf 12 >"$1/a/two.TXT" && printf 123 >"$1/a/b/three" && : >"$1/.hid/none" && : >"$1/c.d/x.o" &&
		ln -s .. "$1/a/up" && mkfifo "$1/c.d/fifo"
}

test_expect_success 'random trees: every preset, order and queue of one finds what find finds, names in bytes, loops and closed doors included' '
	mkdir random && cd random && as= && found=$STORE_BIN/store &&
	if test_root; then
		test_as_user true && as="setpriv --reuid=65534 --regid=65534 --clear-groups" && found=$test_top/bin/store
	fi &&
	AS_USER=$as STORE=$found python3 -B "$SRC_ROOT/t/walk-beside-find.py" 1 "$(test_cases 1000)"
'

test_expect_success 'without operands it tells the files below the current directory, roots are told as they are named' '
	make_tree tree && cd tree && store walk | sort >../got && printf "%s\n" .hid/none a/b/three a/two.TXT c.d/x.o >../want && test_cmp ../want ../got &&
	cd .. && store walk tree/a ./tree/c.d/ tree/a/two.TXT | sort >got &&
	printf "%s\n" ./tree/c.d/x.o tree/a/b/three tree/a/two.TXT tree/a/two.TXT >want && test_cmp want got &&
	store walk -d 0 --type fdlo tree tree/a/up tree/c.d/fifo tree/a/up/ | sort >got && printf "%s\n" tree tree/a/up tree/a/up/ tree/c.d/fifo >want && test_cmp want got
'

test_expect_success 'no repository is needed, and that of a folder is as any other' '
	store init -q repo && store walk repo >got && test_grep "^repo/.store/format\$" got
'

test_expect_success '--json has every member, --format csv is as RFC 4180 has it, and names that are not text are C-quoted in it' '
	mkdir forms && name=$(printf "q\\377\\042,x") && printf 1 >"forms/$name" && printf 2 >"forms/a,b" && printf 3 >"forms/ä \"" && touch -d @5.25 forms/* &&
	store walk --format csv -o out.csv forms && store walk --json --format json forms >out.json && python3 - <<-EOT
	import base64, csv, json, re
	rows = list(csv.reader(open("out.csv", newline="", encoding="utf-8")))
	assert open("out.csv", "rb").read().count(b"\\r\\n") == 4
	assert rows[0] == "path,type,size,mode,mtime,inode,device,depth".split(","), rows
	want = {"forms/q\\377\\",x": 1, "forms/a,b": 1, "forms/ä \\"": 1}
	def plain(s):
	    if not s.startswith("\\""):
	        return s.encode()
	    return re.sub(rb"\\\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else m[1], s[1:-1].encode())
	names = {plain(r[0]) for r in rows[1:]}
	assert names == {b"forms/q\\xff\\",x", b"forms/a,b", "forms/ä \\"".encode()}, names
	assert all(r[1:5] == ["file", "1", "644", "5.250000000"] and r[7] == "1" for r in rows[1:]), rows
	o = [json.loads(l) for l in open("out.json")]
	assert {base64.b64decode(e["path_b64"]) if "path_b64" in e else e["path"].encode() for e in o} == {n[6:] for n in names}
	assert all(e["root"] == "forms" and e["mtime"] == 5 and e["mtime_ns"] == 250000000 and e["mode"] == 0o644 for e in o), o
	EOT
'

test_expect_success 'options that cannot be are refused' '
	for words in "--preset fast" "--order up" "--format xml" "--type fx" "--min-size 1x" "--max-size -1" "-t 0" "-t 65" "-d x" "--batch-size 65537" "--queue 0" "-o" "--json --format csv" "-z --json" "--no-pager=1"
	do
		test_expect_code 2 store walk $words tree >out 2>err && test_must_be_empty out && test_line_count -eq 1 err || { echo "$words" && return 1; }
	done &&
	test_expect_code 2 store walk "" 2>err && test_grep "DIR is empty" err
'

test_expect_success 'what is not there is named and the rest told: 3, or 2 when nothing could be looked at; --strict ends there' '
	test_expect_code 3 store walk nowhere tree >out 2>err && test_line_count -eq 4 out && test_line_count -eq 1 err && test_grep "nowhere.*No such file" err &&
	test_expect_code 2 store walk nowhere >out 2>err && test_line_count -eq 1 err && test_must_be_empty out &&
	test_expect_code 2 store walk --strict -t 1 nowhere tree >out 2>err && test_line_count -eq 1 err && test_must_be_empty out
'

test_expect_success 'one file or directory that fails costs nothing else' '
	for fault in stat:3:EIO getdents:3:EIO walk.open:2:EIO
	do
		for threads in 1 3
		do
			rm -f log && STORE_FAULT=$fault STORE_FAULT_LOG=$PWD/log test_expect_code 3 store --stats walk -t $threads --type fdlo tree >out 2>err && test_line_count -eq 1 log &&
			test_grep "^errors: 1\$" err && test_grep "^complete: yes\$" err && test_grep "cannot read .tree" err && test_line_count -ge 6 out || { cat err && return 1; }
		done
	done
'

test_expect_success 'where no thread can be started it finds the same alone' '
	store walk --type fdlo tree | sort >want && STORE_FAULT=thread:1+:EAGAIN store walk --type fdlo -t 4 tree | sort >got && test_cmp want got &&
	STORE_FAULT=thread:2+:EAGAIN store walk --type fdlo -t 4 tree | sort >got && test_cmp want got
'

test_expect_success 'directories that can neither be kept nor wait on disk end the walk, told' '
	TMPDIR=/nowhere test_expect_code 2 store walk --queue 1 tree >out 2>err && test_grep "/nowhere" err && test_line_count -eq 1 err &&
	STORE_FAULT=write:1:ENOSPC test_expect_code 2 store walk --queue 1 tree >out 2>err && test_grep "No space left" err && TMPDIR=/nowhere store walk tree >out
'

test_expect_success 'setup: many files' '
	mkdir many && MANY=$(test_cases 200000) && echo "$MANY" >count && python3 - "$MANY" <<-\EOT
	import os, stat, sys
	for i in range(int(sys.argv[1])):
	    if i % 4000 == 0:
	        d = "many/%d" % (i // 4000)
	        os.mkdir(d)
	    os.mknod("%s/%06d" % (d, i), 0o644 | stat.S_IFREG)
	for i in range(int(sys.argv[1]) // 100):
	    os.mkdir("%s/d%d" % (d, i))
	EOT
'

# Of a walk that nobody reads from, no more is found than fits the buffers, a pipe and the output: 11,100 and 64 KiB twice.
test_expect_success 'entries are told while the walk goes on: when its reader is gone it has not found them all' '
	for threads in 1 3
	do
		store --stats walk -t $threads many 2>err | head -n 1 >out && test_line_count -eq 1 out && test_grep "^complete: no\$" err &&
		found=$(sed -n "s/^found: //p" err) && test "$found" -gt 0 && test "$found" -lt 30000 || { cat err && return 1; }
	done
'

test_expect_success 'memory does not grow with files or directories, nothing is lost, and what finds no room waits on disk' '
	for words in "" "--preset ultra --queue 1"
	do
		store --stats walk $words many >out 2>err && test_line_count -eq "$(cat count)" out && test_grep "^complete: yes\$" err &&
		anon=$(sed -n "s/^peak anon: //p" err) && test "$anon" -gt 0 && { case $STORE_BIN in *san) ;; *) test "$anon" -lt 16000000 ;; esac; } &&
		case $words in *queue*) ! test_grep "^directories that waited on disk: 0\$" err ;; *) test_grep "^directories that waited on disk: 0\$" err ;; esac ||
			{ cat err && return 1; }
	done
'

test_expect_success 'a signal ends it by that signal, and -o leaves nothing behind' '
	mkdir stopped && python3 - <<-\EOT && test_line_count -eq 0 left
	import os, signal, subprocess
	for words in ([], ["-t", "1"]):
	    p = subprocess.Popen(["store", "walk"] + words + ["many"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	    p.stdout.read(1)
	    p.send_signal(signal.SIGTERM)
	    p.stdout.read()
	    assert p.wait() == -signal.SIGTERM, p.returncode
	os.environ["STORE_FAULT"] = "getdents:5+:20ms"
	p = subprocess.Popen(["store", "walk", "--batch-size", "1", "-o", "stopped/out", "many"], stderr=subprocess.DEVNULL)
	while not os.listdir("stopped"):
	    pass
	p.send_signal(signal.SIGTERM)
	assert p.wait() == -signal.SIGTERM, p.returncode
	open("left", "w").write("\n".join(os.listdir("stopped")))
	EOT
'

test_done
