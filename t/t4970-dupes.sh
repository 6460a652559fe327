#!/bin/sh
# store dupes: groups are those of sha256, memory is bounded, and what is linked or deleted was shown and is kept elsewhere.
test_leaks=0
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# plan_of ACT PATH...: the name of the plan for it.
plan_of()
{
	act=$1 && shift && store dupes --json -n "--$act" "$@" 2>/dev/null | sed -n 's/.*"plan":"\([0-9a-f]*\)".*/\1/p'
}

# pair DIR: two files of 9,000 equal bytes each.
pair()
{
	rm -rf "$1" && mkdir "$1" && head -c 9000 /dev/zero >"$1/a" && cp -p "$1/a" "$1/b"
}

is_linked()
{
	test "$(stat -c %i "$1")" = "$(stat -c %i "$2")"
}

test_expect_success 'random trees: groups, counts and failures are those of a model, by tiny buffers too, and plans do what they tell' '
	mkdir random && cd random && as= && found=$STORE_BIN/store &&
	if test_root; then
		test_as_user true && as="setpriv --reuid=65534 --regid=65534 --clear-groups" && found=$test_top/bin/store
	fi &&
	AS_USER=$as STORE=$found python3 -B "$SRC_ROOT/t/dupes-beside-sha256.py" 1 "$(test_cases 200)"
'

test_expect_success 'options that cannot be are refused' '
	mkdir empty && for words in "--format xml" "--min-size 1x" "-z --json" "--sort-buffer 1" "--sort-buffer 0" "--sort-buffer 65M" "--link" "--delete" "--dry-run" "--plan 0123456789ab" "-n --link --delete" \
		"-n --link --plan 0123456789ab" "--force" "-n --delete --force" "-n -z --link" "--link --plan 0123" "--link --plan 0123456789aX" "-o"
	do
		test_expect_code 2 store dupes $words empty >out 2>err && test_must_be_empty out && test_line_count -eq 1 err || { echo "$words" && return 1; }
	done &&
	test_expect_code 2 store dupes "" 2>err && test_grep "PATH is empty" err
'

test_expect_success 'roots may be files, a root that is not there is named: 3, or 2 when it was the only one' '
	pair roots && store dupes -q -z roots/a roots/b >out && printf "roots/a\\0roots/b\\0\\0" >want && test_cmp want out &&
	test_expect_code 3 store dupes -q -z nowhere roots >out 2>err && test_cmp want out && test_line_count -eq 1 err &&
	test_expect_code 2 store dupes nowhere >out 2>err && test_expect_code 2 store dupes --strict -t 1 nowhere roots >out 2>err && test_must_be_empty out &&
	plan=$(plan_of link roots/b roots/a) && store dupes -q --link --plan $plan roots/b roots/a && is_linked roots/a roots/b
'

test_expect_success 'the folder of a repository is left out, and nothing in it is linked or deleted when it is asked for' '
	pair work && store init -q work && cp work/a work/.store/a && mkdir work/.store/sub && cp work/a work/.store/sub/a && store dupes -q -z work >out && printf "work/a\\0work/b\\0\\0" >want && test_cmp want out &&
	store dupes -q -z --exclude "!.store/" work >out && tr "\\0" "\\n" <out >lines && test_grep "work/.store/sub/a" lines &&
	plan=$(plan_of delete --exclude "!.store/" work) && test_expect_code 3 store dupes -q --delete --exclude "!.store/" --plan $plan work >out &&
	test_line_count -eq 3 out && test_must_fail grep -v "^not delete" out && ls work/a work/b work/.store/a work/.store/sub/a &&
	for root in work/.store work/.store/sub "$PWD/work/.store/sub/.."; do
		test_expect_code 2 store dupes -n --delete "$root" 2>err && test_grep "repository" err || return 1
	done && store dupes -q -z work/.store >out && test -s out
'

test_expect_success 'what cannot be read or opened is told once and is in no group' '
	pair ends && cp ends/a ends/c && for fault in open:2:EIO read:1:EIO read:4:EIO read:8:EIO
	do
		rm -f log && STORE_FAULT=$fault STORE_FAULT_LOG=$PWD/log test_expect_code 3 store dupes --json ends >out 2>err && test_line_count -eq 1 log && test_line_count -eq 3 out && test_line_count -eq 1 err &&
		test_grep "\"errors\":1,.*" out && test_expect_code 2 env STORE_FAULT=$fault store dupes -q --strict ends >out 2>err && test_must_be_empty out && test_line_count -eq 1 err || { echo $fault && cat out err && return 1; }
	done
'

test_expect_success 'names that can wait nowhere end the search, told' '
	mkdir names && python3 -c "
for i in range(100): open(\"names/%0200d\" % i, \"w\").write(\"x\")
" && TMPDIR=/nowhere test_expect_code 2 store dupes --sort-buffer 4K names >out 2>err && test_grep "/nowhere" err && test_line_count -eq 1 err &&
	STORE_FAULT=write:2:ENOSPC test_expect_code 2 store dupes -q --sort-buffer 4K names >out 2>err && test_grep "No space left" err && TMPDIR=/nowhere store dupes -q names >out &&
	test_line_count -eq 101 out
'

# One of the files is stopped at and replaced: the first open is of the folder, the second of the first file.
cat >race.py <<'EOT'
import os, signal, subprocess, sys

def stopped(fault, words, change, code):
    p = subprocess.Popen(["store", "dupes", "-q"] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, STORE_FAULT=fault + ":stop"))
    pid, status = os.waitpid(p.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), (fault, words, status, p.communicate())
    change()
    os.kill(p.pid, signal.SIGCONT)
    out, err = p.communicate()
    assert p.returncode == code, (fault, words, p.returncode, out, err)
    return out, err

def write(path, data):
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(data)

def pair(d):
    subprocess.check_call("rm -rf " + d, shell=True)
    os.mkdir(d)
    for n in "abc":
        write(d + "/" + n, b"\0" * 9000)
        os.utime(d + "/" + n, ns=(0, 10**18))

def plan(act, d):
    out = subprocess.run(["store", "dupes", "-n", act, d, "--json"], stdout=subprocess.PIPE, check=True).stdout
    return out.split(b'"plan":"')[1][:16].decode()

def fifo(path):
    os.unlink(path)
    os.mkfifo(path)

def touch(path):
    os.utime(path, ns=(0, 5))

def grow(path):
    with open(path, "ab") as f:
        f.write(b"x")

def away(path):
    os.unlink(path)

def link(path):
    os.unlink(path)
    os.symlink("b", path)

# A file that becomes something else between walk and reading is told (not when it went), and nobody waits for a FIFO.
for change, code in (fifo, 3), (touch, 3), (grow, 3), (away, 0), (link, 3):
    pair("r")
    out, err = stopped("open:2", ["-z", "r"], lambda: change("r/a"), code)
    assert out == b"r/b\0r/c\0\0" and (b"'r/a'" in err) == (code == 3), (change, out, err)

# While it is read: the first read is of the head, the second of the tail.
pair("r")
out, err = stopped("read:2", ["-z", "r"], lambda: touch("r/a"), 3)
assert out == b"r/b\0r/c\0\0" and b"changed" in err, (out, err)

# Another file stands there at the last moment: it stays, whether it is the one that goes or the one that is kept.
for act in "--link", "--delete":
    for victim in "r/b", "r/a":
        pair("r")
        name = plan(act, "r")
        out, err = stopped("fsync:1", [act, "--plan", name, "r"], lambda: write(victim, b"precious"), 3)
        assert open(victim, "rb").read() == b"precious", (act, victim, out, err)
        left = [n for n in "abc" if os.path.exists("r/" + n) and open("r/" + n, "rb").read() == b"\0" * 9000]
        assert left and b"not " + act[2:].encode() in out and len(os.listdir("r")) <= 3, (act, victim, out, os.listdir("r"))

# The same bytes in another file are not what was compared either; and bytes that differ under the old time are seen.
for act in "--link", "--delete":
    pair("r")
    name = plan(act, "r")
    def forge():
        with open("r/b", "r+b") as f:
            f.seek(4500)
            f.write(b"x")
        os.utime("r/b", ns=(0, 10**18))
    # Folder, ends of three, whole of three, then the two of the first action.
    out, err = stopped("open:8", [act, "--plan", name, "r"], forge, 3)
    assert b"x" in open("r/b", "rb").read() and len([l for l in out.splitlines() if l.startswith(b"not ")]) == 1, out
EOT

test_expect_success 'files that change, vanish or become a FIFO or a link meanwhile harm nothing' '
	python3 -B race.py
'

test_expect_success 'mode, owner and attributes that differ are not linked but by --force, which is told before' '
	pair other && chmod 600 other/b && test_expect_code 3 store dupes -q -n --link other >out && test_grep "^not link other/b to other/a: its mode is 600, not 644\$" out &&
	plan=$(plan_of link other) && test_expect_code 3 store dupes -q --link --plan $plan other >out && ! is_linked other/a other/b &&
	test_expect_code 2 store dupes --force --link --plan $plan other && plan=$(plan_of link --force other) && store dupes -q --link --force --plan $plan other && is_linked other/a other/b &&
	pair other && { ! setfattr -n user.x -v 1 other/b 2>/dev/null || { plan=$(plan_of link other) && test_expect_code 3 store dupes -q --link --plan $plan other >out && test_grep "attributes" out && ! is_linked other/a other/b; }; }
'

test_expect_success 'a plan is good once, and for what it was told of' '
	pair once && plan=$(plan_of link once) && cp -p once/a once/c && test_expect_code 2 store dupes --link --plan $plan once >out 2>err && test_must_be_empty out && test_grep "nothing was changed" err && ! is_linked once/a once/b &&
	rm once/c && test_expect_code 2 store dupes --delete --plan $plan once && test_expect_code 2 store dupes --link --plan 0123456789ab once && store dupes -q --link --plan $plan once && is_linked once/a once/b &&
	test_expect_code 2 store dupes --link --plan $plan once && mv once/b once/d && store dupes -n --link once >out 2>err && test_must_be_empty out
'

test_expect_success 'where names cannot be exchanged they are replaced; what fails leaves the file and nothing beside it' '
	for act in link delete; do
		for fault in dupes.exchange:1:EIO dupes.link:1:EIO dupes.remove:1:EIO fsync:1:EIO read:7:EIO
		do
			pair faults && plan=$(plan_of $act faults) && code=3 && case $act$fault in linkdupes.remove* | deletedupes.[el]*) code=0 ;; esac && test_expect_code $code env STORE_FAULT=$fault STORE_FAULT_LOG=$PWD/log store dupes -q --$act --plan $plan faults >out &&
			if test $code = 3; then cmp faults/a faults/b && ! is_linked faults/a faults/b; fi && test_must_fail ls faults/.store-dupes* || { echo $act $fault && return 1; }
		done
	done &&
	for n in dupes.exchange dupes.link dupes.remove fsync read; do test_grep "^$n:" log || return 1; done &&
	pair faults && plan=$(plan_of link faults) && STORE_FAULT=dupes.exchange:1+:EINVAL store dupes -q --link --plan $plan faults && is_linked faults/a faults/b && test_must_fail ls faults/.store-dupes*
'

test_expect_success 'a crash loses no content' '
	for fault in link:dupes.link link:dupes.exchange delete:dupes.remove link:fsync delete:fsync
	do
		pair crash && echo other >crash/other && plan=$(plan_of "${fault%%:*}" crash) && test_expect_code 137 env STORE_FAULT="${fault#*:}:1:kill" store dupes -q "--${fault%%:*}" --plan $plan crash &&
		head -c 9000 /dev/zero | cmp - crash/a && echo other | cmp - crash/other || { echo $fault && return 1; }
	done
'

test_expect_success 'a group of many names comes in parts, and memory does not grow with it' '
	mkdir many && python3 - "$(test_cases 20000)" <<-\EOT &&
	import os, sys
	for i in range(int(sys.argv[1])):
	    if i % 2000 == 0:
	        os.mkdir("many/%d" % (i // 2000))
	    p = "many/%d/%06d%s" % (i // 2000, i, "x" * 180)
	    if i % 50:
	        os.link(last, p)
	    else:
	        last = p
	        open(p, "w").write("the same")
	EOT
	store --stats dupes -z --sort-buffer 64K many >out 2>err && tr -d -c "\\0" <out | wc -c >n && test "$(cat n)" -eq $(($(test_cases 20000) + 1)) &&
	anon=$(sed -n "s/^peak anon: //p" err) && test "$anon" -gt 0 && { case $STORE_BIN in *san) ;; *) test "$anon" -lt 12000000 ;; esac; }
'

test_expect_success 'a signal ends it by that signal, groups are told while it goes on, and -o leaves nothing behind' '
	pair stopped && mkdir small into && echo 1 >small/a && echo 1 >small/b && python3 - <<-\EOT && test_must_fail ls into/*
	import os, signal, subprocess
	# Folders, ends of two, whole of two; the first of the next size.
	env = dict(os.environ, STORE_FAULT="open:7:stop")
	for words in [], ["-o", "into/out"]:
	    p = subprocess.Popen(["store", "dupes", "-q", "-z", "-t", "1", "stopped", "small"] + words, stdout=subprocess.PIPE, env=env)
	    pid, status = os.waitpid(p.pid, os.WUNTRACED)
	    assert os.WIFSTOPPED(status), status
	    if not words:
	        want = b"stopped/a\0stopped/b\0\0"
	        assert os.read(p.stdout.fileno(), 100) == want
	    os.kill(p.pid, signal.SIGTERM)
	    os.kill(p.pid, signal.SIGCONT)
	    p.stdout.read()
	    assert p.wait() == -signal.SIGTERM, p.returncode
	EOT
'

test_done
