#!/bin/sh
# Tags: plain and annotated, made, moved, deleted and listed.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/refs-lib.sh"

test_expect_success 'before the first commit there is nothing to tag' '
	store init -q empty && cd empty && prints -- tag && refuses 2 "has no commit yet" tag v1 && refuses 2 "has no commit yet" tag -m x v1
'

test_expect_success 'setup: three commits' '
	store init -q repo && cd repo && commits one two three
'

test_expect_success 'a plain tag names a commit, HEAD or another, and brings no object' '
	cd repo && objects=$(store info | grep "^objects") && store tag v2 HEAD~1 2>../err && test_grep "the tag .v2. names" ../err && store tag v3 &&
	at two v2 && at three v3 && at two tags/v2 && at two refs/tags/v2 && at one v2~1 && test "$(store info | grep "^objects")" = "$objects" &&
	store tag sub/tag v2 && at two sub/tag
'

test_expect_success 'an annotated tag is one object that says who, when and why, and in every revision it means its commit' '
	cd repo && n=$(records) && store tag -m "first line
second line" -m "a paragraph" noted HEAD~2 && test "$(records)" = $((n + 1)) && at one noted && at one refs/tags/noted &&
	store --json tag -l noted >../out && test_grep "\"tagger\":\"C O Mitter <committer@example.com>\",\"time\":\"2026-01-02T03:04:05+00:00\"" ../out &&
	python3 -c "
import json
row = json.loads(open(\"../out\").read())
assert row[\"message\"] == \"first line\nsecond line\n\na paragraph\n\", row
print(row[\"tag\"])" >../id && id=$(cat ../id) && at one "$id" && at one "$(cut -c1-10 ../id)" && at one "$(cut -c1-10 ../id)^{}" && store cat f@noted >../got &&
	echo one | test_cmp - ../got && store root noted >../got && store root HEAD~2 | test_cmp - ../got
'

test_expect_success 'its object is what store-format tells: the second reader finds the same bytes' '
	cd repo && store tag -m bytes plainbytes && "$SECOND_READER" . refs >../refs && store --json tag -l plainbytes >../json && python3 -c "
import hashlib, json
row = json.load(open(\"../json\"))
text = \"store tag 1\nobject %s\ntype commit\ntag plainbytes\ntagger C O Mitter <committer@example.com> 1767323045 +0000\n\nbytes\n\" % row[\"commit\"]
id = hashlib.sha256(text.encode()).hexdigest()
assert row[\"tag\"] == id, row
assert \"refs/tags/plainbytes \" + id in open(\"../refs\").read().splitlines()" && "$SECOND_READER" . verify >../out && store tag -d plainbytes
'

test_expect_success '-F takes the message from a file or from standard input' '
	cd repo && printf "from a file\n\nwith more\n" >../message && store tag -F ../message filed && store tag -n9 -l filed >../got &&
	printf "filed           from a file\n    \n    with more\n" | test_cmp - ../got && echo piped | store tag -a -F - piped && prints "piped           piped" -- tag -n -l piped &&
	refuses 2 "cannot open '\''../nowhere'\''" tag -F ../nowhere x && printf "a\0b" >../message && refuses 2 "holds a NUL" tag -F ../message x &&
	store tag -d filed piped
'

test_expect_success 'blanks of a message are put in order as those of a commit are' '
	cd repo && printf "\n\nsubject  \n\n\n\nbody\t\n# no comment\n\n" >../message && store tag -F ../message ordered && store tag -m "subject  " -m "

body  
# no comment
" same && store show -s --json ordered same | grep -o "\"message\":\"subject[^\"]*" | sort | uniq -c | sed "s/^ *//" >order &&
	printf "%s\n" "2 \"message\":\"subject\\u000a\\u000abody\\u000a# no comment\\u000a" | test_cmp - order && store tag -d ordered same
'

test_expect_success 'an empty message is refused, and one over 1 MiB; -a alone asks for -m where there is no editor' '
	cd repo && refuses 2 "message of the tag is empty" tag -m "" x && refuses 2 "message of the tag is empty" tag -m " " x && : >../message &&
	refuses 2 "message of the tag is empty" tag -F ../message x && head -c 1100000 /dev/zero | tr "\0" x >../message &&
	refuses 2 "longer than 1048576 bytes" tag -F ../message x && refuses 2 "use -m TEXT" tag -a x
'

test_expect_success '-a alone takes the message from the editor, without the lines that begin with #; what makes no tag is kept' '
	printf "#!/bin/sh\ncp \"\$1\" ../shown && printf \"%%s\\\\n\" \"\$SAYS\" \"# no\" >\"\$1\"\n" >editor && chmod +x editor && cd repo &&
	SAYS="by hand" STORE_EDITOR=../editor store tag -a edited HEAD~1 && test_grep "^# The message of the tag .edited. goes above" ../shown &&
	store --json tag -l edited >../got && test_grep "\"message\":\"by hand.u000a\"" ../got && at two edited && test_path_is_missing .store/TAG_EDITMSG &&
	export SAYS= STORE_EDITOR=../editor && refuses 2 "message of the tag is empty" tag -a x && test_path_is_missing .store/TAG_EDITMSG &&
	test_expect_code 2 env SAYS=precious STORE_EDITOR=../editor store tag -a edited 2>../err && test_grep "exists already" ../err &&
	test_grep "the message is kept in .*TAG_EDITMSG" ../err && test_grep "^precious" .store/TAG_EDITMSG && rm .store/TAG_EDITMSG &&
	refuses 2 "ended with exit code 1" -c core.editor=false tag -a x && store tag -d edited && rm .store/TAG_EDITMSG
'

test_expect_success 'a tag that is there is refused and moved by -f; names and revisions that cannot be are refused' '
	cd repo && refuses 2 "a tag '\''v2'\'' exists already" tag v2 && refuses 2 "exists already" tag -m again v2 && store tag -f v2 HEAD~2 && at one v2 &&
	store tag -f -m moved v2 HEAD~1 && at two v2 && at one v2@{1} && store tag -f v2 noted && at one v2 && refuses 2 "no ref is a directory" tag v2/x &&
	refuses 2 "no ref is a directory" tag -m x sub && refuses 2 "unknown revision" tag x nope && refuses 2 "it holds '\''..'\''" tag a..b &&
	refuses 2 "begins with" tag -m x -- -x && n=$(records) && store tag -f v2 noted && test "$(records)" = "$n"
'

test_expect_success 'the list is in byte order, by patterns, with -n lines of the message, of the commit for a plain tag' '
	cd repo && prints noted sub/tag v2 v3 -- tag && prints noted sub/tag v2 v3 -- tag -l && prints v2 v3 -- tag -l "v*" && prints sub/tag -- tag --list "s*g" x &&
	prints "noted           first line" "sub/tag         two" "v2              one" "v3              three" -- tag -n &&
	prints "noted           first line" "    second line" -- tag -n2 noted && store tag -z | tr "\0" "\n" >../got && store tag | test_cmp - ../got &&
	store --json tag | python3 -c "
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert [r[\"name\"] for r in rows] == [\"noted\", \"sub/tag\", \"v2\", \"v3\"]
assert all(list(r) == \"schema action name commit tag old tagger time message\".split() for r in rows)
assert [r[\"tag\"] is None for r in rows] == [False, True, True, True]"
'

test_expect_success 'checkout of a tag detaches; switch refuses it; a branch of its name goes before it' '
	cd repo && refuses 2 "a branch is expected, and '\''noted'\'' is a commit" switch noted && store checkout -q noted && prints -- branch --show-current &&
	echo one | test_cmp - f && store checkout -q - && store branch v3 HEAD~1 && store checkout -q v3 && prints v3 -- branch --show-current && at two HEAD &&
	store checkout -q main && store branch -D v3
'

test_expect_success '-d deletes several, and says what each was; what is not there is told, the others go' '
	cd repo && store branch v9 && test_expect_code 2 store tag -d v2 v9 nothing sub/tag 2>../err && test_line_count -eq 4 ../err &&
	test_grep "deleted the tag .v2., which was" ../err && test_grep "there is no tag .v9." ../err && prints noted v3 -- tag && prints "  v9" -- branch -l v9 &&
	store reflog v2 >../out && test_grep "^(deleted)  *v2@{0}: tag: deleted\$" ../out
'

test_expect_success 'after a rebuild tags and what they say are the same, and fsck is content' '
	cd repo && store fsck -q && store --json tag >../want && "$SECOND_READER" . refs >>../want && rm -r .store/db && store -q fsck --rebuild &&
	store --json tag >../got && "$SECOND_READER" . refs >>../got && test_cmp ../want ../got && at one noted
'

for point in pack.sync publish.rename publish.sync refslog.write refslog.sync env.commit env.committed; do
	test_expect_success "killed at $point a tag is there or not, whole, and the same command makes it" '
		rm -rf cut && cp -a repo cut && cd cut && { (STORE_FAULT='$point':1:kill && export STORE_FAULT && exec store tag -m why cut) ; test $? = 137; } &&
		store tag >../out && store fsck -q && store tag -f -m why cut && prints cut -- tag -l cut && at three cut && store fsck -q &&
		ls -A .store/tmp >../left && test_must_be_empty ../left
	'
done

test_done
