#!/bin/sh
# Branches: made, moved, deleted, renamed and listed, by git's rules.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/refs-lib.sh"

test_expect_success 'before the first commit there is no branch to list, none can be made, and the current one can be renamed' '
	store init -q empty && cd empty && prints -- branch && prints main -- branch --show-current &&
	refuses 2 "branch '\''main'\'' has no commit yet" branch side && refuses 2 "HEAD is on it" branch -d main &&
	refuses 2 "which has no commit yet" branch main &&
	store branch -m trunk && prints trunk -- branch --show-current && store status >../out && test_grep "^On branch trunk\$" ../out &&
	commits one && prints "* trunk" -- branch && store fsck -q
'

test_expect_success 'setup: three commits' '
	store init -q repo && cd repo && commits one two three
'

test_expect_success 'a branch is made at HEAD or at a revision, in one publication, and HEAD stays' '
	cd repo && n=$(records) && store branch side 2>../err && test_grep "side. is at $(store log --oneline -n 1 | cut -c1-12)" ../err &&
	store branch old HEAD~2 && store branch deep/er/name old && test "$(records)" = $((n + 3)) &&
	at three side && at one old && at one deep/er/name && prints "  deep/er/name" "* main" "  old" "  side" -- branch &&
	store branch -q quiet 2>../err && test_must_be_empty ../err && store branch -D -q quiet
'

test_expect_success 'a branch that is there is refused, and moved by -f, unless HEAD is on it' '
	cd repo && refuses 2 "a branch '\''side'\'' exists already" branch side old && store branch -f side HEAD~1 && at two side &&
	refuses 2 "HEAD is on the branch '\''main'\''" branch -f main side && refuses 2 "a branch '\''main'\'' exists already" branch main &&
	n=$(records) && store branch -f side HEAD~1 && test "$(records)" = "$n"
'

test_expect_success 'no branch is a directory of another, for checkout -b, switch -c and -m neither, and then no file is written' '
	cd repo && for name in side/x deep deep/er deep/er/name/x; do
		refuses 2 "no ref is a directory of another" branch $name && refuses 2 "no ref is a directory" branch -m old $name &&
		refuses 2 "no ref is a directory" switch -c $name old && refuses 2 "no ref is a directory" checkout -b $name old &&
		echo three | test_cmp - f || return 1
	done && store branch -m side side/x && at two side/x && store branch -m side/x side && at two side &&
	store branch deepest && store branch deep.er && store branch dee && store branch -D deepest deep.er dee
'

test_expect_success 'unknown revisions and names that cannot be are refused in words' '
	cd repo && refuses 2 "unknown revision '\''maim'\''; the nearest is '\''main'\''" branch new maim &&
	refuses 2 "begins with '\''-'\''" branch -- -x && refuses 2 "would hide HEAD" branch HEAD && refuses 2 "it holds '\''..'\''" branch a..b &&
	refuses 2 "it has an empty part" branch ""
'

test_expect_success '-d deletes what HEAD goes back to, and several; the log and the message say where it was' '
	cd repo && store branch gone1 HEAD~1 && store branch gone2 && id=$(store log --oneline -n 1 gone1 | cut -c1-12) &&
	store branch -d gone1 gone2 2>../err && test_line_count -eq 2 ../err && test_grep "gone1. was at $id" ../err &&
	prints "  deep/er/name" "* main" "  old" "  side" -- branch && store reflog gone1 >../out && test_grep "^(deleted)  *gone1@{0}: branch: deleted\$" ../out &&
	test_grep "^$id gone1@{1}: branch: Created from HEAD~1\$" ../out && refuses 2 "there is no branch '\''gone1'\''" branch -d gone1
'

test_expect_success '-d refuses what is not merged, the current branch and what is not there; the others are deleted' '
	cd repo && store switch -q -c ahead && commits four && store switch -q main && store branch merged &&
	test_expect_code 2 store branch -d ahead nowhere merged main 2>../err && test_line_count -eq 4 ../err &&
	test_grep "deleted: the branch .merged." ../err && test_grep "there is no branch .nowhere." ../err && test_grep "main. cannot be deleted: HEAD is on it" ../err &&
	test_grep "ahead. is not merged: HEAD does not go back to its commit $(store log --oneline -n 1 ahead | cut -c1-12); -D" ../err &&
	at four ahead && store branch -D ahead && refuses 2 "there is no branch '\''ahead'\''" branch -D ahead && store branch tmp HEAD~1 &&
	store branch -d -f tmp
'

test_expect_success '-m takes the log along, and HEAD when it is on it; @{n} counts through' '
	cd repo && store switch -q -c work && commits five six && store branch -m work task && prints task -- branch --show-current &&
	at six task && at five task@{2} && at six task@{1} && at three task@{3} && at five HEAD@{2} && at six HEAD@{1} && at three HEAD@{3} &&
	refuses 2 "unknown revision '\''work'\''" log work && store reflog task | cut -d" " -f2- >../got && cat >../want <<-\EOT && test_cmp ../want ../got &&
	task@{0}: Branch: renamed work to task
	task@{1}: commit: six
	task@{2}: commit: five
	task@{3}: checkout: moving from main to work
	EOT
	store switch -q main && store branch -m task again && at five again@{3} && at three again@{4} && prints main -- branch --show-current &&
	test_expect_code 2 store log again@{6} 2>../err && test_grep "goes back 5 changes only" ../err && store branch -m again again &&
	refuses 2 "there is no branch '\''task'\''" branch -m task new
'

test_expect_success 'a new branch of the old name has a log of its own, and the past of the renamed one stays' '
	cd repo && store branch task old && at one task && at five again@{3} && store branch -m task third && at one third@{1} &&
	store reflog -n 3 third | sed "s/^[^ ]*  *//" >../got && printf "%s\n" "third@{0}: Branch: renamed task to third" "third@{1}: branch: Created from old" \
		"third@{2}: Branch: renamed task to again" >../want && test_cmp ../want ../got && store branch -D third
'

test_expect_success '-m refuses what is there, -M replaces it, unless HEAD is on it' '
	cd repo && refuses 2 "a branch '\''side'\'' exists already" branch -m again side && refuses 2 "HEAD is on it" branch -M again main &&
	store branch -M again side && at six side && at six side@{1} && at five side@{4} && refuses 2 "there is no branch '\''again'\''" branch -M again x &&
	store switch -q --detach && refuses 2 "HEAD is detached" branch -m new && store switch -q main && store fsck -q
'

test_expect_success '@{-1} and - find the branch under its new name' '
	cd repo && store switch -q side && store branch -m main trunk && store switch -q - && prints trunk -- branch --show-current &&
	store branch -m trunk main && store switch -q - && prints side -- branch --show-current && store switch -q main
'

test_expect_success 'the list marks the current branch, or tells of a detached HEAD; -v has id and subject; patterns; -z; --json' '
	cd repo && id=$(store log --oneline -n 1 | cut -c1-12) && store branch -v old HEAD~1 -f 2>/dev/null && store branch -v >../out 2>/dev/null &&
	test_grep -E "^[*] main +$id three\$" ../out && test_grep -E "^  old  +[0-9a-f]{12} two\$" ../out &&
	prints "  side" -- branch --list "s*" && prints "  deep/er/name" "  side" -- branch -l "d*e" "s?de" && prints -- branch --list nothing &&
	store switch -q --detach old && prints "* (HEAD detached at $(store log --oneline -n 1 | cut -c1-12))" "  deep/er/name" "  main" "  old" "  side" -- branch &&
	prints -- branch --show-current && store --json branch --show-current >../out && test_grep "\"name\":null" ../out && store switch -q - &&
	store branch -z | tr "\0" "\n" >../got && store branch | test_cmp - ../got && store --json branch | python3 -c "
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert [r[\"name\"] for r in rows] == [\"deep/er/name\", \"main\", \"old\", \"side\"]
assert [r[\"current\"] for r in rows] == [False, True, False, False]
assert all(list(r) == \"schema action name old_name commit old_commit current subject\".split() for r in rows)
assert [r[\"subject\"] for r in rows] == [\"one\", \"three\", \"two\", \"six\"]" &&
	store --json branch -m old older >../out && test_grep "\"action\":\"rename\",\"name\":\"older\",\"old_name\":\"old\"" ../out &&
	store --json branch -D older >../out && test_grep "\"action\":\"delete\",\"name\":\"older\",\"old_name\":null,\"commit\":null,\"old_commit\":\"[0-9a-f]" ../out
'

test_expect_success '--contains, --merged and --no-merged take =REV, an operand or HEAD' '
	cd repo && prints "* main" "  side" -- branch --contains && prints "* main" "  side" -- branch --contains HEAD && prints "  side" -- branch --contains=side &&
	prints "  deep/er/name" "* main" -- branch --merged && prints "  deep/er/name" -- branch --merged deep/er/name &&
	prints "  side" -- branch --no-merged && prints "  side" -- branch --merged side --list "s*" && prints "* main" -- branch --contains=main --no-merged=deep/er/name "m*" &&
	refuses 2 "unknown revision '\''nope'\''" branch --contains nope
'

test_expect_success 'a detached HEAD is among those that --contains, --merged and --no-merged list where it fits, as with git' '
	cd repo && store switch -q --detach main~1 && at="* (HEAD detached at $(store log --oneline -n 1 | cut -c1-12))" && store branch >../all && test_grep -F "$at" ../all &&
	for option in --contains=main~1 --contains=HEAD --merged=main --merged=HEAD --no-merged=deep/er/name "--contains=main~1 --merged=main"; do
		store branch $option >../got && test_grep -x -F "$at" ../got || return 1
	done &&
	for option in --contains=main --merged=deep/er/name --no-merged=main --no-merged=HEAD "--contains=main~1 --no-merged=main"; do
		store branch $option >../got && test_grep ! -F "HEAD detached" ../got || return 1
	done &&
	store --json branch --contains HEAD >../got && test_grep "\"name\":null,\"old_name\":null,\"commit\":\"[0-9a-f]*\",\"old_commit\":null,\"current\":true" ../got && store switch -q main
'

test_expect_success '--contains, --merged and --no-merged walk history once, however many branches there are' '
	store init -q walked && cd walked && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do store -q commit --allow-empty -m $i && store branch -q b$i || return 1; done &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do store branch -q c$i b$i && store branch -q d$i b$i || return 1; done &&
	for option in --contains=HEAD~11 --merged=HEAD --no-merged=HEAD~11; do
		rm -f ../trace && STORE_TRACE=object:../trace store branch $option >../out && case $option in
		--no-merged*) test_line_count -eq 34 ../out ;;
		*) test_line_count -eq 37 ../out ;;
		esac && n=$(grep -c "commit=" ../trace) && test "$n" -ge 1 && test "$n" -le 50 || { echo "$option reads $n commits"; return 1; }
	done
'

# A random forest: commits, branches, switches; the model keeps the parent of each commit.
test_expect_success '--contains, --merged, --no-merged and -d answer as the history does' '
	store init -q forest && cd forest && python3 - "${N:-12}" <<-\EOF
	import random, subprocess, sys
	rnd = random.Random(7)
	def store(*words, code=0):
	    r = subprocess.run(["store", "-q", *words], capture_output=True, text=True)
	    assert r.returncode in (code if isinstance(code, tuple) else (code,)), (words, r)
	    return r
	branches, parent, head, n = {"main": None}, {}, "main", 0
	def commit():
	    global n
	    n += 1
	    store("commit", "--allow-empty", "-m", "c%d" % n)
	    parent[n] = branches[head]
	    branches[head] = n
	def ancestors(c):
	    out = set()
	    while c is not None:
	        out.add(c)
	        c = parent[c]
	    return out
	commit()
	for i in range(int(sys.argv[1])):
	    if rnd.random() < 0.5:
	        commit()
	    elif rnd.random() < 0.6:
	        start = rnd.choice(sorted(branches))
	        store("branch", "b%d" % i, start)
	        branches["b%d" % i] = branches[start]
	    head = rnd.choice(sorted(branches))
	    store("switch", head)
	commit()
	def listed(option, rev):
	    return {l[2:] for l in store("branch", option + "=" + rev).stdout.splitlines()}
	for rev in rnd.sample(sorted(branches), min(4, len(branches))):
	    c = branches[rev]
	    assert listed("--contains", rev) == {b for b in branches if c in ancestors(branches[b])}
	    assert listed("--merged", rev) == {b for b in branches if branches[b] in ancestors(c)}
	    assert listed("--no-merged", rev) == {b for b in branches if branches[b] not in ancestors(c)}
	seen = set()
	for b in sorted(set(branches) - {head}):
	    may = branches[b] in ancestors(branches[head])
	    r = store("branch", "-d", b, code=0 if may else 2)
	    assert may or "is not merged" in r.stderr, r
	    seen.add(may)
	assert seen == {True, False}, seen
	EOF
'

# git is asked whether a name can be; and it lists the same refs in the same order.
test_expect_success 'names are those of git check-ref-format, and lists are in the order of git for-each-ref' '
	store init -q names && cd names && commits one && git init -q --bare ../names.git && python3 - "$(test_cases 25)" <<-\EOF
	import json, random, subprocess, sys
	rnd = random.Random(11)
	parts = [b"a", b"b", b".", b"/", b"..", b"@", b"@{", b"-", b"~", b"^", b":", b"?", b"*", b"[", b"]", b"\\", b" ", b"\x7f", b"\x01",
	         b".lock", b"HEAD", b"\xc3\xa9", b"\xff", b"x", b"y", b"z", b"{", b"}", b"%", b"!"]
	fixed = [b"@", b"HEAD", b"a@{", b"a@b", b"-a", b"a/-b", b"a.lock/b", b"a/.b", b"a.", b"a./b", b"x" * 244, b"x" * 245, b"refs/heads/q"]
	def run(*words):
	    return subprocess.run(words, capture_output=True)
	made, answers = set(), set()
	def free(name):
	    return not any(name == o or name.startswith(o + b"/") or o.startswith(name + b"/") for o in made)
	names = fixed + [b"".join(rnd.choice(parts) for _ in range(rnd.randint(1, 5))) for _ in range(int(sys.argv[1]))]
	for name in names:
	    if not free(name):
	        continue
	    git = run("git", "check-ref-format", "--branch", name)
	    can = git.returncode == 0 and git.stdout.rstrip(b"\n") == name and len(name) <= 244
	    r = run("store", "branch", "--", name)
	    assert (r.returncode == 0) == can and r.returncode in (0, 2), (name, git, r)
	    assert can or r.stderr.count(b"\n") == 1 and b"cannot be the name of a ref" in r.stderr, (name, r)
	    answers.add(can)
	    if can:
	        made.add(name)
	assert answers == {True, False}
	blob = run("git", "-C", "../names.git", "hash-object", "-t", "commit", "-w", "/dev/null").stdout or \
	    subprocess.run(["git", "-C", "../names.git", "commit-tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "-m", "x"], capture_output=True,
	        env={"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a", "PATH": __import__("os").environ["PATH"]}).stdout
	id = blob.strip()
	made.add(b"main")
	subprocess.run(["git", "-C", "../names.git", "update-ref", "-z", "--stdin"], check=True,
	    input=b"".join(b"create refs/heads/" + n + b"\0" + id + b"\0" for n in made))
	want = run("git", "-C", "../names.git", "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").stdout.split(b"\n")[:-1]
	got = []
	import base64
	for line in run("store", "--json", "branch").stdout.splitlines():
	    row = json.loads(line)
	    got.append(row["name"].encode() if "name" in row else base64.b64decode(row["name_b64"]))
	assert got == want, (got, want)
	EOF
'

test_expect_success 'after a rebuild branches, logs and the way back are what they were' '
	cd repo && all() {
		"$SECOND_READER" . refs && store --json branch && store reflog && store reflog side && store reflog gone1 && store reflog deep/er/name
	} && all >../want && store --json branch >../listed && "$SECOND_READER" . refs >../refs &&
	python3 -c "
import json
refs = dict(l.split() for l in open(\"../refs\"))
rows = {\"refs/heads/\" + r[\"name\"]: r[\"commit\"] for r in map(json.loads, open(\"../listed\"))}
assert rows == {n: v for n, v in refs.items() if n.startswith(\"refs/heads/\")} and rows" &&
	rm -r .store/db && store -q fsck --rebuild && all >../got && test_cmp ../want ../got && at five side@{4}
'

# The first stops with its record written and the gate held; the second has decided on the same snapshot by then.
test_expect_success 'of two who make one branch at once one wins, and the other is told' '
	cd repo && python3 - <<-\EOF && at two race && store fsck -q
	import os, signal, subprocess, time
	def run(rev, **more):
	    return subprocess.Popen(["store", "branch", "race", rev], stderr=subprocess.PIPE, text=True, env={**os.environ, **more})
	def state(pid):
	    return open("/proc/%d/stat" % pid).read().rsplit(") ", 1)[1][0]
	first = run("HEAD~1", STORE_FAULT="refslog.write:1:stop")
	while state(first.pid) != "T":
	    assert first.poll() is None
	    time.sleep(0.01)
	second = run("HEAD", STORE_TRACE="")
	for _ in range(200):
	    time.sleep(0.01)
	    if any(os.readlink("/proc/%d/fd/%s" % (second.pid, f)).endswith("/gate") for f in os.listdir("/proc/%d/fd" % second.pid)):
	        break
	os.kill(first.pid, signal.SIGCONT)
	said = second.communicate(timeout=60)[1]
	assert first.wait(60) == 0 and second.returncode in (2, 5), (first.returncode, second.returncode)
	assert "exists already" in said or "moved by another command meanwhile" in said, said
	EOF
'

test_done
