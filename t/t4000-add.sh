#!/bin/sh
# What add takes, what it leaves out, and what it says about it.
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# staged_root: root of the tree that is staged.
staged_root()
{
	store --json commit -n --allow-empty >"$TRASH/root.json" && IFS= read -r json <"$TRASH/root.json" &&
		json=${json#*'"root":{'} && json=${json%%'}'*} && [ ${#json} -gt 64 ] && printf '%s\n' "$json"
}
# staged PATH..., not_staged PATH...: cat gives all of them; ls shows none of them.
staged()
{
	for path; do
		set -- "$@" ":$path" && shift
	done
	store cat "$@" >/dev/null
}
not_staged()
{
	store ls -r : >"$TRASH/staged" || return 1
	for path; do
		while IFS= read -r line; do
			[ "$line" != "$path" ] || {
				echo "not_staged: $path is" && return 1
			}
		done <"$TRASH/staged"
	done
}
# fresh NAME: an empty repository, and we are in it.
fresh()
{
	mkdir "$1" && cd "$1" && store -q init
}

test_expect_success 'add takes files, directories, empty ones, programs and symlinks, and cat gives them back' '
	fresh kinds &&
	mkdir -p sub/deeper empty && echo one >one && echo two >sub/two && printf "#!\n" >sub/deeper/program &&
	chmod +x sub/deeper/program && : >nothing && ln -s sub link && ln -s nowhere dangling &&
	store add -r . 2>../err &&
	test_grep -E "6 added, 0 modified, 0 deleted, and 3 directories; 6 files, 21 bytes, 21 bytes new, [0-9.]+ (bytes|KiB) stored, [0-9]+[.][0-9] s$" ../err &&
	head -c 20000 /dev/urandom >../noise && cp ../noise noise && store add noise 2>../err && test_grep -E " new, ratio (0[.][1-9]|1[.])[0-9]+, [0-9]+[.][0-9] s$" ../err && rm noise && store add -q . &&
	store commit -m one >../out && test_grep "^6 added, 0 modified, 0 deleted; 6 files, 21 bytes in all" ../out &&
	store ls -r >../ls &&
	cat >../want <<-\EOT &&
	dangling
	empty/
	link
	nothing
	one
	sub/
	sub/deeper/
	sub/deeper/program
	sub/two
	EOT
	test_cmp ../want ../ls &&
	test "$(store cat sub/two)" = two &&
	test "$(store cat dangling)" = nowhere &&
	store cat nothing >../empty && test_must_be_empty ../empty &&
	store ls -l sub/deeper >../ls && test_grep "^-rwxr-xr-x.* sub/deeper/program$" ../ls
'

test_expect_success 'add makes the stage equal to the tree: new, changed and deleted, and says how many' '
	cd kinds && echo changed >one && rm -r sub && echo new >new &&
	store add . 2>../err &&
	test_grep "1 added, 1 modified, 2 deleted, and 2 directories; " ../err &&
	store commit -m two >../out &&
	test_grep "^1 added, 1 modified, 2 deleted; 5 files, 22 bytes in all" ../out &&
	store ls -r >../ls &&
	printf "%s\n" dangling empty/ link new nothing one >../want &&
	test_cmp ../want ../ls
'

# What is gone was committed, was staged since, or is both, at all depths; what is of another type, in both directions.
# What is read within 20 ms of its change is read again by the next add, and counted: so some time passes.
test_expect_success 'add and commit count the same: files and links, gone ones one by one, another type as gone and new' '
	fresh counts && mkdir -p d/e/f g/h i && echo 1 >d/a && echo 2 >d/e/b && ln -s a d/e/f/l && echo 3 >g/h/k && echo 4 >m && echo 5 >n && echo 6 >i/j && store -q add . &&
	store -q commit -m one && echo new >d/e/new && echo 7 >m && store -q add . && rm -r d g i m n && echo file >d && ln -s nowhere m && mkdir n && echo 8 >n/o &&
	cp -a . ../counts-dry && (cd ../counts-dry && store add -n . 2>../said >../out) && sleep 0.1 && store add . 2>../err &&
	test_grep "^store: 3 added, 0 modified, 8 deleted, and 7 directories; 3 files, " ../err &&
	test_grep "^store: would be staged: 3 added, 0 modified, 8 deleted, and 7 directories; 3 files, " ../said &&
	store commit -m two >../out && test_grep "^3 added, 0 modified, 7 deleted; " ../out && mkdir only && store add . 2>../err &&
	test_grep "^store: 0 added, 0 modified, 0 deleted, and 1 directory; 0 files" ../err && rmdir only && store add . 2>../err &&
	test_grep "^store: 0 added, 0 modified, 0 deleted, and 1 directory; 0 files" ../err && store add . 2>../err && test_grep "^store: 0 added, 0 modified, 0 deleted; 0 files" ../err
'

test_expect_success 'only what is below the operand is staged' '
	fresh below && mkdir a b && echo 1 >a/x && echo 2 >b/y && echo 3 >z &&
	store add a && staged a/x && not_staged b/y z &&
	store add b/y && staged b/y && not_staged z &&
	(cd b && store add ../z) && staged z
'

test_expect_success '-A takes the whole tree from anywhere, and . takes what is here' '
	fresh all && mkdir a b && echo 1 >a/x && echo 2 >b/y &&
	(cd b && store add .) && staged b/y && not_staged a/x &&
	(cd b && store add -A) && staged a/x
'

test_expect_success '-u takes what is tracked: changed and deleted, nothing new' '
	fresh update && mkdir d && echo 1 >d/keep && echo 2 >d/gone && echo 3 >top && store -q add . && store -q commit -m one &&
	echo changed >d/keep && rm d/gone && echo new >d/new && mkdir e && echo new >e/new &&
	(cd d && store add -u 2>../../err) &&
	test_grep "0 added, 1 modified, 1 deleted" ../err &&
	test "$(store cat :d/keep)" = changed && not_staged d/gone d/new e/new
'

test_expect_success '-u: a file that became a directory is deleted, and what stands there is untracked; so the reverse' '
	fresh swap-u && mkdir d && echo 1 >d/x && echo 2 >f && echo 3 >g && store -q add . && store -q commit -m one &&
	rm -r d f g && echo 4 >d && mkdir f g && echo 5 >f/y && echo 6 >g/z && store add -u . 2>../err &&
	store add -u g && store status --porcelain -uall >../out &&
	test "$(tr "\n" " " <../out)" = "D  d/x D  f D  g ?? d ?? f/y ?? g/z "
'

test_expect_success '--ignore-removal stages what is new and changed, and no deletion' '
	fresh removal && mkdir d && echo 1 >d/a && echo 2 >b && store -q add . && store -q commit -m one &&
	rm -r d b && echo new >new &&
	store add --ignore-removal . 2>../err &&
	test_grep "1 added, 0 modified, 0 deleted" ../err &&
	staged d/a b new &&
	store -q add . && not_staged d/a b
'

test_expect_success '-n prints each path with its bytes, and writes nothing' '
	fresh dry && mkdir d && echo 1 >d/kept && echo 22 >gone && store -q add . && store -q commit -m one &&
	printf 12345 >d/new && rm gone && echo x >>d/kept && mkdir hollow &&
	root=$(staged_root) &&
	find .store -type f -exec sha256sum {} + | grep -v "lock" | sort >../before &&
	store add -n . >../out 2>../err &&
	find .store -type f -exec sha256sum {} + | grep -v "lock" | sort >../after &&
	test_cmp ../before ../after &&
	cat >../want <<-\EOT &&
	add               4  d/kept
	add               5  d/new
	delete            0  gone
	add               0  hollow
	EOT
	test_cmp ../want ../out &&
	test_grep "would be staged: 1 added, 1 modified, 1 deleted, and 1 directory; " ../err &&
	test "$(staged_root)" = "$root" &&
	store add . 2>../err && test_grep "1 added, 1 modified, 1 deleted, and 1 directory; " ../err
'

test_expect_success '-n reads the file that is named, and not one of that name at the top' '
	fresh dry-deep && mkdir -p d/e && echo same >d/e/f && echo different >f && store -q add . && store -q commit -m one &&
	touch d/e/f f && store add -n d/e/f >../out 2>../err && test_must_be_empty ../out && test_grep "0 added, 0 modified" ../err &&
	echo more >>d/e/f && cp d/e/f f && store -q add f && echo other >d/e/f && store add -n d/e/f >../out &&
	printf "add               6  d/e/f\n" >../want && test_cmp ../want ../out
'

test_expect_success 'paths come from standard input, by line, quoted, or ended by NUL' '
	fresh stdin && echo 1 >a && echo 2 >"b c" && printf x >"new
line" && echo 3 >d &&
	printf "a\n\"b c\"\n" | store add --stdin-paths && staged a "b c" && not_staged d &&
	printf "new\nline\0d\0" | store add --stdin-paths -z && staged "new
line" d &&
	printf "\"new\\\\nline\"\n" | store add --stdin-paths
'

test_expect_success 'without a path, and without -A or -u, add says what to type and stages nothing' '
	cd stdin && test_expect_code 2 store add 2>../err &&
	test_line_count -eq 1 ../err && test_grep "store add -A" ../err
'

test_expect_success 'an operand that is neither on disk nor tracked stages nothing at all' '
	fresh unknown && echo 1 >a &&
	test_expect_code 2 store add a nope 2>../err &&
	test_line_count -eq 1 ../err &&
	test_grep "nope.* is neither in the working tree nor tracked; nothing was added" ../err &&
	not_staged a
'

test_expect_success 'a tracked operand that has gone is staged as deleted' '
	fresh gone && mkdir -p d/e && echo 1 >d/e/f && echo 2 >g && store -q add . && rm -r d g &&
	store add d/e g && not_staged d/e/f g
'

test_expect_success 'a symlink is stored as what it says, and a path beyond one is refused' '
	fresh links && mkdir real && echo secret >real/file && ln -s real link && ln -s /etc absolute &&
	store add link absolute && test "$(store cat :link)" = real && test "$(store cat :absolute)" = /etc &&
	not_staged real/file &&
	test_expect_code 2 store add real link/file 2>../err &&
	test_line_count -eq 1 ../err && test_grep "link/file.* lies beyond a symbolic link" ../err &&
	not_staged real/file &&
	test_expect_code 2 store add absolute/passwd 2>../err && test_grep "beyond a symbolic link" ../err
'

test_expect_success '.git is left out at any depth; named outright it is refused with the -f hint, and the rest is added' '
	fresh ignored && mkdir -p .git sub/.git && echo 1 >.git/x && echo 2 >sub/.git/y && echo 3 >sub/z && echo file >a &&
	mkdir module && echo "gitdir: elsewhere" >module/.git && echo 4 >module/m &&
	store add . && staged sub/z module/m && not_staged .git/x sub/.git/y module/.git &&
	echo 5 >b &&
	test_expect_code 2 store add .git b 2>../err &&
	test_grep "\.git.* is ignored: not added; .store add -f. takes it" ../err &&
	staged b && not_staged .git/x &&
	store add -f .git && staged .git/x && not_staged sub/.git/y
'

test_expect_success 'a tracked .git stays tracked' '
	cd ignored && echo changed >.git/x && store add . && test "$(store cat :.git/x)" = changed
'

test_expect_success '.store is never stored, neither by name nor by -f nor deeper in the tree' '
	fresh itself && mkdir -p sub/.store && echo 1 >sub/.store/x && echo 2 >sub/y &&
	store add -f . && staged sub/y && not_staged sub/.store/x .store/config &&
	test_expect_code 2 store add .store 2>../err && test_grep "never stored" ../err &&
	test_expect_code 2 store add -f .store/config 2>../err && test_grep "never stored" ../err &&
	test_expect_code 2 store add -f sub/.store 2>../err && test_grep "never stored" ../err && not_staged sub/.store/x &&
	test_expect_code 2 store add -f sub/.store/x 2>../err && test_grep "never stored" ../err && not_staged sub/.store/x
'

test_expect_success 'what lies in an ignored directory is ignored, too, unless it is tracked or -f takes it' '
	fresh inside && mkdir -p .git/hooks d/.git && echo 1 >.git/hooks/x && echo 2 >d/.git/y && echo 3 >z &&
	test_expect_code 2 store add .git/hooks/x d/.git z 2>../err &&
	test "$(grep -c "is ignored: not added; .store add -f. takes it" ../err)" = 2 &&
	staged z && not_staged .git/hooks/x d/.git/y &&
	store add -f .git/hooks && staged .git/hooks/x && echo more >>.git/hooks/x && store add .git/hooks/x &&
	store cat :.git/hooks/x | cmp - .git/hooks/x
'

test_expect_success 'a repository below is a border: named once, not entered, exit 0' '
	fresh border && mkdir -p sub/inner && (cd sub/inner && store -q init && mkdir deep && echo x >deep/file) && echo y >sub/outer &&
	store add . 2>../err &&
	test_grep "sub/inner.* is a repository of its own: not entered" ../err &&
	test "$(grep -c "repository of its own" ../err)" = 1 &&
	staged sub/outer && not_staged sub/inner/deep/file &&
	store add sub/inner 2>../err && test_grep "sub/inner.* is a repository of its own: not entered" ../err &&
	test_expect_code 2 store add sub/inner/deep/file 2>../err && test_line_count -eq 1 ../err &&
	test_grep "sub/inner/deep/file.* lies in another repository, .*sub/inner" ../err && not_staged sub/inner/deep/file
'

test_expect_success 'FIFOs, sockets and devices are never opened, only counted' '
	fresh special && mkfifo pipe && echo 1 >file && mkdir d && mkfifo d/second &&
	python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")" &&
	strace -f -y -e trace=open,openat,openat2 -o ../trace store -v add . 2>../err &&
	test_grep ! -E "\"(pipe|second|sock)\"|special/(pipe|sock|d/second)>" ../trace &&
	test_grep "file" ../trace &&
	test_grep "3 FIFOs, sockets and devices" ../err && test_grep "pipe.* is no file, directory or symlink" ../err &&
	staged file && not_staged pipe &&
	timeout 20 store add pipe 2>../err && test_grep "left out: 1 FIFO" ../err
'

test_expect_success 'a file that a FIFO replaced is staged as deleted' '
	fresh replaced && echo 1 >a && echo 2 >b && store -q add . && rm a && mkfifo a &&
	timeout 20 store add . && not_staged a && staged b
'

# A file that changes while it is read.  strace holds the reads of that file up, so that the writer is sure to come between.
cat >restless.py <<'EOT'
import os
import sys
import time

path, times = sys.argv[1], int(sys.argv[2])
while not os.path.exists("reading") or b"openat" not in open("reading", "rb").read():
    if os.path.exists("stop"):
        sys.exit("nobody opened the file")
    time.sleep(0.01)
n = 0
while not os.path.exists("stop") and (times == 0 or n < times):
    n += 1
    with open(path, "ab") as f:
        f.write(b"x")
    if times == 0:
        time.sleep(0.05)
EOT
# held_up TIMES CODE: add with a writer that comes between TIMES times (0: always).
held_up()
{
	rm -f ../reading ../stop
	(cd .. && exec python3 restless.py "$OLDPWD/file" "$1") &
	writer=$!
	test_expect_code "$2" strace -f -P file -P "$PWD/file" -e trace=openat,openat2,pread64 -e inject=pread64:delay_enter=500000 \
		-o ../reading timeout 30 store --threads 1 add . 2>../err
	held_rc=$?
	touch ../stop
	wait "$writer" && return "$held_rc"
}

for size in 6 1500000; do
	test_expect_success "a file of $size bytes that changes once while it is read is read again, and whole" '
		fresh once-$size && echo quiet >quiet && head -c $size /dev/urandom >file &&
		held_up 1 0 &&
		test "$(wc -c <file)" = $((size + 1)) &&
		staged quiet && store cat :file | cmp - file
	'
	test_expect_success "a file of $size bytes that comes to no rest is named, keeps what is staged, and makes exit code 3" '
		fresh twice-$size && echo quiet >quiet && echo before >file && store -q add . && echo more >quiet &&
		head -c $size /dev/urandom >file &&
		held_up 0 3 &&
		test_grep "file.* changed while it was read, twice" ../err &&
		test "$(store cat :quiet)" = more && test "$(store cat :file)" = before
	'
done

test_expect_success 'a file replaced by a directory and back, a directory by a symlink and back' '
	fresh swap && mkdir dir && echo 1 >dir/x && echo file >thing && store -q add . && store -q commit -m 1 && one=$(staged_root) &&
	rm thing && mkdir -p thing/deep && echo 2 >thing/deep/y && rm -r dir && ln -s thing dir &&
	store -q add . && store -q commit -m 2 && two=$(staged_root) &&
	test "$(store ls -r | tr "\n" " ")" = "dir thing/ thing/deep/ thing/deep/y " &&
	rm -r thing dir && mkdir dir && echo 1 >dir/x && echo file >thing &&
	store -q add . && store -q commit -m 3 &&
	test "$(staged_root)" = "$one" && test "$one" != "$two" &&
	test "$(store ls -r | tr "\n" " ")" = "dir/ dir/x thing " &&
	test "$(store cat thing@HEAD~2)" = file && test "$(store cat HEAD~1:thing/deep/y)" = 2
'

test_expect_success 'the executable bit is content, other bits and times are not' '
	fresh bits && echo 1 >f && store -q add . && one=$(staged_root) &&
	chmod 640 f && touch -d 2001-01-01 f && store -q add . && test "$(staged_root)" = "$one" &&
	chmod 750 f && store -q add . && test "$(staged_root)" != "$one" &&
	chmod 644 f && store -q add . && test "$(staged_root)" = "$one"
'

test_expect_success '--json tells the counts, and errors are one JSON line' '
	fresh json && echo 1 >a && store --json add . >../out 2>../err && test_must_be_empty ../err &&
	python3 -c "
import json, sys
r = json.load(open(\"../out\"))
assert r[\"schema\"] == \"store/add/1\" and r[\"added\"] == 1 and r[\"stats\"][\"bytes\"] == 2, r
" && test_expect_code 2 store --json add nope 2>../err && test_line_count -eq 1 ../err &&
	python3 -c "import json; json.load(open(\"../err\"))"
'

# Their paths are more than one batch holds, and nothing of them is to be done.
test_expect_success 'a change behind thousands of directories that are as they were is staged' '
	mkdir many && cd many && store -q init && python3 -c "
import os
for n in range(3000):
    os.mkdir(\"%04d\" % n + \"d\" * 200)" && store -q add . && echo new >last && d=$(echo 2999*) && echo new >"$d/inner" &&
	store add . 2>../err && test_grep "^store: 2 added" ../err && echo more >>last && rm "$d/inner" && store add . 2>../err &&
	test_grep "^store: 0 added, 1 modified, 1 deleted" ../err && store status --porcelain >../out && test_grep ! "^.[MD?]" ../out
'

test_done
