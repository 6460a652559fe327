#!/bin/sh
# What commit keeps, what it prints, who it says did it and when, and when it refuses.
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

fresh()
{
	mkdir "$1" && cd "$1" && store -q init && echo 1 >file && store -q add .
}
# state: everything below .store that commit may change.
state()
{
	find .store -type f ! -name lock.mdb -exec sha256sum {} + | sort
}
cat >show.py <<'EOT'
import importlib.machinery
import importlib.util
import os
import sys

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("second_reader", os.path.join(os.environ["SRC_ROOT"], "t/second-reader"))
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
loader.exec_module(reader)
store = reader.Store(".")
if len(sys.argv) < 2:
    sys.stdout.buffer.write(store.objects.get(store.resolve("HEAD")[1], "HEAD"))
else:
    for oid, _ in store.log("HEAD"):
        head, message = store.objects.get(oid, "a commit").decode().split("\n\n", 1)
        dates = [line.split("> ", 1)[1] for line in head.split("\n") if line.startswith(("author ", "committer "))]
        print("|".join([message.strip()] + dates))
EOT
# raw: the last commit as the second reader finds it in the packs, into the file raw.
raw()
{
	python3 "$TRASH/show.py" >"$TRASH/raw"
}
# line NAME: a line of its head.  line_is NAME VALUE: it is there once, and this; date_is NAME DATE: it ends so.
line()
{
	sed -n "/^$/q; s/^$1 //p" "$TRASH/raw"
}
one_line()
{
	lines=0 good=0 && while IFS= read -r head && [ -n "$head" ]; do
		case $head in "$1 "*) head=${head#"$1 "} && lines=$((lines + 1)) ;; *) continue ;; esac
		[ -z "$3" ] || head=${head##*"$3"}
		[ "$head" != "$2" ] || good=1
	done <"$TRASH/raw"
	[ "$lines$good" = 11 ] && return 0
	cat "$TRASH/raw" && return 1
}
line_is()
{
	one_line "$1" "$2" ''
}
date_is()
{
	one_line "$1" "$2" '> '
}

test_expect_success 'nothing was added yet: nothing to commit, a hint, exit 1' '
	mkdir none && cd none && store -q init && echo 1 >file &&
	test_expect_code 1 store commit -m one >../out 2>../err && test_must_be_empty ../out && test_line_count -eq 1 ../err &&
	test_grep "nothing to commit: nothing is staged; .store add PATH. stages" ../err &&
	test_expect_code 2 store log
'

test_expect_success 'commit prints branch, short id, subject, root, files, bytes and new bytes' '
	fresh first && store commit -m "the subject" >../out && test_line_count -eq 3 ../out &&
	test_grep -E "^\[main [0-9a-f]{12}\] the subject$" ../out && test_grep -E "^root [0-9a-f]{64} directory 0 2$" ../out &&
	test_grep -E "^1 added, 0 modified, 0 deleted; 1 file, 2 bytes in all, [0-9]+ bytes new$" ../out &&
	id=$(sed -n "s/^\[main \([0-9a-f]*\)\].*/\1/p" ../out) && store log >../log && test_grep "^commit $id" ../log &&
	root=$(sed -n "s/^root \([0-9a-f]*\).*/\1/p" ../out) && store root >../out && test_grep "^$root " ../out
'

test_expect_success 'nothing new is staged: exit 1, the state untouched; --allow-empty makes a commit with the same root' '
	cd first && state | grep -v data.mdb >../before && test_expect_code 1 store commit -m again 2>../err && test_grep "nothing to commit" ../err &&
	state | grep -v data.mdb >../after && test_cmp ../before ../after &&
	store root | cut -d" " -f1 >../want && store commit --allow-empty -m empty >../out && test_grep "0 added, 0 modified, 0 deleted; 1 file" ../out &&
	store root | cut -d" " -f1 >../got && test_cmp ../want ../got && test "$(store log --oneline | wc -l)" = 2
'

test_expect_success 'what was changed and not added is not committed' '
	cd first && echo changed >file && test_expect_code 1 store commit -m no && store add file && echo later >file && store -q commit -m yes &&
	test "$(store cat file)" = changed
'

test_expect_success '-n prints the root that the commit will have, and writes nothing' '
	cd first && store -q add . && echo more >more && store -q add . && state >../before &&
	store commit -n >../dry && state >../after && test_cmp ../before ../after &&
	store commit -m real >../out && sed -n "s/^root //p" ../dry >../want && sed -n "s/^root //p" ../out >../got && test -s ../want &&
	test_cmp ../want ../got && test_expect_code 1 store commit -n 2>../err && test_grep "nothing to commit" ../err &&
	store commit -n --allow-empty >../out && sed -n "s/^root //p" ../out >../got && test_cmp ../want ../got
'

test_expect_success 'commit -n counts what would be committed, and sees a mode that alone changed' '
	mkdir -p counted && cd counted && store -q init && echo 1 >a && echo 2 >b && store -q add . && store -q commit -m one &&
	echo 3 >c && echo 4 >>a && rm b && store -q add -A && store commit -n >../out &&
	test_grep "^1 added, 1 modified, 1 deleted; " ../out && store -q commit -m two &&
	chmod 640 a && store -q add a && store commit -n >../out && test_grep "^0 added, 0 modified, 0 deleted; " ../out &&
	ls .store/tmp >../out && test_must_be_empty ../out
'

test_expect_success 'only times changed: nothing to commit; a changed mode is something, though the root is the same' '
	cd first && touch -d 2001-01-01 more && store add . && test_expect_code 1 store commit -m times &&
	store root | cut -d" " -f1 >../want && chmod 600 more && store add . && store -q commit -m mode &&
	store root | cut -d" " -f1 >../got && test_cmp ../want ../got && store ls -l >../ls && test_grep "^-rw------- .* more$" ../ls
'

test_expect_success 'ls -l of a single file shows the attributes that the commit recorded, at each revision its own' '
	cd first && store ls -l more >../ls && test_grep "^-rw------- .* 2001-01-01 00:00  more$" ../ls &&
	store ls -l HEAD~1:more >../ls && test_grep "^-rw-r--r-- .* more$" ../ls && test_grep ! 2001 ../ls &&
	mkdir -p d/e && echo deep >d/e/f && chmod 640 d/e/f && touch -d "2002-03-04 05:06" d/e/f && store -q add d && store -q commit -m deep &&
	store ls -l d/e/f >../ls && test_grep "^-rw-r----- .* 2002-03-04 05:06  d/e/f$" ../ls &&
	store ls -l d/e >../want && test_cmp ../want ../ls && store --json ls d/e/f >../ls && test_grep "\"mode\":416,\"mtime\":1015218360" ../ls
'

test_expect_success 'core.metadata=none records no attributes' '
	mkdir bare && cd bare && store -q init && echo 1 >file && store -q -c core.metadata=none add . &&
	store -q -c core.metadata=none commit -m one && raw && test_grep ! "^meta " ../raw && cd ../first && raw && test_grep "^meta " ../raw
'

test_expect_success 'several -m are paragraphs, blanks at their ends are cut' '
	fresh message && store -q commit -m "subject" -m "second
line two" -m "third  " && raw && sed "1,/^$/d" ../raw >../got &&
	printf "subject\n\nsecond\nline two\n\nthird\n" >../want && test_cmp ../want ../got
'

test_expect_success 'an empty message, and no message, is refused in one line' '
	cd message && echo 2 >file && store -q add . && for m in "" "  " "

"; do
		test_expect_code 2 store commit -m "$m" 2>../err && test_line_count -eq 1 ../err && test_grep "message is empty" ../err || return 1
	done && test_expect_code 2 store commit 2>../err && test_line_count -eq 1 ../err && test_grep "use -m TEXT" ../err &&
	test_expect_code 2 store commit file -m x 2>../err && test_grep "commit takes no operand" ../err
'

test_expect_success 'odd bytes in a message are kept; in the first line printed they are harmless' '
	cd message && store commit -m "$(printf "bell \007 escape \033[31m \377 end")" >../out && raw && sed "1,/^$/d" ../raw >../got &&
	printf "bell \007 escape \033[31m \377 end\n" >../want && test_cmp ../want ../got &&
	tr -d "\12\40-\176\200-\377" <../out >../control && test_must_be_empty ../control
'

test_expect_success 'a long subject is cut in the reflog between two characters' '
	cd message && subject=a$(printf "%0150d" 0 | sed "s/0/é/g") && store -q commit --allow-empty -m "$subject" && store reflog -n 1 --json >log &&
	test_grep "\"why\":\"commit[^\"]*: a\(é\)*\"" log && test "$(sed "s/.*: a\(\(é\)*\)\".*/\1/" log | wc -c)" = 199
'

test_expect_success 'a message of 1 MiB goes in, one that is longer is refused' '
	fresh long && cat >many.py <<-\EOT &&
	import subprocess, sys
	sys.exit(subprocess.call(["store", "-q", "commit"] + ["-m" + "x" * 99998] * int(sys.argv[1])))
	EOT
	test_expect_code 2 python3 many.py 11 2>../err && test_line_count -eq 1 ../err && test_grep "longer than 1048576 bytes" ../err &&
	python3 many.py 10 && store log >../log && test "$(wc -c <../log)" -gt 1000000
'

test_expect_success 'author and committer come from the environment' '
	fresh who && store -q commit -m one && raw && line_is author "A U Thor <author@example.com> 1767323045 +0000" &&
	line_is committer "C O Mitter <committer@example.com> 1767323045 +0000"
'

test_expect_success '--author and --date stand above the environment, and change the author only' '
	cd who && store -q commit --allow-empty -m two --author "Somebody Else <e@x>" --date "2020-02-03T04:05:06+02:00" &&
	raw && line_is author "Somebody Else <e@x> 1580695506 +0200" &&
	line_is committer "C O Mitter <committer@example.com> 1767323045 +0000"
'

test_expect_success 'the environment stands above the configuration, the configuration above the login' '
	cd who && printf "[user]\nname = Con Fig\nemail = con@fig\n" >>.store/config && store -q commit --allow-empty -m three &&
	raw && line_is author "A U Thor <author@example.com> 1767323045 +0000" &&
	(unset STORE_AUTHOR_NAME && store -q commit --allow-empty -m four) &&
	raw && line_is author "Con Fig <author@example.com> 1767323045 +0000" &&
	(unset STORE_AUTHOR_NAME STORE_AUTHOR_EMAIL STORE_COMMITTER_NAME STORE_COMMITTER_EMAIL &&
		store -q commit --allow-empty -m five 2>../err) && test_must_be_empty ../err &&
	raw && line_is author "Con Fig <con@fig> 1767323045 +0000" && line_is committer "Con Fig <con@fig> 1767323045 +0000" &&
	(unset STORE_AUTHOR_NAME STORE_AUTHOR_EMAIL && store -q -c user.name=Flag commit --allow-empty -m six) &&
	raw && line_is author "Flag <con@fig> 1767323045 +0000"
'

test_expect_success 'without any of them the login and the name of the machine are taken, with one line that says so' '
	fresh login && (unset STORE_AUTHOR_NAME STORE_AUTHOR_EMAIL && store commit -m one >../out 2>../err) &&
	test_line_count -eq 1 ../err && test_grep "author was guessed from the login; set user.name and user.email" ../err &&
	raw && test "$(line author | sed "s/ [0-9]* [+-].*//")" = "$(id -un) <$(id -un)@$(uname -n)>"
'

test_expect_success 'user.useConfigOnly forbids the guess' '
	cd login && (unset STORE_AUTHOR_NAME STORE_AUTHOR_EMAIL &&
		test_expect_code 2 store -c user.useConfigOnly=true commit --allow-empty -m two 2>../err) && test_line_count -eq 1 ../err &&
	test_grep "set user.name and user.email" ../err && test "$(store log --oneline | wc -l)" = 1
'

test_expect_success 'an author that names nobody, or a date that is none, is refused and makes no commit' '
	cd login && for a in nobody "x <y" "<" "x <y> z"; do
		test_expect_code 2 store commit --allow-empty -m no --author "$a" 2>../err && test_line_count -eq 1 ../err &&
			test_grep "names nobody" ../err || return 1
	done && for d in yesterday-ish 2026-13-01T00:00:00Z "12 parsecs"; do
		test_expect_code 2 store commit --allow-empty -m no --date "$d" 2>../err && test_line_count -eq 1 ../err || return 1
	done
'

cat >dates.table <<'EOT'
2026-11-21T10:00:00Z|1795255200 +0000
2026-11-21T10:00:00+05:30|1795235400 +0530
2026-11-21 10:00:00 -0130|1795260600 -0130
@1234567890 +0100|1234567890 +0100
1234567890 -0800|1234567890 -0800
Sat, 21 Nov 2026 10:00:00 +0000|1795255200 +0000
EOT
test_expect_success 'setup: commits with dates of every form, given in each way' '
	fresh dates && while IFS="|" read -r given want; do
		store -q commit --allow-empty -m "$given by option" --date "$given" &&
			STORE_AUTHOR_DATE="$given" store -q commit --allow-empty -m "$given by author" &&
			STORE_COMMITTER_DATE="$given" store -q commit --allow-empty -m "$given by committer" || return 1
	done <../dates.table && python3 ../show.py log >../told
'
while IFS='|' read -r given want; do
	test_expect_success "the date '$given' is $want" '
		default="1767323045 +0000" && test_grep -Fx "$given by option|$want|$default" told &&
		test_grep -Fx "$given by author|$want|$default" told && test_grep -Fx "$given by committer|$default|$want" told
	'
done <dates.table

test_expect_success 'SOURCE_DATE_EPOCH stands below STORE_*_DATE and above the time of now' '
	fresh epoch && SOURCE_DATE_EPOCH=1000000000 store -q commit -m one && raw && date_is author "1767323045 +0000" &&
	(unset STORE_AUTHOR_DATE STORE_COMMITTER_DATE && SOURCE_DATE_EPOCH=1000000000 store -q commit --allow-empty -m two) &&
	raw && date_is author "1000000000 +0000" && date_is committer "1000000000 +0000" &&
	before=$(date +%s) && (unset STORE_AUTHOR_DATE STORE_COMMITTER_DATE && store -q commit --allow-empty -m three) && after=$(date +%s) &&
	raw && now=$(line author | sed "s/.*> //; s/ .*//") && test "$before" -le "$now" && test "$now" -le "$after" &&
	test_expect_code 2 env -u STORE_AUTHOR_DATE SOURCE_DATE_EPOCH=soon store commit --allow-empty -m four 2>../err &&
	test_grep "SOURCE_DATE_EPOCH is no number" ../err
'

test_expect_success 'names with brackets and line ends cannot forge a header' '
	cd epoch && STORE_AUTHOR_NAME="Ev<il>
committer Forged <f@x> 1 +0000" store -q commit --allow-empty -m forged &&
	raw && test "$(grep -c "^committer " ../raw)" = 1 && test_grep "^committer C O Mitter" ../raw && "$SRC_ROOT/t/second-reader" . verify
'

test_expect_success 'the first commit has no parent, each other one the one before; counts are those of the layer' '
	fresh chain && store -q commit -m one && raw && test_grep ! "^parent" ../raw && first=$(store log | sed -n "s/^commit //p") &&
	echo 2 >file && mkdir d && echo 3 >d/x && echo 4 >d/y && store -q add . && store commit -m two >../out &&
	test_grep "^2 added, 1 modified, 0 deleted; 3 files, 6 bytes in all" ../out && raw && line_is parent "$first" &&
	rm -r d && chmod +x file && store -q add . && store commit -m three >../out &&
	test_grep "^0 added, 1 modified, 2 deleted; 1 file, 2 bytes in all" ../out && "$SRC_ROOT/t/second-reader" . verify
'

test_expect_success '-q prints nothing, --json one object' '
	cd chain && echo 5 >file && store -q add . && store -q commit -m four >../out 2>../err && test_must_be_empty ../out && test_must_be_empty ../err &&
	echo 6 >file && store -q add . && store --json commit -m five >../out && python3 -c "
import json
r = json.load(open(\"../out\"))
assert r[\"schema\"] == \"store/commit/1\" and r[\"branch\"] == \"main\" and r[\"modified\"] == 1 and r[\"generation\"] == 4, r
assert r[\"root\"][\"files\"] == 1 and len(r[\"commit\"]) == 64, r"
'

test_done
