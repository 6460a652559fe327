#!/bin/sh
# reset, restore, rm and mv do what they say; beside git they are in t4905 and t4906.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# A repository r of two commits, one and two.
test_expect_success 'setup: two commits' '
	mkdir r && cd r && store init -q . && echo 1 >f && mkdir -p d/e && echo 1 >d/in && echo 1 >d/e/deep && store add -A -q &&
	store commit -q -m one && echo 2 >f && echo 2 >new && rm d/in && store add -A -q && store commit -q -m two && cd .. && cp -a r keep
'

again()
{
	cd .. && rm -rf r && cp -a keep r && cd r || return 1
}

test_expect_success 'a soft reset moves the branch alone, a mixed one the stage, a hard one the files' '
	cd r && store reset --soft HEAD~1 && store status --porcelain >got && printf "D  d/in\nM  f\nA  new\n" >want && grep -v "^??" got | test_cmp want - &&
	rm got want && again && store reset HEAD~1 >../got && printf "Unstaged changes after reset:\nD\td/in\nM\tf\n" | test_cmp - ../got && cat f >../got &&
	echo 2 | test_cmp - ../got && again && store reset --hard HEAD~1 >../got && test_grep "^HEAD is now at [0-9a-f]* one\$" ../got &&
	test ! -e new && test -e d/in && store status --porcelain >../got && test_must_be_empty ../got
'

test_expect_success 'every move is in the log of the branch, and ORIG_HEAD leads back' '
	cd r && again && store log --oneline >../before && store reset -q --hard HEAD~1 && store reset -q --hard ORIG_HEAD && store log --oneline >../got &&
	test_cmp ../before ../got && store reset -q --hard HEAD~1 && store reset -q --hard "HEAD@{1}" && store log --oneline >../got && test_cmp ../before ../got &&
	grep -a "^why reset: moving to HEAD~1" .store/refs.log
'

test_expect_success 'a reset of paths moves no ref and takes unstaged what the revision lacks' '
	cd r && again && store root >../before && store reset -q HEAD~1 -- new d && store root >../got && test_cmp ../before ../got &&
	store status --porcelain >../got && test_grep "^D  new\$" ../got && test_grep "^AD d/in\$" ../got && test -e new &&
	test_expect_code 2 store reset HEAD -- nothing 2>../err && test_grep "nothing" ../err && test_expect_code 2 store reset nothing 2>../err &&
	test_grep "neither a revision nor a path" ../err
'

test_expect_success 'before the first commit a path is unstaged, and so is all' '
	mkdir first && cd first && store init -q . && echo 1 >a && echo 1 >b && store add -q . && store reset -q a && store status --porcelain >got &&
	test_grep "^A  b" got && test_grep "^?? a" got && store reset -q && store status --porcelain >got && test_grep "^?? b" got && store restore --staged . &&
	test_expect_code 2 store restore --staged --worktree . && test -e a
'

test_expect_success 'a name that is a revision and a file is refused, and -- tells' '
	cd r && again && echo x >main && test_expect_code 2 store reset main 2>../err && test_grep "a revision and a path" ../err && store reset -q main --
'

test_expect_success 'what a hard or soft reset cannot be given is told: an unknown revision, or a path and what takes one' '
	cd r && again && for mode in hard soft; do
		test_expect_code 2 store reset --$mode nope 2>../err && test_grep "unknown revision .nope.; .store log. and .store branch. list" ../err || return 1
		test_expect_code 2 store reset --$mode mian 2>../err && test_grep "unknown revision .mian.; the nearest is .main." ../err || return 1
	done && test_expect_code 2 store reset --hard f 2>../err && test_grep "hard takes no paths; .store restore --staged --worktree PATH." ../err &&
	test_expect_code 2 store reset --hard -- nope 2>../err && test_grep "hard takes no paths" ../err &&
	test_expect_code 2 store reset --soft f 2>../err && test_grep "soft takes no paths; .store reset PATH. unstages" ../err && test "$(store status --porcelain)" = ""
'

test_expect_success 'what restore does not bring from the stage it brings from a revision, and what that lacks goes' '
	cd r && again && store restore -s HEAD~1 . && test ! -e new && test -e d/in && store status --porcelain >../got && test_grep "^ D new" ../got &&
	store restore . && test -e new && store restore --source HEAD~1 --staged --worktree . && store root >../x && store commit -q -m three &&
	store root | cut -d" " -f1 >../got && store root HEAD~2 | cut -d" " -f1 | test_cmp - ../got
'

test_expect_success 'a path that is not tracked is named, and nothing is done' '
	cd r && again && echo x >f && test_expect_code 2 store restore f nothing 2>../err && test_grep "nothing" ../err && echo x | test_cmp - f &&
	test_expect_code 2 store rm -f f nothing 2>../err && test -e f && store rm -q -f --ignore-unmatch f nothing && test ! -e f
'

test_expect_success 'rm takes along the directories that it empties, on disk and in the stage' '
	cd r && again && store rm d/e/deep >../got && echo "rm d/e/deep" | test_cmp - ../got && test ! -e d && store ls -r : >../got &&
	test_grep ! "^d" ../got && again && echo u >d/untracked && store rm -q d/e/deep && test -e d/untracked && test ! -e d/e && store ls -r : >../got &&
	test_grep ! "^d" ../got
'

test_expect_success 'rm of the whole tree leaves an empty one, without -r it is refused' '
	cd r && again && test_expect_code 2 store rm . 2>../err && test_grep "use -r" ../err && store rm -q -r . && store ls -r : >../got && test_must_be_empty ../got &&
	ls >../got && test_must_be_empty ../got
'

test_expect_success 'a path beyond a symbolic link is refused' '
	cd r && again && mv d ../elsewhere && ln -s ../elsewhere d && test_expect_code 2 store rm d/e/deep 2>../err && test_grep "symbolic link" ../err &&
	test -e ../elsewhere/e/deep && test_expect_code 2 store mv d/e/deep x 2>../err && test_grep "symbolic link" ../err &&
	test_expect_code 2 store mv f d/f 2>../err && test -e f && rm -r ../elsewhere
'

test_expect_success 'mv says what cannot be, and moves nothing then' '
	cd r && again && echo u >u && for line in "f f" "d d/e" "d d" "nothing x" "u x" "f new" "f nodir/x" "f .store" "f new d/x" "f f x" "f d d"; do
		test_expect_code 2 store mv $line 2>../err && test_line_count -eq 1 ../err || { echo "mv $line"; return 1; }
	done && store status --porcelain >../got && echo "?? u" | test_cmp - ../got && store mv -k u f d 2>../err && test -e d/f && test_grep "not tracked" ../err
'

test_expect_success 'a directory with a path that would be too long does not move, one level less does, and it can be committed' '
	mkdir long && cd long && store init -q . && python3 -c "
import os
for top in \"new\", \"old\":
    os.makedirs(top)
    here = os.open(top, os.O_DIRECTORY)
    for _ in range(15):
        os.mkdir(\"x\" * 255, dir_fd=here)
        here = os.open(\"x\" * 255, os.O_DIRECTORY, dir_fd=here)
    os.close(os.open(\"f\", os.O_CREAT | os.O_WRONLY, dir_fd=here))" && store add -q old && store commit -q -m one && store add -q new && y=$(printf "%0250d" 0) &&
	mkdir -p a/$y && for d in old new; do
		test_expect_code 2 store mv $d a/$y/ 2>err && test_grep "too long a name for what is in it" err && test -e $d && store mv $d a/ || return 1
	done && store commit -q -m two && store -q fsck && store mv a/old old && store mv a/new $y && store commit -q -m three && store -q fsck
'

# What has such a name is not listed, and a temporary is removed by whoever meets it.
test_expect_success 'nothing gets the name of a temporary of a checkout' '
	cd r && again && test_expect_code 2 store mv f .store-tmp-$(printf "%032d" 0)-0 2>../err && test_grep "no tree may hold" ../err &&
	test_expect_code 2 store mv f .store-tmp-to && mkdir .store-tmp-to && test_expect_code 2 store mv f .store-tmp-to && test -e f
'

if test_have_prereq ROOT && mkdir seen once && unshare -m mount --bind once seen 2>/dev/null; then
	test_set_prereq BIND
fi
# As on a file system where two names differ in case alone.
test_expect_success BIND 'a file of one name that is seen under two is not removed for the other' '
	cd r && again && mkdir twin && { unshare -m sh -c "mount --bind d twin && echo mine >d/in2 && store add -q d/in2 && store mv -f d/in2 twin/in2" || test $? -eq 2; } && test -e d/in2
'

test_expect_success 'what is changed and not staged stays so when it moves; what is clean stays clean' '
	cd r && again && echo more >>f && store mv f new d && store status --porcelain >../got && printf "%s\n" "AM d/f" "A  d/new" "D  f" "D  new" | test_cmp - ../got &&
	store ls -r : >../got && test_grep ! "^f\$" ../got && test_grep ! "^new\$" ../got
'

# Under the sanitizers a fifth of them: more names than one node and one batch hold, too.
many=${STORE_TEST_LIGHT:+20000} many=${many:-100000}
test_expect_success "a directory of $many files moves in one publication of less than 2 KB, without a new object" '
	mkdir big && cd big && store init -q . && python3 -c "
import os
os.mkdir(\"d\")
for i in range($many): os.close(os.open(f\"d/{i}\", os.O_CREAT))" && store add -q . && store commit -q -m one &&
	du -sb .store/packs | cut -f1 >before && ls .store/packs | wc -l >>before && store mv d e && ls .store/packs | wc -l >count && du -sb .store/packs | cut -f1 >after &&
	test $(($(cat after) - $(head -n 1 before))) -lt 2048 && test "$(cat count)" -eq $(($(tail -n 1 before) + 1)) && store ls : >got && test_grep "^e/*\$" got &&
	test_grep ! "^d/*\$" got && store --json --stats info >/dev/null && store -q fsck >/dev/null
'

test_expect_success 'a rebuild of the database keeps what rm, mv and reset staged' '
	cd r && again && store mv d D && store rm -q new && store reset -q HEAD~1 -- f && store ls -r : >../want && store status --porcelain >../wants && rm -r .store/db &&
	store fsck --rebuild >/dev/null && store ls -r : >../got && test_cmp ../want ../got && store status --porcelain >../got && test_cmp ../wants ../got &&
	store mv D d && store commit -q -m four && rm -r .store/db && store fsck --rebuild >/dev/null && store status --porcelain >../got && test_grep ! "^[ADM]" ../got &&
	"$SRC_ROOT/t/second-reader" .store verify >/dev/null
'

test_expect_success ROOT 'a repository of another user is not written to' '
	cp -a keep foreign && cd foreign && chown -R 1234:1235 . && for line in "reset -q" "restore f" "rm -f f" "mv f g"; do
		test_expect_code 2 store $line 2>../err && test_grep "safe.directory" ../err || return 1
	done && test -e f && test ! -e g
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

test_expect_success 'what is added while a reset runs stays: the reset is refused, and run again it does its work' '
	cd r && again && echo mine >f && stopped checkout.rename store reset -q --hard HEAD && echo 1 >added && store add -q added && test_expect_code 5 ended &&
	test_grep "run the reset again" ../err && test -e added && store status --porcelain >../got && test_grep "^A  added" ../got && store reset -q --hard HEAD &&
	echo 2 | test_cmp - f && store fsck >/dev/null
'

test_expect_success 'a branch that HEAD leaves while a reset runs is not moved' '
	cd r && again && stopped checkout.rename store reset -q --hard HEAD~1 && store checkout -q -b other && test_expect_code 5 ended &&
	test_grep "run the reset again" ../err && store log --oneline main >../got && test_line_count -eq 2 ../got &&
	store reset -q --hard HEAD~1 && store status --porcelain >../got && test_must_be_empty ../got
'

test_done
