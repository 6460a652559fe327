#!/bin/sh
# Every command that starts threads, with one, two and seven of them: the same roots, trees and words, also while others run
# beside it.  Small enough for the thread sanitizer (t/tsan.list), which is what looks for races here.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# grow DIR SEED: many small files, equal ones among them, and large ones, one with holes.
grow()
{
	mkdir -p "$1/many" "$1/deep/er/still" "$1/empty" &&
		python3 - "$1" "$2" <<-\EOT
			import os, random, sys
			top, rng = sys.argv[1], random.Random(sys.argv[2])
			for n in range(400):
			    with open("%s/many/%03d" % (top, n), "wb") as f:
			        f.write(b"equal" * 100 if n % 5 == 0 else rng.randbytes(rng.randrange(3000)))
			for name, size in ("large", 3 << 20), ("deep/er/middle", 400000):
			    with open(os.path.join(top, name), "wb") as f:
			        f.write(rng.randbytes(size))
			with open(os.path.join(top, "deep/holes"), "wb") as f:
			    f.write(b"front")
			    f.seek(9 << 20)
			    f.write(b"end")
		EOT
	ln -s ../large "$1/deep/er/still/link"
}
# edited DIR: some of it changed, some gone, some new.
edited()
{
	rm -r "$1/many/1"* "$1/empty" && random_bytes 9 700000 >>"$1/large" && echo new >"$1/many/new" && mkdir "$1/other" &&
		cp "$1/large" "$1/other/copy"
}

test_expect_success 'setup: two trees' '
	grow one 1 && cp -a one two && edited two
'

for threads in 1 2 7; do
	test_expect_success "with $threads threads: add, commit, status, fsck, checkout and the way back" '
		rm -rf r && cp -a one r && store init -q --chunk-average 1024 r &&
		store -C r --threads '$threads' add . 2>err && test_grep "404 added.*; 404 files" err &&
		store -C r --threads '$threads' status --porcelain >out && test_grep ! "^??" out &&
		store -C r --threads '$threads' commit -q -m one && store -C r root >root1-'$threads' &&
		edited r && store -C r --threads '$threads' status >out && test_grep large out &&
		store -C r --threads '$threads' add -A && store -C r --threads '$threads' commit -q -m two &&
		store -C r root >root2-'$threads' &&
		diff -r --no-dereference -x .store two r &&
		store -C r --threads '$threads' fsck &&
		store -C r --threads '$threads' checkout -q HEAD~1 && diff -r --no-dereference -x .store one r &&
		store -C r --threads '$threads' checkout -q main && diff -r --no-dereference -x .store two r &&
		rm -rf to && store -C r --threads '$threads' checkout -q --to "$PWD/to" HEAD~1 && diff -r --no-dereference one to &&
		store -C r --threads '$threads' cat large >got && cmp two/large got &&
		store -C r --threads '$threads' status --porcelain >got && test_must_be_empty got &&
		rm -r r/.store/db && store -C r --threads '$threads' fsck --rebuild && store -C r root >got &&
		test_cmp root2-'$threads' got &&
		test_cmp root1-1 root1-'$threads' && test_cmp root2-1 root2-'$threads'
	'
done

test_expect_success 'seven workers are started where seven are asked for, and none for one thread' '
	for threads in 1 7; do
		rm -rf r && cp -a one r && store init -q --chunk-average 1024 r &&
		strace -f -o trace -e trace=clone,clone3 store -C r --threads $threads add -q . &&
		awk "/CLONE_THREAD/ { n++ } END { print n + 0 }" trace >count-$threads || return 1
	done &&
	echo 0 >want && test_cmp want count-1 && test "$(cat count-7)" -ge 8
'

# The readers end when the file `go` does.
test_expect_success 'readers beside an add and a commit of seven threads see whole revisions' '
	rm -rf r && cp -a one r && store init -q --chunk-average 1024 r && store -C r add -q . && store -C r commit -q -m one &&
	store -C r root >root1 &&
	first=$(store -C r log | sed -n "s/^commit //p") && edited r && : >go && : >told && pids= &&
	for n in 1 2 3; do
		(
			while [ -e go ]; do
				store -C r --threads 2 root >root.$n 2>>told && { cmp -s root1 root.$n || cmp -s root2-1 root.$n; } || echo "root" >>told
				store -C r --threads 2 cat "$first:large" 2>>told | cmp -s - one/large || echo "cat" >>told
				store -C r --threads 2 fsck >fsck.$n 2>&1 || cat fsck.$n >>told
				store -C r --threads 2 status >status.$n 2>&1 || cat status.$n >>told
			done
		) &
		pids="$pids $!"
	done &&
	store -C r --threads 7 add -q -A && store -C r --threads 7 commit -q -m two && store -C r root >root2 &&
	rm go && for pid in $pids; do wait "$pid"; done &&
	test_must_be_empty told && test_cmp root2-1 root2
'

test_expect_success 'one error ends all threads, and is told once' '
	rm -rf r && cp -a one r && store init -q --chunk-average 1024 r &&
	STORE_FAULT=pack.write:2:EIO test_expect_code 2 timeout 60 store -C r --threads 7 add -q . 2>err && test_line_count -eq 1 err &&
	store -C r --threads 7 add -q . && store -C r commit -q -m one && rm -rf to &&
	STORE_FAULT=checkout.write:3:EIO test_must_fail timeout 60 store -C r --threads 7 checkout -q --to "$PWD/to" 2>err &&
	test_grep -i "input/output" err && store -C r fsck
'

test_done
