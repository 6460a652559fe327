#!/bin/sh
# Checkout loses nothing: what would be lost is named, and then nothing at all is written.
. "$(dirname "$0")/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# state: everything that a refused checkout must leave as it is: refs and their history, stage, names, times and content.
state()
{
	store status --porcelain --ignored &&
		find .store/refs.log . -path ./.store -prune -o -printf '%p %y %m %s %T@ %i\n' -type f -exec cat {} +
}

# refused TEXT COMMAND...: exit 2, TEXT in the message, and nothing has changed.
refused()
{
	text=$1 && shift && state >../before && test_expect_code 2 "$@" 2>../err && test_grep "$text" ../err &&
		state >../after && test_cmp ../before ../after
}

reset_tree()
{
	store checkout -f main && find . -path ./.store -prune -o -name "u*" -prune -exec rm -rf {} +
}

test_expect_success 'two revisions' '
	mkdir r && cd r && store init . && echo 1 >f && echo 1 >same && mkdir d && echo 1 >d/in && echo 1 >to-dir &&
	mkdir to-file && echo 1 >to-file/in && echo 1 >gone && mkdir gone-dir && echo 1 >gone-dir/in && store add -A && store commit -m one &&
	echo 2 >f && rm to-dir && mkdir to-dir && echo 2 >to-dir/in && rm -r to-file gone gone-dir && echo 2 >to-file &&
	echo 2 >new && mkdir new-dir && echo 2 >new-dir/in && store add -A && store commit -m two
'

test_expect_success 'a tracked file with content that is not staged is not overwritten' '
	cd r && echo mine >f && refused "f.: has changes that are not staged" store checkout HEAD~1 && reset_tree
'

test_expect_success 'a path where a revision is expected is refused with the way to restore it' '
	cd r && echo mine >f && refused "store restore PATH" store checkout f && refused "store restore PATH" store checkout -- f && reset_tree
'

test_expect_success 'nor deleted' '
	cd r && echo mine >new-dir/in && refused "new-dir/in" store checkout HEAD~1 && reset_tree
'

test_expect_success 'staged content that is not committed is not lost' '
	cd r && echo mine >f && store add f && refused "f.: has staged changes" store checkout HEAD~1 && reset_tree
'

test_expect_success 'a file that is not tracked is not overwritten' '
	cd r && echo mine >gone && refused "gone.: is not tracked" store checkout HEAD~1 && rm gone
'

test_expect_success 'nor one that is ignored and lies in a directory of its own' '
	cd r && mkdir gone-dir && echo mine >gone-dir/in && refused "gone-dir/in.: is not tracked" store checkout HEAD~1 && rm -r gone-dir
'

test_expect_success 'a file that is not tracked in place of a directory stays' '
	cd r && echo mine >gone-dir && refused "gone-dir.: is not tracked" store checkout HEAD~1 && rm gone-dir
'

test_expect_success 'a directory with files that are not tracked does not give way to a file, not even with -f' '
	cd r && echo mine >to-dir/u && refused "not tracked" store checkout HEAD~1 && refused "not tracked" store checkout -f HEAD~1 && rm to-dir/u &&
	mkdir -p to-dir/ud/deep && refused "not tracked" store checkout -f HEAD~1 && rm -r to-dir/ud
'

test_expect_success 'a link in place of a tracked directory is not followed and not lost' '
	cd r && mv d ../elsewhere && ln -s ../elsewhere d && echo more >>../elsewhere/in && store checkout HEAD~1 && test -L d &&
	store checkout main && test -L d && mv to-dir ../other && ln -s ../other to-dir && cp ../other/in ../in &&
	refused "to-dir" store checkout HEAD~1 && cmp ../in ../other/in && store checkout -f HEAD~1 && test -f to-dir && cmp ../in ../other/in &&
	test ! -L d && rm -r ../elsewhere ../other && reset_tree
'

test_expect_success 'a FIFO in the way is named and never opened' '
	cd r && mkfifo gone && test_expect_code 2 timeout 20 store checkout HEAD~1 2>../err &&
	test_grep "gone" ../err && test -p gone && rm gone
'

# A repository `over`: on main a directory d with the files a and sub and a file below e, on side a file d.
test_expect_success 'a directory on one branch, a file of that name on the other' '
	mkdir over && cd over && store init . && mkdir -p d/e && echo 1 >d/a && echo 1 >d/sub && echo 1 >d/e/in && echo 1 >z && store add -A &&
	store commit -m main && store checkout -b side && rm -r d && echo 2 >d && store add -A && store commit -m side && store checkout main
'

test_expect_success 'what is staged below a directory that is gone from disk is not buried under a file' '
	cd over && echo mine >d/a && echo mine >d/new && store add d && rm -r d && refused "d.: holds staged files" store checkout side &&
	store checkout -f main && echo mine >d/e/in && store add d && rm -r d && refused "d/e/in.: has staged changes" store checkout side &&
	store checkout -f main && echo mine >d/new && store add d && rm -r d && refused "d.: holds staged files" store checkout side &&
	echo 2 >d && refused "d.: holds staged files" store checkout side && store checkout -f main && rm -r d && store checkout side &&
	store status --porcelain >../out && test_must_be_empty ../out && store checkout main && test_grep 1 d/e/in && rm -r d && echo 2 >d &&
	store checkout side && store status --porcelain >../out && test_must_be_empty ../out && store checkout main && store status --porcelain >../out &&
	test_must_be_empty ../out && rm -r d && echo mine >d && refused "d.: has changes" store checkout side && store checkout -f side &&
	test_grep 2 d && store checkout main && store fsck
'

test_expect_success 'what keeps a directory from giving way is found before anything in it is deleted, with -f, too' '
	cd over && store checkout -f main && rm d/sub && mkdir d/sub && echo mine >d/sub/mine && refused "d/sub.: is a directory" store checkout side &&
	refused "d/sub.: is a directory" store checkout -f side && rm -r d/sub && store checkout -f main && store init d &&
	refused "d.: is a directory with a repository" store checkout side && refused "d.: is a directory with a repository" store checkout -f side &&
	rm -r d/.store && store init d/e && refused "d/e.: is a directory with a repo" store checkout side && rm -r d/e/.store &&
	: >d/e/.store-tmp-to && refused "d/e.: is a directory with an unf" store checkout side && rm -r d/e && echo mine >d/e &&
	refused "d/e.: has changes" store checkout side && store checkout -f side && test_grep 2 d && store checkout main && test_grep 1 d/e/in
'

test_expect_success 'an empty directory that is not tracked does not give way to a file, but with -f' '
	cd over && store checkout -f main && rm -r d && store add d && mkdir d && refused "d.: is not tracked" store checkout side -- d &&
	store checkout -f side -- d && test_grep 2 d && store checkout -f main && rm z && mkdir z && refused "z.: has changes" store checkout HEAD -- z &&
	store checkout -f HEAD -- z && test -f z
'

test_expect_success 'paths that are named twice or lie below one another are one' '
	cd over && store checkout -f main && rm -r d && store checkout HEAD -- d d/a d/e/in d/e d/a && test_grep 1 d/e/in && rm d/a &&
	store checkout HEAD -- d/a d/a && test_grep 1 d/a && store checkout side -- z d d && test_grep 2 d && refused "has staged changes" store checkout main -- d/e/in d d/e && store checkout -f main -- d/e/in d d/e &&
	store status --porcelain >../out && test_must_be_empty ../out && store checkout --to ../over-to main -- d/a d z d/e d && diff -r -x .store . ../over-to &&
	refused "d/none" store checkout side~1 -- d d/none && test_expect_code 2 store checkout --to ../over-none main -- d d/none && test ! -e ../over-none
'

test_expect_success 'directories that are recorded without the right to write are filled again by -f, and by the command that was interrupted' '
	mkdir ro && cd ro && store init . && mkdir -p d/e && echo 1 >d/e/f && echo 1 >g && chmod 555 d/e d . && store add -A && store commit -m one &&
	mkdir ../ro-to && test_give_to_user . && test_give_to_user ../ro-to && test_as_user store checkout --to ../ro-to/a &&
	test_as_user store checkout -f --to ../ro-to/a && { test_as_user env STORE_FAULT=checkout.mid:1:kill store checkout --to ../ro-to/b || :; } &&
	cp -p ../ro-to/b/.store-tmp-to ../ro-to/a && rm ../ro-to/a/g && test_as_user store checkout --to ../ro-to/a && diff -r -x .store . ../ro-to/a &&
	find ../ro-to/a -type d -printf "%m\n" | sort -u >../out && echo 555 | test_cmp - ../out && test ! -e ../ro-to/a/.store-tmp-to
'

test_expect_success 'a named path brings the recorded attributes of the directories above it' '
	mkdir above && cd above && store init . && mkdir -p d/e && echo 1 >d/e/f && echo 1 >d/e/g && cp -a d ../above-d && chmod 700 d/e && chmod 750 d && store add -A && store commit -m one &&
	rm -r d && echo 2 >x && store add -A && store commit -m two && cp -a ../above-d d &&
	store checkout main~1 -- d/e/f d/e/g && store status --porcelain >../out && printf "A  d/e/f\nA  d/e/g\n" | test_cmp - ../out && store commit -m three &&
	store checkout --to ../above-to && stat -c %a ../above-to/d ../above-to/d/e >../out && printf "750\n700\n" | test_cmp - ../out
'

# stopped POINT COMMAND...: runs in the background until it has come to that point.  ended: lets it end, with its exit code.
stopped()
{
	point=$1 && shift && rm -f ../fired && { STORE_FAULT=$point:1:stop STORE_FAULT_LOG=$PWD/../fired "$@" 2>../err & pid=$!; } &&
		wait_for ../fired && until grep -q "^State:.T" /proc/"$pid"/status; do sleep 0.01; done
}

ended()
{
	kill -CONT "$pid" && wait "$pid"
}

test_expect_success 'what is changed after the plan was made is neither overwritten nor deleted, not with -f either' '
	for flag in -q -f
	do
		for path in f new
		do
			cd "$TRASH/r" && store checkout -f main && rm -f u1 && stopped checkout.mid store checkout $flag HEAD~1 &&
				echo mine >$path && test_expect_code 2 ended && test_grep "$path. was changed while" ../err && test_grep mine $path &&
				store log --oneline -n 1 >../out && test_grep " two$" ../out && test_expect_code 2 store checkout HEAD~1 &&
				store checkout -f HEAD~1 && store checkout main || return 1
		done
	done
'

test_expect_success 'files that are one file under two names are replaced and deleted' '
	mkdir twin && cd twin && store init . && echo 1 >a && ln a b && store add -A && store commit -m one && echo 2 >a && echo 3 >c && ln c d &&
	store add -A && store commit -m two && store checkout HEAD~1 && ln -f a b && store checkout main && test_grep 2 b && ln -f c d && store checkout HEAD~1 &&
	test_grep 1 b && test ! -e d
'

test_expect_success 'one that comes late into a folder that another has filled meanwhile leaves it alone' '
	mkdir late && cd late && store init . && echo 1 >a && store add -A && store commit -m one && mkdir ../late-to &&
	stopped checkout.mark store checkout --to ../late-to && store checkout --to ../late-to && test_expect_code 2 ended &&
	test_grep "not empty" ../err && test ! -e ../late-to/.store-tmp-to && diff -r -x .store . ../late-to
'

test_expect_success 'the first ten are named and the rest are counted' '
	mkdir many && cd many && store init . && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo 1 >f$i || return 1; done && store add -A &&
	store commit -m one && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo 2 >f$i || return 1; done && store add -A && store commit -m two &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo mine >f$i || return 1; done &&
	test_expect_code 2 store checkout HEAD~1 2>../err && test "$(grep -c "would be lost" ../err)" = 10 && test_grep "15 paths" ../err
'

test_expect_success 'equal content is no conflict, whether tracked, staged or not tracked' '
	cd r && echo 1 >f && echo 1 >gone && mkdir gone-dir && echo 1 >gone-dir/in && store add f && store checkout HEAD~1 &&
	store status --porcelain >../out && test_must_be_empty ../out && reset_tree
'

test_expect_success 'a change in a file that both revisions share is carried over' '
	cd r && echo mine >same && store checkout HEAD~1 && test_grep mine same && store checkout main && test_grep mine same && reset_tree
'

test_expect_success 'other permission bits are no content that would be lost' '
	cd r && chmod 600 f && store checkout HEAD~1 && test_grep 1 f && reset_tree
'

test_expect_success 'a file that was deleted by hand comes back' '
	cd r && rm f && store checkout HEAD~1 && test_grep 1 f && reset_tree
'

test_expect_success 'files that are not tracked hold their directory' '
	cd r && echo mine >new-dir/u && store checkout HEAD~1 && test_grep mine new-dir/u && test ! -e new-dir/in && reset_tree
'

test_expect_success '-f overwrites changes, staged ones too, and what is not tracked and in the way' '
	cd r && echo mine >f && store add f && echo mine >gone && echo mine >gone-dir && echo mine >u && echo staged >added && store add added &&
	store checkout -f HEAD~1 && test_grep 1 f && test_grep 1 gone && test_grep 1 gone-dir/in && test_grep mine u && test ! -e added &&
	store status --porcelain -uno >../out && test_must_be_empty ../out && reset_tree
'

test_expect_success 'paths are checked likewise, all before the first is written' '
	cd r && echo mine >same && refused "same" store checkout HEAD~1 -- f same && refused "no-such" store checkout HEAD~1 -- f no-such &&
	store checkout -f HEAD~1 -- same && test_grep 1 same && reset_tree
'

test_expect_success 'an unknown revision is named, and nothing happens' '
	cd r && refused "no-such-branch" store checkout no-such-branch
'

# Where the fault fires the disk has 1 MiB left.
test_expect_success 'a tree that cannot fit is refused before the first write' '
	mkdir big && cd big && store init . && echo x >x && truncate -s 1G sparse && store add -A && store commit -m one &&
	head -c 6000000 /dev/urandom >b && store add -A && store commit -m two &&
	test_expect_code 2 env STORE_FAULT=checkout.space:1:ENOSPC store checkout --to ../big-to HEAD 2>../err && test_grep "no room" ../err &&
	test ! -e ../big-to && STORE_FAULT=checkout.space:1:ENOSPC store checkout --to ../big-to HEAD~1 && test_cmp x ../big-to/x &&
	store checkout HEAD~1 && test_expect_code 2 env STORE_FAULT=checkout.space:1:ENOSPC store checkout main 2>../err &&
	test_grep "no room" ../err && test ! -e b && STORE_FAULT=checkout.space:1:ENOSPC store checkout HEAD && store checkout main && test -f b
'

test_expect_success 'a file that is replaced needs room beside the old one, and many need it one after another' '
	cd big && head -c 6000000 /dev/urandom >b && store add b && store commit -m three &&
	test_expect_code 2 env STORE_FAULT=checkout.space:1:ENOSPC store checkout HEAD~1 2>../err && test_grep "no room" ../err &&
	mkdir m && for i in 1 2 3 4 5 6 7 8; do head -c 500000 /dev/urandom >m/$i || return 1; done && store add m && store commit -m four &&
	for i in 1 2 3 4 5 6 7 8; do head -c 500000 /dev/urandom >m/$i || return 1; done && store add m && store commit -m five &&
	STORE_FAULT=checkout.space:1:ENOSPC store checkout HEAD~1 && store checkout main
'

test_expect_success 'room that comes free is what the files take on disk, and those that go at the end free none' '
	cd big && truncate -s 6000000 m/1 && store add m && store commit -m six && mkdir n && head -c 6000000 /dev/urandom >n/b && rm b &&
	store add -A && store commit -m seven && test_expect_code 2 env STORE_FAULT=checkout.space:1:ENOSPC store checkout HEAD~1 2>../err &&
	test_grep "no room" ../err && head -c 6000000 /dev/urandom >m/1 && store add -A && store commit -m eight && store checkout -q HEAD~1 &&
	test_expect_code 2 env STORE_FAULT=checkout.space:1:ENOSPC store checkout main 2>../err && test_grep "no room" ../err
'

test_expect_success 'a branch with a commit of its own comes and goes' '
	cd r && store checkout main && store checkout -b race && echo r >r1 && store add r1 && store commit -m race && store checkout main &&
	store checkout race && test -f r1 && store checkout main && test ! -e r1
'

test_expect_success 'a file that cannot be replaced is named, HEAD stays, and later it goes on' '
	mkdir perm && cd perm && store init . && mkdir d && echo 1 >d/f && store add -A && store commit -m one && echo 2 >d/f &&
	store add -A && store commit -m two && chmod 555 d && test_give_to_user . &&
	test_expect_code 2 test_as_user store checkout HEAD~1 2>../err && test_grep "d/f.: Permission denied" ../err &&
	test_as_user store log --oneline -n 1 >../out && test_grep " two$" ../out && test_grep 2 d/f &&
	chmod 755 d && test_as_user store checkout HEAD~1 && test_grep 1 d/f
'

test_done
