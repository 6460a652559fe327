#!/bin/sh
# commit -a, --amend, -F, -e and the editor.
. "${0%/*}/test-lib.sh"
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

fresh()
{
	mkdir "$1" && cd "$1" && store -q init && echo 1 >file && echo 2 >other && store -q add . && store -q commit -m "first
with a body"
}
# message: of the last commit.
message()
{
	store log -n 1 | sed '1,/^$/d; s/^    //'
}
# field NAME: of the last commit's JSON, text, number or list, as it stands there.
field()
{
	store log -n 1 --json | sed -n "s/.*\"$1\":\(\"[^\"]*\"\|[0-9]*\|\[[^]]*\]\)[,}].*/\1/p" | sed 's/^"//; s/"$//'
}
subjects()
{
	store log --oneline "$@" | cut -d' ' -f2- | tr '\n' ','
}
# editor NAME: a script that is an editor, read from standard input; $1 is the file.
editor()
{
	cat >"$TRASH/$1" && chmod +x "$TRASH/$1"
}

test_expect_success '-a commits what was changed and deleted of tracked paths, and leaves what is untracked' '
	fresh all && echo 3 >>file && rm other && echo new >untracked && store commit -a -m second >../out &&
	test_grep "^0 added, 1 modified, 1 deleted; 1 file" ../out && store ls >../ls && echo file >../want && test_cmp ../want ../ls &&
	test_expect_code 1 store commit -am again 2>../err && test_grep "nothing to commit" ../err &&
	(mkdir sub && cd sub && echo 4 >>../file && store -q commit -am "from below") && test "$(subjects -1)" = "from below,"
'

test_expect_success 'setup: a folder that its owner may not read' '
	fresh unreadable && echo changed >file && echo changed >other && chmod 000 other && cd .. && test_give_to_user unreadable
'

test_expect_success 'commit -a names what it could not read, commits the rest, and ends with 3' '
	cd unreadable && test_expect_code 3 test_as_user store commit -a -m partly >../out 2>../err && test_line_count -eq 1 ../err &&
	test_grep "cannot read .other." ../err && test "$(store cat file)" = changed && test "$(store cat other)" = 2
'

test_expect_success '--amend keeps parents, author and date, and takes message and what is staged' '
	fresh amend && echo 2 >file && store -q add . && store -q commit -m second && parent=$(field parents) && first=$(field commit) &&
	echo more >more && store -q add . && STORE_AUTHOR_NAME=Another STORE_AUTHOR_DATE=2030-01-01T00:00:00Z STORE_COMMITTER_NAME=Other \
		store commit --amend -m "second, better" >../out && test_grep -E "^\[main [0-9a-f]{12}\] second, better$" ../out &&
	test_grep "^1 added, 1 modified, 0 deleted; 3 files" ../out && test "$(subjects)" = "second, better,first," &&
	test "$(field parents)" = "$parent" && test "$(field author)" = "A U Thor <author@example.com>" &&
	test "$(field author_time)" = 2026-01-02T03:04:05+00:00 && test "$(field committer)" = "Other <committer@example.com>" &&
	test "$(field generation)" = 1 && test "$(field commit)" != "$first" && "$SRC_ROOT/t/second-reader" . verify && store -q fsck
'

test_expect_success 'an amended commit is what it would have been at once: same layer, same root' '
	fresh once && echo 2 >file && echo more >more && store -q add . && store -q commit -m "second, better" && layer=$(field layer) &&
	cd ../amend && test "$(field layer)" = "$layer"
'

test_expect_success 'the reflog says that it was an amendment, and the branch was where it was before' '
	cd amend && grep -a "commit (amend): second, better" .store/refs.log >/dev/null && test "$(subjects main@{1})" = "second,first,"
'

test_expect_success '--amend with nothing staged and --no-edit keeps the message byte for byte' '
	fresh same && field message >../want && test -s ../want && store commit --amend --no-edit >../out && test_grep "\] first$" ../out && field message >../got &&
	test_cmp ../want ../got && test "$(subjects)" = "first," && grep -a "commit (amend): first" .store/refs.log >/dev/null
'

test_expect_success '--author, --date and --reset-author change of an amended commit what they name' '
	cd same && store -q commit --amend --no-edit --author "New <n@x>" && test "$(field author)" = "New <n@x>" &&
	test "$(field author_time)" = 2026-01-02T03:04:05+00:00 && store -q commit --amend --no-edit --date 2020-02-03T04:05:06+02:00 &&
	test "$(field author)" = "New <n@x>" && test "$(field author_time)" = 2020-02-03T04:05:06+02:00 &&
	STORE_AUTHOR_DATE=2031-01-01T00:00:00Z store -q commit --amend --no-edit --reset-author &&
	test "$(field author)" = "A U Thor <author@example.com>" && test "$(field author_time)" = 2031-01-01T00:00:00+00:00
'

test_expect_success '--amend before the first commit is refused; one that takes all back is, unless --allow-empty' '
	mkdir none && cd none && store -q init && test_expect_code 2 store commit --amend -m x 2>../err && test_line_count -eq 1 ../err &&
	test_grep "there is no commit to amend yet" ../err && cd ../amend && echo 1 >file && rm more && store -q add -A &&
	test_expect_code 1 store commit --amend -m empty 2>../err && test_grep "nothing would be left" ../err && test "$(subjects -1)" = "second, better," &&
	store -q commit --amend --allow-empty -m empty && test "$(subjects)" = "empty,first," &&
	store -q commit --amend -m "still empty" && test "$(subjects)" = "still empty,first,"
'

test_expect_success '--amend of the first commit leaves one commit without parent, and -a goes with it' '
	fresh initial && echo 9 >file && store -q commit -a --amend -m only && test "$(subjects)" = only, && test "$(field parents)" = "[]" &&
	test "$(store cat file)" = 9 && store commit --amend -n >../dry && store root >../root && test_grep "^root $(cut -d" " -f1 ../root) " ../dry
'

test_expect_success '-F takes the message of a file or of standard input, blanks put in order as git does' '
	fresh from && printf "\n\nsubject  \n\n\n\nbody\t\n# no comment here\n\n\n" >../text && store -q commit --allow-empty -F ../text &&
	printf "subject\n\nbody\n# no comment here\n" >../want && message >../got && test_cmp ../want ../got &&
	store -q commit --allow-empty -F - <../text && message >../got && test_cmp ../want ../got
'

test_expect_success 'a message that cannot be is refused in one line, and nothing is committed' '
	cd from && printf "a\0b" >../nul && : >../empty && before=$(subjects) &&
	refuse() {
		test_expect_code 2 store commit --allow-empty "$@" >../out 2>../err && test_must_be_empty ../out && test_line_count -eq 1 ../err
	} &&
	refuse -F ../nul && test_grep "holds a NUL byte" ../err && refuse -F ../empty && test_grep "message is empty" ../err &&
	refuse -F ../nosuch && test_grep "cannot open .../nosuch.: No such file" ../err && refuse -F .. && test_grep "cannot read" ../err &&
	refuse -F ../text -m x && test_grep "by -m or by -F, not by both" ../err && refuse -F "" && test_grep "F wants the name of a file" ../err &&
	refuse -a -n && test_grep "n writes nothing, and -a would stage" ../err && refuse --reset-author -m x && test_grep "goes with --amend" ../err &&
	refuse --no-edit && test_grep "no message is given; use -m TEXT" ../err && refuse -m "#" -e && test_grep "no terminal for an editor" ../err &&
	refuse --amend && test_grep "use -m TEXT, -F FILE or --no-edit" ../err && test "$(subjects)" = "$before"
'

test_expect_success 'what is wrong with message, author or date is said before -a stages and before the editor is opened' '
	fresh early && echo 2 >file && printf "#!/bin/sh\ntouch \"$TRASH/too-late\"\n" | editor ed0 &&
	late() { test_expect_code 2 env STORE_EDITOR="$TRASH/ed0" store commit -a "$@" 2>../err && test_line_count -eq 1 ../err; } &&
	late -F ../nosuch && late -m "" && late -F ../nul && late -m x --date garbage && test_grep "is no date" ../err && late --author nobody &&
	test_grep "names nobody" ../err && late --amend --date garbage && test_path_is_missing ../too-late && test "$(store status --porcelain)" = " M file"
'

test_expect_success 'the editor is shown what is staged below an empty message; lines with # are taken out' '
	fresh edit && printf "#!/bin/sh\ncp \"\$1\" \"$TRASH/seen\" && { echo written; echo \"#gone\"; echo; cat \"\$1\"; } >\"\$1.new\" && mv \"\$1.new\" \"\$1\"\n" | editor ed1 &&
	echo 2 >file && echo "a b" >"$(printf "odd\nname")" && store -q add . && echo 3 >file && STORE_EDITOR="$TRASH/ed1" store commit >../out &&
	test_grep "\] written$" ../out && test "$(message)" = written && test "$(head -n 1 ../seen)" = "" && test_grep "^# On branch main; staged is:$" ../seen &&
	test_grep "^#	modified  file$" ../seen && test_grep "^#	new       .odd.nname.$" ../seen && test_grep "not staged: 1$" ../seen &&
	test_grep ! -v "^#\|^$" ../seen && test_path_is_missing .store/COMMIT_EDITMSG
'

test_expect_success '-e opens the editor on the message given, --amend on the message of HEAD' '
	cd edit && printf "#!/bin/sh\nsed -i \"1s/\$/, edited/\" \"\$1\"\n" | editor ed2 && STORE_EDITOR="$TRASH/ed2" store -q commit --allow-empty -e -m given -m more &&
	printf "given, edited\n\nmore\n" >../want && message >../got && test_cmp ../want ../got &&
	STORE_EDITOR="$TRASH/ed2" store -q commit --amend && printf "given, edited, edited\n\nmore\n" >../want && message >../got && test_cmp ../want ../got
'

test_expect_success 'STORE_EDITOR goes before core.editor, that before VISUAL, that before EDITOR; each may have options' '
	cd edit && printf "#!/bin/sh\necho \"\$1\" >\"\$2\"\n" | editor say &&
	named() { env "$@" store -q commit --allow-empty && message; } &&
	test "$(named EDITOR="$TRASH/say e")" = e && test "$(named EDITOR="$TRASH/say e" VISUAL="$TRASH/say v")" = v &&
	printf "[core]\neditor = $TRASH/say c\n" >>.store/config && test "$(named EDITOR="$TRASH/say e" VISUAL="$TRASH/say v")" = c &&
	test "$(named STORE_EDITOR="$TRASH/say s" VISUAL="$TRASH/say v")" = s && store -q -c core.editor="$TRASH/say f" commit --allow-empty && test "$(message)" = f
'

test_expect_success 'an editor that fails commits nothing, and the text is kept in a file that is named' '
	fresh fails && printf "#!/bin/sh\necho precious >\"\$1\"\nexit 7\n" | editor ed3 && echo 2 >file && store -q add . &&
	test_expect_code 2 env STORE_EDITOR="$TRASH/ed3" store commit 2>../err && test_line_count -eq 1 ../err &&
	test_grep "the editor .*ed3. ended with exit code 7; the text is kept in .*/.store/COMMIT_EDITMSG.$" ../err &&
	test "$(cat .store/COMMIT_EDITMSG)" = precious && test_expect_code 2 env STORE_EDITOR="$TRASH/no such" store commit 2>../err &&
	test_grep "ended with exit code 127" ../err && test "$(subjects)" = first,
'

test_expect_success 'when the commit fails behind the editor the message is kept, too' '
	cd fails && printf "#!/bin/sh\necho written >\"\$1\"\nstore -q commit -m faster\n" | editor ed4 &&
	test_expect_code 1 env STORE_EDITOR="$TRASH/ed4" store commit 2>../err && test_grep "the message is kept in .*COMMIT_EDITMSG" ../err &&
	test "$(cat .store/COMMIT_EDITMSG)" = written && test "$(subjects -1)" = faster,
'

test_expect_success 'a commit that is amended by somebody else meanwhile is not amended again: exit 5, the message kept' '
	cd fails && printf "#!/bin/sh\necho mine >\"\$1\"\nstore -q commit --amend -m theirs\n" | editor ed5 &&
	test_expect_code 5 env STORE_EDITOR="$TRASH/ed5" store commit --amend 2>../err && test_grep "HEAD is no longer on the commit to be amended" ../err &&
	test "$(subjects)" = "theirs,first," && test "$(cat .store/COMMIT_EDITMSG)" = mine
'

test_expect_success 'an empty message from the editor makes no commit; with nothing staged the editor is not opened' '
	cd fails && echo 3 >file && store -q add . && test_expect_code 2 env STORE_EDITOR=true store commit 2>../err && test_grep "message is empty" ../err &&
	store -q commit -m done && printf "#!/bin/sh\ntouch \"$TRASH/opened\"\n" | editor ed6 &&
	test_expect_code 1 env STORE_EDITOR="$TRASH/ed6" store commit 2>../err && test_grep "nothing to commit" ../err && test_path_is_missing ../opened
'

test_expect_success 'nothing is written through a link that lies where the message goes' '
	cd fails && echo mine >../victim && ln -sf ../../victim .store/COMMIT_EDITMSG && STORE_EDITOR="$TRASH/say linked" store -q commit --allow-empty &&
	test "$(cat ../victim)" = mine && test "$(message)" = linked
'

test_expect_success 'without a message and a terminal it is said first that there is nothing to commit, with -a, too' '
	fresh nothing && for all in "" -a; do
		test_expect_code 1 store commit $all 2>../err && test_line_count -eq 1 ../err && test_grep "nothing to commit" ../err || return 1
	done && echo 2 >file && test_expect_code 1 store commit 2>../err && test_grep "nothing to commit" ../err &&
	test_expect_code 2 store commit -a 2>../err && test_grep "use -m TEXT" ../err && test "$(store status --porcelain)" = " M file" &&
	test_expect_code 2 store commit --allow-empty 2>../err && test_grep "use -m TEXT" ../err &&
	store -q add file && test_expect_code 2 store commit 2>../err && test_line_count -eq 1 ../err && test_grep "use -m TEXT" ../err
'

cat >terminal.py <<'EOT'
import os, pty, sys
status = pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 1024))
sys.exit(os.waitstatus_to_exitcode(status))
EOT
test_expect_success 'vi is started on a terminal, and nowhere else' '
	fresh terminal && mkdir ../bin && printf "#!/bin/sh\necho by vi >\"\$1\"\n" | editor bin/vi && PATH="$TRASH/bin:$PATH" && export PATH &&
	echo 2 >file && store -q add . && test_expect_code 2 store commit 2>../err && test_grep "no terminal for an editor: use -m TEXT or -F FILE" ../err &&
	python3 ../terminal.py store commit </dev/null >../out && test_grep "by vi" ../out && test "$(message)" = "by vi"
'

test_expect_success 'the JSON of a commit has the same members in a dry run' '
	fresh json && echo 2 >file && store -q add . && store commit -n --json >../dry && store commit -m x --json >../real && python3 -c "
import json
a, b = json.load(open(\"../dry\")), json.load(open(\"../real\"))
assert list(a) == list(b) and a[\"commit\"] is None and a[\"root\"] == b[\"root\"] and a[\"modified\"] == b[\"modified\"] == 1, (a, b)"
'

test_done
