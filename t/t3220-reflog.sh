#!/bin/sh
# The reflog: what moved HEAD and branches, numbered as git does, by date, and what a kill leaves of it.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/refs-lib.sh"

test_expect_success 'before the first commit the log of HEAD is empty, also after a renaming' '
	store init -q empty && cd empty && prints -- reflog && store branch -m other && prints -- reflog && refuses 2 "there is no ref '\''other'\''" reflog other &&
	commits one && store reflog | cut -d" " -f2- >../got && echo "HEAD@{0}: commit (initial): one" | test_cmp - ../got
'

test_expect_success 'setup: a day of work, an hour between its steps' '
	store init -q repo && cd repo && step() {
		hour=$((hour + 1)) && STORE_COMMITTER_DATE=$(printf "2026-03-01T%02d:00:00Z" $hour) && export STORE_COMMITTER_DATE && "$@"
	} && hour=0 && step commits one && step commits two && step store switch -q -c side && step commits three && step store switch -q main &&
	step store branch -f side HEAD~1 && step store switch -q --detach HEAD~1 && step commits four && step store switch -q -
'

test_expect_success 'it lists the newest first, with -n, of HEAD and of a branch, by short and by full name' '
	cd repo && one=$(store log --oneline -n 1 HEAD~1 | cut -c1-64) && store --json log -n 1 HEAD~1 >../out &&
	one=$(sed "s/.*\"commit\":\"\([0-9a-f]*\)\".*/\1/" ../out) && cat >../want <<-EOT &&
	HEAD@{0}: checkout: moving from $(store --json reflog -1 | sed "s/.*\"old\":\"\([0-9a-f]*\)\".*/\1/") to main
	HEAD@{1}: commit: four
	HEAD@{2}: checkout: moving from main to $one
	HEAD@{3}: checkout: moving from side to main
	HEAD@{4}: commit: three
	HEAD@{5}: checkout: moving from main to side
	HEAD@{6}: commit: two
	HEAD@{7}: commit (initial): one
	EOT
	store reflog | cut -d" " -f2- >../got && test_cmp ../want ../got && store reflog show >../all && store reflog show HEAD | test_cmp ../all - &&
	store reflog -n 2 >../got && head -n 2 ../all | test_cmp - ../got && store reflog -2 | test_cmp ../got - &&
	store reflog side | cut -d" " -f2- >../got && printf "%s\n" "side@{0}: branch: Reset to HEAD~1" "side@{1}: commit: three" \
		"side@{2}: checkout: moving from main to side" | test_cmp - ../got && store reflog refs/heads/side | sed "s,refs/heads/,," | cut -d" " -f2- |
	test_cmp ../got - && store reflog -z side | tr "\0" "\n" | cut -d" " -f2- | test_cmp ../got -
'

test_expect_success 'each line begins with what REF@{n} is' '
	cd repo && for ref in HEAD main side; do
		store reflog $ref | while read -r id name _; do
			test "$(store log --oneline -n 1 "${name%:}" | cut -c1-12)" = "$id" || exit 1
		done || return 1
	done && at two HEAD@{3} && at three HEAD@{4} && at three side@{1}
'

test_expect_success '--dates names by time, which is a revision; rev@{date} is what the ref was then' '
	cd repo && store reflog --dates main >../got && test_grep "main@{2026-03-01T02:00:00+00:00}: commit: two\$" ../got && at two "main@{2026-03-01T02:00:00+00:00}" &&
	at one "main@{2026-03-01 01:30:00 +0000}" && at two "main@{2026-03-01 02:00:01 +0000}" && at three "HEAD@{2026-03-01 04:30:00 +0000}" &&
	at two "HEAD@{2026-03-01 05:30:00 +0000}" && at four "HEAD@{2026-03-01 08:30:00 +0000}" && at three "side@{2026-03-01 05:30:00 +0000}" &&
	at one "side@{2026-03-01 07:00:00 +0000}" && refuses 2 "begins later" log "main@{2026-02-01 00:00:00 +0000}" &&
	store reflog -v main >../got 2>/dev/null && test_grep "(C O Mitter <committer@example.com>, Sun Mar 1 02:00:00 2026 +0000)\$" ../got
'

test_expect_success '--json has every member always' '
	cd repo && store branch tmp && store branch -D tmp && store --json reflog tmp | python3 -c "
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert all(list(r) == \"schema ref n id old publication who time why\".split() for r in rows), rows
assert [(r[\"n\"], r[\"id\"] is None, r[\"old\"] is None) for r in rows] == [(0, True, False), (1, False, True)]
assert rows[0][\"publication\"] > rows[1][\"publication\"] and rows[0][\"old\"] == rows[1][\"id\"]"
'

test_expect_success 'a log that is not there is refused with the nearest name' '
	cd repo && refuses 2 "there is no ref '\''sid'\'', and no log of one; the nearest is '\''side'\''" reflog sid && refuses 2 "there is no ref" reflog xyzzy &&
	refuses 2 "there is no ref" reflog ""
'

# The same random steps in both; commits are known by their subjects.
test_expect_success 'the log of HEAD and of every branch names the commits that git names, entry by entry' '
	store init -q ours && git init -q -b main theirs && python3 - "${N:-30}" <<-\EOF
	import json, os, random, subprocess, sys
	rnd = random.Random(3)
	env = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
	def run(*words):
	    r = subprocess.run(words, capture_output=True, text=True, env=env)
	    assert r.returncode == 0, (words, r)
	    return r.stdout
	def both(*words):
	    run("store", "-q", "-C", "ours", *words)
	    run("git", "-C", "theirs", *words)
	branches, head, n, other = ["main"], "main", 1, 0
	both("commit", "--allow-empty", "-m", "c1")
	for i in range(int(sys.argv[1])):
	    kind = rnd.choice("commit commit switch switch new rename delete reset detach back".split())
	    some = [b for b in branches if b != head]
	    if kind == "commit":
	        n += 1
	        both("commit", "--allow-empty", "-m", "c%d" % n)
	    elif kind == "switch" and some:
	        head = rnd.choice(some)
	        both("switch", head)
	    elif kind == "new":
	        branches.append("b%d" % i)
	        if rnd.random() < 0.5:
	            both("branch", branches[-1], rnd.choice(branches[:-1]))
	        else:
	            head = branches[-1]
	            both("switch", "-c", head)
	    elif kind == "rename" and some:
	        b = rnd.choice(some)
	        branches.remove(b)
	        branches.append("r%d" % i)
	        both("branch", "-m", b, branches[-1])
	    elif kind == "delete" and len(some) > 2:
	        b = rnd.choice(some)
	        branches.remove(b)
	        both("branch", "-D", b)
	    elif kind == "reset" and some:
	        both("branch", "-f", rnd.choice(some), rnd.choice(branches))
	    elif kind == "detach" and head:
	        head = None
	        both("switch", "--detach", rnd.choice(branches))
	subject = {}
	def name(id):
	    if id not in subject:
	        subject[id] = json.loads(run("store", "-C", "ours", "--json", "log", "-n", "1", id))["message"].strip()
	    return subject[id]
	entries = 0
	for ref in ["HEAD"] + branches:
	    ours = [name(json.loads(l)["id"]) for l in run("store", "-C", "ours", "--json", "reflog", ref).splitlines()]
	    theirs = run("git", "-C", "theirs", "log", "-g", "--format=%s", ref).splitlines()
	    # git notes a move to where the branch was; nothing is published for it.
	    why = run("git", "-C", "theirs", "log", "-g", "--format=%gs", ref).splitlines()
	    kept = [t for i, t in enumerate(theirs) if not (why[i].startswith("branch: Reset") and i + 1 < len(theirs) and theirs[i + 1] == t)]
	    assert ours == kept, (ref, ours, theirs, why)
	    entries += len(ours)
	assert entries > 10
	EOF
'

for point in refslog.write refslog.sync env.commit env.committed; do
	test_expect_success "killed at $point a renaming has happened whole or not at all, HEAD and log with it" '
		rm -rf cut && cp -a repo cut && cd cut && store branch >../before &&
		{ (STORE_FAULT='$point':1:kill && export STORE_FAULT && exec store branch -m main trunk) ; test $? = 137; } &&
		store fsck -q && if test "$(store branch --show-current)" = main; then store branch | test_cmp ../before - && store branch -m main trunk; fi &&
		prints trunk -- branch --show-current && at two trunk@{1} && at one trunk@{2} && store fsck -q && ls -A .store/tmp >../left && test_must_be_empty ../left
	'
done

for call in "branch new" "branch -D side" "branch -m side edge" "tag v1" "tag -m x v1"; do
	test_expect_success "when refs.log cannot be written '$call' fails, and nothing has changed" '
		cd repo && store branch >../before && store tag >>../before && cp .store/refs.log ../log &&
		test_expect_code 2 env STORE_FAULT=refslog.write:1:ENOSPC store '"$call"' 2>../err && test_line_count -eq 1 ../err && test_grep "No space left" ../err &&
		{ store branch && store tag; } | test_cmp ../before - && cmp .store/refs.log ../log && store fsck -q
	'
done

test_done
