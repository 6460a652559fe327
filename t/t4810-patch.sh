#!/bin/sh
# Differences of content as `store diff` prints them: what git apply and patch(1) make of them, limits, and what they
# cost.  The ranges themselves are u_patch's.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# stat NAME: a number of --stats, which stands in err.
stat_of()
{
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" err
}

test_expect_success 'patches of random changes give the new tree back, by git apply and by patch' '
	mkdir random && cd random &&
	python3 -B "$SRC_ROOT/t/patch-beside-git.py" "$STORE_BIN/store" "$(test_cases 500)" 1
'

test_expect_success 'a patch of the working tree applies to what is staged' '
	store init -q staged && cd staged && seq 1 30 >f && echo gone >g && store add -q -A && store commit -q -m c &&
	cp -r . ../old && seq 2 31 >f && rm g && store diff >../patch && cd ../old && git apply ../patch &&
	cmp f ../staged/f && test_path_is_missing g
'

test_expect_success 'a patch of a link in the working tree applies by git apply and by patch' '
	store init -q links && cd links && ln -s old l && store add -q -A && store commit -q -m c && ln -sf new l && store diff >../patch && store diff -R >../back &&
	git apply -R ../patch && test "$(readlink l)" = old && patch -p1 <../patch && test "$(readlink l)" = new &&
	patch -p1 <../back && test "$(readlink l)" = old
'

test_expect_success 'where files and directories change places git apply needs one run, and patch another one with those paths' '
	store init -q places && cd places && mkdir d && echo x >d/x && echo f >f && echo e >e && store add -q -A && store commit -q -m old && cp -r . ../for-git && cp -r . ../for-patch &&
	rm -r d f && echo d >d && mkdir f && echo in >f/in && echo E >e && store add -q -A && store commit -q -m new && store diff HEAD~ HEAD >../patch && store diff HEAD~ HEAD -- d f >../places.patch &&
	(cd ../for-git && git apply ../patch) && cd ../for-patch && test_expect_code 1 patch -p1 -N -r - <../patch && test_expect_code 1 patch -p1 -N -r - <../places.patch && cd .. &&
	for name in d e f/in; do cmp places/$name for-git/$name && cmp places/$name for-patch/$name || return 1; done && test_path_is_missing for-git/d/x && test_path_is_missing for-patch/d/x
'

test_expect_success 'setup: two commits' '
	store init repo && cd repo &&
	printf "a\nb\nc\n" >text && printf "\000abc" >binary && printf "same" >mode && : >gone &&
	ln -s old link && store add -A && store commit -m one &&
	printf "a\nB\nc" >text && printf "\000abd" >binary && chmod +x mode && rm gone &&
	ln -sf new link && : >"an empty one" && store add -A && store commit -m two
'

test_expect_success 'the form is git'\''s; binary content stands between the patches' '
	cd repo && store diff HEAD~ HEAD >out &&
	sed "s/^index [0-9a-f]*\.\.[0-9a-f]* 1/index OLD..NEW 1/; s/^index [1-9abcdf][0-9a-f]*/index ID/" out >got &&
	cat >want <<-\EOF &&
	diff --git "a/an empty one" "b/an empty one"
	new file mode 100644
	index 000000000000..e69de29bb2d1
	Binary a/binary and b/binary differ
	@@ bytes old 3-3 new 3-3 @@
	 old 00000003  63                                               |c|
	 new 00000003  64                                               |d|
	diff --git a/gone b/gone
	deleted file mode 100644
	index e69de29bb2d1..000000000000
	diff --git a/link b/link
	index OLD..NEW 120000
	--- a/link
	+++ b/link
	@@ -1 +1 @@
	-old
	\ No newline at end of file
	+new
	\ No newline at end of file
	diff --git a/mode b/mode
	old mode 100644
	new mode 100755
	diff --git a/text b/text
	index OLD..NEW 100644
	--- a/text
	+++ b/text
	@@ -1,3 +1,3 @@
	 a
	-b
	-c
	+B
	+c
	\ No newline at end of file
	EOF
	test_cmp want got
'

test_expect_success 'binary content with another mode: the mode is a patch, the content is told' '
	store init bm && cd bm && printf "\0001" >f && store add f && store commit -m 1 &&
	printf "\0002" >f && chmod +x f && store add f && store commit -m 2 && store diff HEAD~ HEAD >out &&
	test_grep "^new mode 100755" out && test_grep "^Binary a/f and b/f differ" out &&
	mkdir try && printf "\0001" >try/f && (cd try && git init -q . && git apply ../out) && test -x try/f &&
	chmod -x try/f && (cd try && patch -p1 -f <../out) && test -x try/f
'

test_expect_success 'ranges of bytes are there to be cut out by cat --bytes' '
	cd repo && python3 -c "import os; os.write(1, b\"\\0\" + bytes(range(256)) * 4000)" >large && store add large &&
	store commit -m large && python3 -c "
d = open(\"large\", \"rb\").read(); open(\"large\", \"wb\").write(d[:500000] + b\"inserted\" + d[500000:])" &&
	store diff large >out && test_grep "^@@ bytes old at 500000 new 500000-500007 @@" out &&
	test_grep "^ new 0007a120  69 6e 73 65 72 74 65 64  *|inserted|" out && store add large && store commit -m more &&
	store cat --bytes 500000-500007 large >cut && printf inserted >want && test_cmp want cut
'

test_expect_success 'what is over a limit says which, and how it is changed' '
	store init limits && cd limits && seq 1 5000 >f && store add f && store commit -m 1 && seq 2001 9000 >f &&
	store add f && store commit -m 2 &&
	store -c diff.lineLimit=1000 diff HEAD~ HEAD >out && test_grep "^Text a/f and b/f differ" out &&
	test_grep "^shown as ranges of bytes: over diff.lineLimit of 1000 lines" out && test_grep "^@@ bytes old " out &&
	store -c diff.textLimit=4KB diff HEAD~ HEAD >out &&
	test_grep "over diff.textLimit of 4096 bytes" out &&
	store diff HEAD~ HEAD >out && test_grep "^@@ -1,2003 +1,3 @@" out
'

test_expect_success 'a long text with a small edit is compared by lines, with the numbers of the whole file' '
	store init long && cd long && seq 1 100000 >f && store add f && store commit -m 1 &&
	sed "70000s/.*/changed/" f >g && mv g f && store diff >out && test_grep "^@@ -69997,7 +69997,7 @@" out &&
	store add f && store commit -m 2 && store diff HEAD~ HEAD >again && sed /^index/d again >got && test_cmp out got &&
	seq 1 100000 >f && patch -p1 <out && test_grep "^changed" f
'

test_expect_success 'two texts at the greatest limits that can be set stay below the ceiling of memory' '
	store init ceiling && cd ceiling && store config diff.textLimit 1GB && store config diff.lineLimit 9999999 && python3 -c "
import random
rnd = random.Random(1)
for name in \"a\", \"b\":
	open(name, \"w\").writelines(\"%063x\\n\" % rnd.getrandbits(252) for _ in range(131072))" &&
	mv a f && store add f && store commit -m 1 && mv b f && store add f && store commit -m 2 &&
	"$STORE_RELEASE_BIN/store" --json --stats diff --numstat HEAD~ HEAD >out 2>err && test_grep "131072" out &&
	test "$(stat_of peak_anon)" -gt 0 && test "$(stat_of peak_anon)" -le 67108864 &&
	"$STORE_RELEASE_BIN/store" --json --stats diff -p HEAD~ HEAD >out 2>err &&
	test "$(stat_of peak_anon)" -gt 16777216 && test "$(stat_of peak_anon)" -le 67108864 && echo >>f &&
	store diff --stat >out && test_grep "^ f | 1 [+]" out && seq 131073 >f && store add f && store commit -m 3 && store diff HEAD~ HEAD >out &&
	test_grep "over diff.lineLimit of 131072 lines" out
'

test_expect_success 'lines that are the same on both sides have no colour, nor what would end one' '
	store init plain && cd plain && seq 3 >f && store add f && store commit -m 1 && seq 4 >f &&
	store --color=always diff >out && test_grep "^ 3\$" out && test_grep "^.\[32m+4" out
'

test_expect_success 'control characters of content and names reach a pipe, and no terminal' '
	store init harm && cd harm && printf "\033[31mred\n" >"$(printf "a\033b")" && store add -A && store commit -m 1 &&
	printf "\033[32mgreen\n" >"$(printf "a\033b")" && store diff >out && grep -F "$(printf "+\033[32mgreen")" out &&
	test_grep "a/a.033b" out &&
	python3 -c "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn([\"store\", \"--no-pager\", \"--color=never\", \"diff\"])))" >shown &&
	test_grep ! "$(printf "\033")" shown && test_grep -F "+\\033[32mgreen" shown
'

test_expect_success 'without libgit2 texts are refused by the name of what is missing, and binary content is shown' '
	cd repo && printf changed >text &&
	test_expect_code 2 env STORE_FAULT=patch.git2:1:EIO store diff text 2>err && test_grep "libgit2" err &&
	printf "\0001" >binary && STORE_FAULT=patch.git2:1:EIO store diff binary >out && test_grep "^Binary " out
'

test_expect_success 'status and diff without changes do not load libgit2' '
	store init quiet && cd quiet && echo x >f && store add f && store commit -m 1 &&
	strace -e trace=openat -o calls store status && test_grep ! libgit2 calls &&
	strace -e trace=openat -o calls store diff && test_grep ! libgit2 calls && echo y >f &&
	strace -e trace=openat -o calls store diff && test_grep libgit2 calls
'

test_done
