#!/bin/sh
# What show prints of a commit, a layer, content and directories, and what log prints of changes.
. "${0%/*}/test-lib.sh"
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

command -v git >/dev/null && test_set_prereq GIT

test_expect_success 'setup: three commits' '
	mkdir r && cd r && store -q init && mkdir d && echo 1 >d/a && seq 20 >b && store -q add . && store -q commit -m one -m "with a body" &&
	seq 20 | sed s/5/x/ >b && chmod +x d/a && ln -s b link && store -q add . && store -q commit -m two && store -q commit --allow-empty -m empty
'

test_expect_success 'show prints the commit as log does, and behind an empty line what it changed' '
	cd r && store show HEAD~1 >../got && test_grep "^-5$" ../got && test_grep "^+x$" ../got && test_grep "^new mode 100755$" ../got && test_grep "^+++ b/link$" ../got &&
	store show -s HEAD~1 >../head && store log -n 1 HEAD~1 >../want && test_cmp ../want ../head &&
	head -n "$(wc -l <../want)" ../got >../head && test_cmp ../want ../head && test "$(sed -n "$(($(wc -l <../want) + 1))p" ../got)" = ""
'

test_expect_success GIT 'the patches of all commits, applied one on the other, make the last tree' '
	cd r && mkdir ../apply && (cd ../apply && git init -q .) && for rev in HEAD~2 HEAD~1; do
		store show "$rev" >../patch && (cd ../apply && git apply ../patch) || return 1
	done && store checkout --to ../tree HEAD && rm -rf ../apply/.git && diff -r --no-dereference ../tree ../apply && test -x ../apply/d/a
'

test_expect_success 'the first commit is compared with nothing, an empty one shows no changes' '
	cd r && store show --name-status HEAD~2 >../got && printf "\nA\tb\nA\td/a\n" >../want && tail -n 3 ../got >../end && test_cmp ../want ../end &&
	store show >../got && store log -n 1 >../want && test_cmp ../want ../got && store show --stat >../got && test_cmp ../want ../got
'

test_expect_success 'the forms: --stat, --shortstat, --numstat, --name-only, --oneline, -U' '
	cd r && store show --stat HEAD~1 >../got && test_grep "^ b    | 4 ++--$" ../got && test_grep "^ 3 files changed, 3 insertions(+), 2 deletions(-)$" ../got &&
	store show --shortstat HEAD~1 >../got && tail -n 1 ../got >../end && test_grep "^ 3 files changed" ../end &&
	store show --oneline --numstat HEAD~1 | cut -f1,2,3 >../got && test_line_count -eq 4 ../got && test_grep "^2	2	b$" ../got &&
	store show --oneline --name-only HEAD~1 HEAD~2 | sed "s/^[0-9a-f]* //" >../got && printf "two\nb\nd/a\nlink\none\nb\nd/a\n" >../want && test_cmp ../want ../got &&
	store show -U0 HEAD~1 >../got && test_grep "^@@ -5 +5 @@" ../got && test_grep ! "^ 4$" ../got
'

test_expect_success 'log -p and its kin show the same behind each commit, with PATH only there' '
	cd r && store show HEAD~1 >../want && store log -p -n 1 HEAD~1 >../got && test_cmp ../want ../got &&
	store log --oneline --name-only | sed "s/^[0-9a-f]* //" >../got && printf "empty\ntwo\nb\nd/a\nlink\none\nb\nd/a\n" >../want && test_cmp ../want ../got &&
	store log --oneline --name-status -- d | sed "s/^[0-9a-f]* //" >../got && printf "two\nM\td/a\none\nA\td/a\n" >../want && test_cmp ../want ../got
'

test_expect_success 'a path of a revision is its content, a directory the names in it' '
	cd r && store show b@HEAD~2 >../got && seq 20 >../want && test_cmp ../want ../got && store show HEAD~2:b >../got && test_cmp ../want ../got &&
	store show HEAD: >../got && printf "b\nd/\nlink\n" >../want && test_cmp ../want ../got && store show HEAD:d >../got && echo d/a >../want && test_cmp ../want ../got &&
	store show -- b >../got && store cat b >../want && test_cmp ../want ../got && (cd d && store show HEAD:./a && store show a) >../got && printf "1\n1\n" >../want && test_cmp ../want ../got
'

test_expect_success 'a layer is shown by number and by the prefix of its id, as it is stored' '
	cd r && store show layer:1 >../got && test_grep "^layer [0-9a-f]*$" ../got && test_grep "^generation 1$" ../got && test_grep "^files 3$" ../got &&
	id=$(sed -n "s/^layer \(............\).*/\1/p" ../got) && store show "$id" >../again && test_cmp ../got ../again &&
	test "$(sed 1d ../got | sha256sum | cut -c1-12)" = "$id"
'

test_expect_success 'a name that is a branch and a path is refused, and both ways to write it work' '
	cd r && echo in the way >main && store -q add main && store -q commit -m main && test_expect_code 2 store show main >../out 2>../err &&
	test_must_be_empty ../out && test_line_count -eq 1 ../err && test_grep ".HEAD:main., .main:." ../err && store show HEAD:main >../out && echo in the way >../want &&
	test_cmp ../want ../out && store show -s heads/main >../out && test_grep "^    main$" ../out
'

test_expect_success '--json: the commit, then each change; content and directories without their bytes' '
	cd r && store show --json HEAD~2 layer:0 HEAD~2:b HEAD~2:d >../out && store show --json -p HEAD~2 >../patch && python3 -c "
import json
lines = [json.loads(line) for line in open(\"../out\")]
assert [(l[\"schema\"], l.get(\"in_directory\")) for l in lines] == [(\"store/show-commit/1\", None)] + 3 * [(\"store/diff/1\", None)] + [
    (\"store/show-layer/1\", None), (\"store/show-path/1\", False), (\"store/show-path/1\", False), (\"store/show-path/1\", True)], lines
assert [l[\"path\"] for l in lines[1:4] + lines[5:]] == [\"b\", \"d/a\", \"link\", \"b\", \"d\", \"d/a\"], lines
assert lines[4][\"generation\"] == 0 and lines[4][\"parent\"] is None and lines[5][\"node\"][\"size\"] == 51
assert json.loads(open(\"../patch\").readlines()[1])[\"pieces\"]"
'

test_expect_success '-z ends commit and paths with NUL' '
	cd r && store show -z --oneline --name-only HEAD~2 | tr "\0" "%" >../got && test_grep "^[0-9a-f]* two%b%d/a%link%$" ../got
'

test_expect_success 'bad input is refused in one line that says why' '
	cd r && refuse() { test_expect_code 2 store show "$@" >../out 2>../err && test_must_be_empty ../out && test_line_count -eq 1 ../err; } &&
	refuse nosuch && test_grep "unknown revision .nosuch.*; nor is there such a path in HEAD" ../err && refuse mian && test_grep "main" ../err &&
	refuse layer:99 && test_grep "there is no layer 99 below HEAD" ../err && refuse HEAD:nosuch && test_grep "path .nosuch. is not in revision .HEAD." ../err &&
	refuse nosuch@HEAD && test_grep "path .nosuch." ../err && refuse "" && test_grep "NAME is empty" ../err && refuse -- HEAD && test_grep "HEAD" ../err &&
	refuse -U x && test_grep ".x. is no number of lines" ../err && refuse --name-only --stat && test_grep "go with no other form" ../err && refuse -s -p && test_grep "leaves out" ../err &&
	refuse -z --stat && test_grep "z goes with" ../err && refuse HEAD~99 && test_grep "first commit" ../err && mkdir ../none && cd ../none && store -q init && refuse && test_grep "no commit" ../err
'

test_expect_success 'what a commit holds cannot write to a terminal' '
	cd r && printf "a\033[31mb\n" >"$(printf "odd\033name")" && store -q add . && store -q commit -m "$(printf "esc \033[31m")" && store show --stat >../got &&
	tr -d "\12\40-\176" <../got >../control && test_must_be_empty ../control
'

test_done
