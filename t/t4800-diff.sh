#!/bin/sh
# diff: which paths differ, in all forms, beside git; what operands mean; and the forms of output.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

names()
{
	store diff --name-status "$@"
}

cases=$(test_cases 30)
test_expect_success "the letters of $cases random states are git's, in every form" '
	mkdir beside && cd beside && python3 -B "$SRC_ROOT/t/diff-beside-git.py" 1 "$cases"
'

test_expect_success 'setup: two commits, a stage and a working tree that all differ' '
	mkdir repo && cd repo && store init -q . && mkdir -p d/sub e &&
	echo one >a && echo deep >d/sub/f && printf "1\n2\n3\n" >lines && echo exe >x && ln -s a l &&
	store add -q -A && store commit -q -m first &&
	echo two >>a && chmod +x x && rm -r d && echo file >d && rmdir e && mkdir new &&
	store add -q -A && store commit -q -m second &&
	echo staged >>lines && store add -q lines &&
	echo worked >>a && rm l && echo no-link >l
'

test_expect_success 'without operands it is stage to tree, staged is HEAD to stage, a revision is that to the tree' '
	cd repo &&
	printf "M\ta\nT\tl\n" >want && names >got && test_cmp want got &&
	printf "M\tlines\n" >want && names --staged >got && test_cmp want got &&
	names --cached HEAD >got && test_cmp want got &&
	printf "M\ta\nT\tl\nM\tlines\n" >want && names HEAD >got && test_cmp want got &&
	rm want got
'

test_expect_success 'between commits deletions come before what stands in their place, and empty directories are entries' '
	cd repo &&
	printf "M\ta\nD\td/sub/f\nA\td\nD\te/\nA\tnew/\nM\tx\n" >../want && names HEAD~1 HEAD >../got && test_cmp ../want ../got &&
	names HEAD~1..HEAD >../got && test_cmp ../want ../got &&
	names HEAD~1.. >../got && test_cmp ../want ../got &&
	names HEAD~1...HEAD >../got && test_cmp ../want ../got &&
	names HEAD...HEAD~1 >../got && test_must_be_empty ../got &&
	printf "M\ta\nD\td\nA\td/sub/f\nA\te/\nD\tnew/\nM\tx\n" >../want && names -R HEAD~1 HEAD >../got && test_cmp ../want ../got &&
	names HEAD HEAD~1 >../got && test_cmp ../want ../got
'

test_expect_success 'before the first commit all that is staged is added, and HEAD is unknown' '
	mkdir young && cd young && store init -q . && echo a >a && store add -q a &&
	printf "A\ta\n" >../want && names --staged >../got && test_cmp ../want ../got &&
	names >../got && test_must_be_empty ../got &&
	test_expect_code 2 store diff HEAD && test_expect_code 2 store diff --staged HEAD
'

test_expect_success 'a word that is a revision and a path is refused, and "--" parts the two' '
	cd repo && echo a >HEAD && test_when_finished "rm -f repo/HEAD" &&
	test_expect_code 2 store diff HEAD 2>../err && test_grep "write .--. between" ../err &&
	names HEAD -- >../got && printf "M\ta\nT\tl\nM\tlines\n" >../want && test_cmp ../want ../got &&
	names -- HEAD >../got && test_must_be_empty ../got
'

test_expect_success 'a word that is neither is refused with what is near' '
	cd repo && test_expect_code 2 store diff mian 2>../err && test_grep "no revision and no path" ../err &&
	test_grep "main" ../err && test_expect_code 2 store diff a nothing 2>../err && test_grep "nothing" ../err &&
	test_expect_code 2 store diff HEAD HEAD HEAD && test_expect_code 2 store diff HEAD HEAD~1..HEAD &&
	test_expect_code 2 store diff --staged HEAD HEAD~1 && test_expect_code 2 store diff nothing -- a
'

test_expect_success 'one content alone is refused with what else to name, and one that is not there with why' '
	cd repo && test_expect_code 2 store diff HEAD:a 2>../err && test_grep "HEAD:a. names one content.*name the other, or write .store diff REV -- PATH" ../err &&
	test_expect_code 2 store diff HEAD:nothing 2>../err && test_grep "nothing" ../err && test_grep ! "no revision and no path" ../err &&
	test_expect_code 2 store diff HEAD: 2>../err && test_grep "is a directory" ../err && test_line_count -eq 1 ../err
'

test_expect_success 'paths limit it, from a subdirectory too, and a path that is gone is one behind "--"' '
	cd repo && printf "D\td/sub/f\nA\td\n" >../want && names HEAD~1 HEAD -- d >../got && test_cmp ../want ../got &&
	printf "D\td/sub/f\n" >../want && names HEAD~1 HEAD -- d/sub >../got && test_cmp ../want ../got &&
	cd new && printf "M\t../a\n" >../../want && names HEAD~1 HEAD ../a >../../got && test_cmp ../../want ../../got
'

test_expect_success 'two contents are compared that a revision and a path name each' '
	cd repo && printf "1\t0\ta\n" >../want && store diff --numstat HEAD~1:a HEAD:a >../got && test_cmp ../want ../got &&
	store diff HEAD~1:a HEAD:a >../got && test_grep "^+two$" ../got &&
	store diff HEAD:a HEAD:a >../got && test_must_be_empty ../got &&
	store diff HEAD~1:lines :lines >../got && test_grep "^+staged$" ../got &&
	test_expect_code 2 store diff HEAD:a HEAD:new 2>../err && test_grep "is a directory" ../err
'

test_expect_success 'a patch of two contents has the name of each, either way round, and their paths may go upwards' '
	mkdir -p names/sub && cd names && store init -q . && echo 1 >one && echo 2 >"two words" && store add -q -A && store commit -q -m c && cd sub &&
	store diff "HEAD:../one" "HEAD:../two words" >../got && grep "^--- a/one\$" ../got && grep "^+++ b/two words	\$" ../got &&
	test_grep "^diff --git a/one b/two words\$" ../got &&
	store diff -R HEAD:one "HEAD:two words" >../got && grep "^--- a/two words	\$" ../got && grep "^+++ b/one\$" ../got &&
	store diff --name-only "main@{2100-01-01 10:00}..main" >../got && test_must_be_empty ../got
'

test_expect_success 'content of a revision is compared with a file of the working tree, either way round, from below, and with a link' '
	mkdir -p mixed/sub && cd mixed && store init -q . && printf "1\n2\n" >f && ln -s f l && echo other >g && echo 3 >sub/h && store add -q -A && store commit -q -m c &&
	printf "1\n3\n" >f && echo 4 >sub/h && chmod +x g && ln -sf g l && store diff -- f >../want && store diff HEAD:f f >../got && test_cmp ../want ../got &&
	store diff -R -- f >../want && store diff f HEAD:f >../got && test_cmp ../want ../got && store diff -R HEAD:f f >../got && test_cmp ../want ../got &&
	store diff f@HEAD f >../got && test_line_count -eq 7 ../got && store diff :f f >../got && test_line_count -eq 7 ../got &&
	store diff -- l >../want && store diff HEAD:l l >../got && test_cmp ../want ../got &&
	store diff --stat HEAD:g g >../got && test_grep "^ g | 0$" ../got && test_expect_code 1 store diff --quiet HEAD:g g && store diff HEAD:g g >../got && test_grep "^new mode 100755$" ../got &&
	test_expect_code 1 store diff --quiet HEAD:f f && store diff --exit-code HEAD:f HEAD:f && printf "1\n2\n" >same && store diff --exit-code HEAD:f same >../got && test_must_be_empty ../got &&
	store diff --name-status HEAD:l f >../got && printf "T\tf\n" >../want && test_cmp ../want ../got &&
	cd sub && store diff HEAD:../f h >../../got && grep "^--- a/f\$" ../../got && grep "^+++ b/sub/h\$" ../../got && store diff h@HEAD h >../../got && test_grep "^+4$" ../../got
'

test_expect_success 'what is no content beside one is refused in one line that says what to do' '
	cd mixed && refuse() {
		test_expect_code 2 store diff "$@" >../got 2>../err && test_must_be_empty ../got && test_line_count -eq 1 ../err
	} && refuse HEAD:f sub && test_grep "is a directory; compare directories by" ../err && refuse HEAD:f none && test_grep "none" ../err &&
	refuse none HEAD:f && test_grep "none" ../err && refuse HEAD:none f && test_grep "path .none. is not in revision .HEAD." ../err &&
	refuse HEAD:f /dev/null && test_grep "outside of the working tree" ../err && mkfifo fifo && refuse HEAD:f fifo && test_grep "neither a file nor a link" ../err && rm fifo &&
	echo 1 >main && refuse HEAD:f main && test_grep "write .--. between" ../err && rm main && refuse --staged HEAD:f f &&
	echo s >staged && store add -q staged && rm staged && refuse HEAD:f staged && test_grep ".:staged. names what is staged" ../err &&
	STORE_FAULT=patch.read:1:EIO test_expect_code 2 store diff HEAD:f f >../got 2>../err && test_grep "cannot read .f.: Input/output error" ../err
'

test_expect_success 'counts and JSON of two contents have the name of each, as git writes both' '
	mkdir both && cd both && git init -q . && echo .store >.git/info/exclude && store init -q . && mkdir -p a/b/c a/q/c x && echo 1 >a/b/c/f && printf "1\n2\n" >a/q/c/f &&
	echo 3 >f && echo 4 >x/f && echo 5 >"$(printf "n\nl")" && printf "\0" >bin && git add -A && store add -q -A && store commit -q -m c &&
	tree=$(git write-tree) && for pair in "a/b/c/f a/q/c/f" "f x/f" "x/f f" "a/b/c/f f" "f f" "f bin" "bin x/f"; do
		for form in --stat --numstat --shortstat "--numstat -z" --name-only; do
			git diff $form $tree:${pair% *} $tree:${pair#* } >../want && store diff $form HEAD:${pair% *} HEAD:${pair#* } >../got && test_cmp ../want ../got ||
				{ echo "$form of $pair"; return 1; }
		done
	done && odd=$(printf "n\nl") && git diff --stat "$tree:$odd" $tree:f >../want && store diff --stat "HEAD:$odd" HEAD:f >../got && test_cmp ../want ../got &&
	echo 6 >f && store diff --stat HEAD:x/f f >../got && test_grep "^ x/f => f | 2 +-$" ../got && store diff --stat -R HEAD:x/f f >../got && test_grep "^ f => x/f | 2 +-$" ../got &&
	store diff --json HEAD:x/f f >../got && test_grep "\"path\":\"f\",\"old_path\":\"x/f\"," ../got &&
	store diff --json HEAD:f f >../got && test_grep "\"path\":\"f\",\"old_path\":null," ../got
'

test_expect_success 'a pack that cannot be read, or is damaged, is never told as a file that cannot: the line names it' '
	mkdir damage && cd damage && store init -q . && seq 9999 >f && store add -q f && store commit -q -m c && seq 9998 >f &&
	for form in -p --numstat "--json -p"; do
		for operands in "-- f" ":f f"; do
			STORE_FAULT=pack.read:1+:EIO test_expect_code 2 store diff $form $operands 2>../err >../got && test_line_count -eq 1 ../err &&
				test_grep "cannot .*: cannot read object .* of pack [0-9a-f]*.*Input/output error" ../err || { echo "$form $operands"; return 1; }
		done
	done && for p in .store/packs/*; do chmod u+w $p && python3 -c "
import sys
with open(sys.argv[1], \"r+b\") as f:
    data = bytearray(f.read())
    data[len(data) // 3] ^= 1
    f.seek(0)
    f.write(data)" $p || return 1; done &&
	test_expect_code 4 store diff f 2>../err >../got && test_line_count -eq 1 ../err && test_grep "of pack [0-9a-f]" ../err &&
	rm .store/packs/* && test_expect_code 4 store diff f 2>../err >../got && test_line_count -eq 1 ../err && test_grep "pack .packs/.*is missing" ../err
'

test_expect_success 'exit codes: 0 unless asked, then 1 where something differs; quiet prints nothing' '
	cd repo && store diff --name-only && test_expect_code 1 store diff --exit-code --name-only &&
	store diff --exit-code HEAD HEAD && test_expect_code 1 store diff --quiet >../got && test_must_be_empty ../got &&
	store diff --quiet HEAD~1 HEAD~1
'

test_expect_success 'counts: numstat, stat, shortstat and summary look as those of git' '
	mkdir looks && cd looks && git init -q . && echo .store >.git/info/exclude && store init -q . &&
	GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b &&
	export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL &&
	mkdir -p a-very-long-directory-name/and-another-one-that-is-long/deep &&
	seq 1 300 >many && seq 1 5 >few && printf "a\\0b" >bin && echo x >gone && echo s >script &&
	seq 1 9 >a-very-long-directory-name/and-another-one-that-is-long/deep/file-with-a-name &&
	git add -A && git commit -q -m one && store add -q -A && store commit -q -m one &&
	seq 200 500 >many && seq 2 6 >few && printf "a\\0bcd" >bin && rm gone && chmod +x script && echo new >new && ln -s few link &&
	seq 3 12 >a-very-long-directory-name/and-another-one-that-is-long/deep/file-with-a-name &&
	git add -A && store add -q -A &&
	for form in --stat --numstat --shortstat --summary "--stat --summary"
	do
		git diff --no-renames --staged $form >../want && store diff --staged $form >../got && test_cmp ../want ../got || return 1
	done
'

test_expect_success 'with --stat and -p the counts come first, and the patch behind a blank line' '
	cd repo && store diff --stat HEAD~1 HEAD >../stat && store diff HEAD~1 HEAD >../patch &&
	{ cat ../stat && echo && cat ../patch; } >../want && store diff --stat -p HEAD~1 HEAD >../got && test_cmp ../want ../got
'

test_expect_success 'with --stat a line is as wide as the terminal, also before a pager; COLUMNS goes before it; in a pipe it is 80' '
	store init -q broad && cd broad && seq 2000 >n && store add -q n && store commit -q -m n && >n &&
	NO_COLOR=1 PYTHONPATH=$SRC_ROOT/t python3 -B -c "
import os, subprocess, terminal
def width(columns=None, **env):
    argv = [\"store\", \"diff\", \"--stat\"]
    out = terminal.run(argv, env=env, columns=columns).out if columns else subprocess.run(argv, stdout=subprocess.PIPE, env={**os.environ, **env}).stdout
    return len(out.split(b\"\\r\" if columns else b\"\\n\")[0])
assert width(132, STORE_PAGER=\"cat\") == width(132, STORE_PAGER=\"sed s/a/b/\") == 131
assert width(132, STORE_PAGER=\"cat\", COLUMNS=\"100\") == 99
assert width() == width(COLUMNS=\"100\") == 79
"
'

test_expect_success 'lists end with NUL under -z, and what has no lines refuses it' '
	cd repo && printf "D\\0e/\\0A\\0new/\\0" >../want && names -z HEAD~1 HEAD -- e new >../got && test_cmp ../want ../got &&
	printf "e/\\0" >../want && store diff -z --name-only HEAD~1 HEAD -- e >../got && test_cmp ../want ../got &&
	test_expect_code 2 store diff -z && test_expect_code 2 store diff -z --stat &&
	test_expect_code 2 store diff --name-only --stat && test_expect_code 2 store diff -U x
'

test_expect_success 'JSON has one object for each path, with both sides, and counts when asked' '
	cd repo && store diff --json HEAD~1 HEAD >../got && python3 - ../got <<-\EOF &&
	import json, sys
	rows = [json.loads(l) for l in open(sys.argv[1])]
	keys = ["schema", "path", "old_path", "letter", "mode_only", "old", "new", "pieces", "content", "same", "added", "deleted", "limit", "limit_key"]
	assert [r["path"] for r in rows] == ["a", "d/sub/f", "d", "e", "new", "x"], rows
	for r in rows:
	    assert sorted(r) == sorted(keys) and r["schema"] == "store/diff/1", r
	    assert r["added"] is None and r["pieces"] is None and r["old_path"] is None, r
	by = {r["path"]: r for r in rows}
	assert by["x"]["mode_only"] and by["x"]["old"]["kind"] == "file" and by["x"]["new"]["kind"] == "executable"
	assert by["x"]["old"]["id"] == by["x"]["new"]["id"] and by["x"]["new"]["mode"] == 0o755
	assert by["d/sub/f"]["new"] is None and by["d"]["old"] is None and by["e"]["old"]["kind"] == "directory"
	EOF
	store diff --json --numstat HEAD~1 HEAD -- a >../got && test_grep "\"added\":1,\"deleted\":0" ../got &&
	store diff --json -p HEAD~1 HEAD -- a >../got && test_grep "\"pieces\":\\[{" ../got &&
	store diff --json -- a >../got && test_grep "\"id\":null" ../got
'

test_expect_success 'a file is read only where its attributes cannot tell' '
	mkdir fresh && cd fresh && store init -q . && for i in 1 2 3 4 5 6 7 8; do echo $i >f$i || return 1; done &&
	touch -d "2 days ago" f* && store add -q -A && store commit -q -m c && echo other >f3 && touch f5 &&
	store status >/dev/null && echo other >f4 && touch f6 &&
	STORE_TRACE=walk:../trace store diff --name-only >../got && printf "f3\nf4\n" >../want && test_cmp ../want ../got &&
	grep -c compare= ../trace >../count && test "$(cat ../count)" -le 3
'

test_expect_success 'against the stage clean directories are not read, however many they are' '
	mkdir wide && cd wide && store init -q . && mkdir -p $(seq -f "d%g/sub" 1 200) && for i in $(seq 1 200); do echo $i >d$i/sub/f || return 1; done &&
	store add -q -A && store commit -q -m c && echo new >d7/sub/f && store add -q d7 &&
	store diff --staged --name-only --stats >../got 2>../stats && echo d7/sub/f >../want && test_cmp ../want ../got &&
	nodes=$(sed -n "s/^nodes read: //p" ../stats) && echo "nodes: $nodes" && test "$nodes" -ge 1 && test "$nodes" -le 20
'

test_expect_success 'what cannot be looked at is named, counts as unchanged, and makes the exit code 3' '
	mkdir locked && cd locked && test_give_to_user . && test_as_user store init -q . &&
	test_as_user sh -c "mkdir d && echo a >d/a && store add -q -A && store commit -q -m c && echo b >d/a && chmod 0 d" &&
	test_when_finished "chmod 755 \"$TRASH/locked/d\"" &&
	test_expect_code 3 test_as_user store diff --name-only >../got 2>../err && test_must_be_empty ../got && test_grep "d" ../err
'

test_expect_success 'a file that cannot be read when its content is wanted is named once, the rest is shown, and the exit code is 3' '
	mkdir gone && cd gone && store init -q . && echo 1 >a && echo 1 >b && store add -q -A && store commit -q -m c && echo 22 >a && echo 22 >b &&
	for form in -p --stat --numstat --shortstat "--stat -p" "--json -p" "--json --stat"; do
		STORE_FAULT=patch.read:1:EIO test_expect_code 3 store diff $form >../got 2>../err || { echo "form $form"; return 1; }
		test_line_count -eq 1 ../err && test_grep "Input/output error" ../err || return 1
		case $form in
		--shortstat) test_grep "1 file changed" ../got ;;
		*) test_grep "b" ../got ;;
		esac || return 1
		case $form in
		--json*) python3 -c "import json, sys; assert [json.loads(l)[\"path\"] for l in sys.stdin] == [\"a\", \"b\"]" <../got ;;
		esac || return 1
	done &&
	STORE_FAULT=patch.read:1:EIO test_expect_code 1 store diff --exit-code -p
'

test_expect_success 'a signal ends a long comparison' '
	mkdir long && cd long && store init -q . && head -c 4000000 /dev/zero >f && store add -q -A && store commit -q -m c && head -c 4000001 /dev/urandom >f &&
	{ STORE_FAULT=patch.read:1:stop,patch.read:2+:150ms store diff --numstat >../got 2>&1 & pid=$!; } &&
	while read -r _ _ state _ <"/proc/$pid/stat" && test "$state" != T; do :; done && kill -TERM $pid && kill -CONT $pid &&
	test_expect_code 143 wait $pid && test_must_be_empty ../got
'

test_expect_success 'a missing node of a tree is damage, and never the end of the list' '
	cd repo && cp -r . ../broken && cd ../broken && rm -f .store/packs/* &&
	test_expect_code 4 store diff --name-only HEAD~1 HEAD
'

test_done
