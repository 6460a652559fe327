#!/bin/sh
# switch: onto another branch, with checkout's guarantees, and never off all branches by accident.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/refs-lib.sh"

test_expect_success 'before the first commit -c and -C name the branch that the first commit makes' '
	store init -q empty && cd empty && store switch -c first && prints first -- branch --show-current && store switch -C second &&
	prints second -- branch --show-current && commits one && prints "* second" -- branch
'

test_expect_success 'setup: two branches that differ in a file' '
	store init -q repo && cd repo && echo same >same && store add same && commits one && store branch side && commits two && store tag v1 HEAD~1
'

test_expect_success 'it goes onto a branch with its files, and back with -, and one publication moves HEAD' '
	cd repo && n=$(records) && store switch side 2>../err && test_grep "on branch .side.: 1 written" ../err && test "$(records)" = $((n + 1)) && echo one | test_cmp - f &&
	prints side -- branch --show-current && store switch -q - && echo two | test_cmp - f && store switch -q @{-1} && store switch -q main &&
	prints main -- branch --show-current && store --json switch side >../out && test_grep "^{\"schema\":\"store/switch/1\",.*\"branch\":\"side\"" ../out && store switch -q main
'

test_expect_success 'a commit, a tag, HEAD and a revision are refused with the way to detach; what is unknown with the way to make it' '
	cd repo && for rev in HEAD HEAD~1 v1 "$(store log --oneline -n 1 | cut -c1-12)" side~0; do
		refuses 2 "a branch is expected, and '\''$rev'\'' is a commit; --detach" switch "$rev" && prints main -- branch --show-current || return 1
	done && refuses 2 "no branch '\''sied'\''; the nearest is '\''side'\''; '\''store switch -c sied'\'' makes it" switch sied &&
	refuses 2 "no branch '\''far/away'\''; '\''store switch -c far/away'\'' makes it" switch far/away &&
	refuses 2 "no branch '\''dead'\''; '\''store switch -c dead'\'' makes it" switch dead &&
	refuses 2 "unknown revision '\''nope'\''" switch nope~1 && refuses 2 "unknown revision '\''nope'\''" switch --detach nope &&
	refuses 2 "unknown revision '\''nope'\''" checkout nope
'

test_expect_success '--detach takes any revision, and HEAD by default; - then comes back, and not the other way' '
	cd repo && store switch -d v1 2>../err && test_grep "HEAD is now detached at" ../err && prints -- branch --show-current && echo one | test_cmp - f &&
	store switch -q - && prints main -- branch --show-current && refuses 2 "a branch is expected" switch - && store switch -q --detach side &&
	store switch -q --detach && at one HEAD && store switch -q main
'

test_expect_success '-c makes a branch at a revision and goes there, in one publication; one that is there is refused' '
	cd repo && n=$(records) && store switch -c new HEAD~1 2>../err && test_grep "on the new branch .new." ../err && test "$(records)" = $((n + 1)) && at one HEAD &&
	prints new -- branch --show-current && echo one | test_cmp - f && refuses 2 "a branch '\''side'\'' exists already" switch -c side &&
	refuses 2 "unknown revision" switch -c other nope && refuses 2 "it holds '\''..'\''" switch -c a..b && store switch -q main && store branch -d new
'

test_expect_success '-C moves a branch that is there, the current one too, and its log says from where' '
	cd repo && store switch -C side 2>../err && test_grep "on branch .side." ../err && at two side && at one side@{1} && store switch -q -C side HEAD~1 &&
	prints side -- branch --show-current && at one HEAD && echo one | test_cmp - f && at two HEAD@{1} && store status --porcelain >../out && test_must_be_empty ../out &&
	store switch -q -C main main && at two main && store switch -q -C fresh && prints fresh -- branch --show-current && store switch -q main &&
	store branch -d fresh && store fsck -q
'

test_expect_success 'what would lose content is refused, and named, with -f it is overwritten; the rest is taken along' '
	cd repo && echo mine >f && refuses_all() {
		cp .store/refs.log ../log && test_expect_code 2 store switch "$@" 2>../err && test_grep "f" ../err && echo mine | test_cmp - f &&
		cmp .store/refs.log ../log && prints main -- branch --show-current
	} && refuses_all side && refuses_all -c new HEAD~1 && refuses_all -C side HEAD~1 && refuses_all --detach HEAD~1 && store switch -q -c here && prints here -- branch --show-current &&
	echo mine | test_cmp - f && store switch -q main && store branch -d here && echo kept >same && store switch -q -f side && echo one | test_cmp - f &&
	store switch -q main && echo staged >same && store add -q same && store switch -q side && store status --porcelain >../out && test_grep "^M  same\$" ../out &&
	store switch -q main && store switch -q -f main
'

for point in refslog.write env.commit env.committed; do
	test_expect_success "killed at $point, -C has moved branch and HEAD or neither, and the same command finishes it" '
		rm -rf cut && cp -a repo cut && cd cut && { (STORE_FAULT='$point':1:kill && export STORE_FAULT && exec store switch -q -C side HEAD~1) ; :; } &&
		case $(store branch --show-current) in side) at one HEAD ;; main) at two HEAD ;; *) false ;; esac && store fsck -q &&
		store switch -q -C side v1 && prints side -- branch --show-current && at one side && echo one | test_cmp - f && store fsck -q
	'
done

test_expect_success 'a branch that another moves meanwhile is not put back: -C is told, and the same command does it' '
	cd repo && python3 - <<-\EOF && at two side && prints main -- branch --show-current && store switch -q -C side v1 && at one side && store fsck -q
	import os, signal, subprocess, time
	first = subprocess.Popen(["store", "switch", "-C", "side", "v1"], stderr=subprocess.PIPE, text=True, env={**os.environ, "STORE_FAULT": "checkout.rename:1:stop"})
	def state():
	    return open("/proc/%d/stat" % first.pid).read().rsplit(") ", 1)[1][0]
	while state() != "T":
	    assert first.poll() is None
	    time.sleep(0.01)
	subprocess.run(["store", "-q", "branch", "-f", "side", "main"], check=True)
	os.kill(first.pid, signal.SIGCONT)
	said = first.communicate(timeout=60)[1]
	assert first.returncode == 5 and "was moved by another command meanwhile" in said, (first.returncode, said)
	EOF
'

test_done
