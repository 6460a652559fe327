#!/bin/sh
# Ignore rules: their grammar and precedence beside git's, and what add, status and checkout make of them.  N= takes more cases.
test_leaks=0
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# fresh NAME: an empty repository, and go there.
fresh()
{
	mkdir "$1" && cd "$1" && store init -q .
}

# make PATH...: a file at each, with the directories above it.
make()
{
	for made; do
		case $made in
		*/*) mkdir -p "${made%/*}" ;;
		esac
		echo "$made" >"$made" || return 1
	done
}

# staged WANTED...: these files and no others are in the stage.
staged()
{
	printf "%s\n" "$@" | LC_ALL=C sort >../want
	store ls -r : | sed '/\/$/d' | LC_ALL=C sort >../got
	test_cmp ../want ../got
}

# status_is WANTED... -- OPTION...: the lines of the porcelain form, in any order.
status_is()
{
	: >../want
	while [ "$1" != -- ]; do
		printf "%s\n" "$1" >>../want
		shift
	done
	shift
	store status --porcelain "$@" | LC_ALL=C sort >../got && LC_ALL=C sort -o ../want ../want && test_cmp ../want ../got
}

# ignored WANTED... -- PATH...: check-ignore prints these lines.
ignored()
{
	: >../want
	while [ "$1" != -- ]; do
		printf "%b\n" "$1" >>../want
		shift
	done
	shift
	store check-ignore "$@" >../got
	test_cmp ../want ../got
}

test_expect_success 'random rules in random trees: the deciding rule of every path is the one that git names' '
	mkdir beside && cd beside && python3 -B "$SRC_ROOT/t/ignore-beside-git.py" "${SEED-1}" "$(test_cases 500)"
'

test_expect_success 'add leaves ignored paths out, and takes what is negated, nested and anchored as its page says' '
	fresh add && make a.o keep.o src/b.o src/c sub/a.o sub/deep/x.tmp build/out lib/build/out root only/root doc/a/b/c.pdf doc/c.pdf &&
	printf "%s\n" "# objects" "*.o" "!keep.o" "/build/" "/root" "doc/**/c.pdf" >.storeignore && printf "%s\n" "!a.o" "*.tmp" >sub/.storeignore &&
	store add . && staged .storeignore keep.o src/c sub/.storeignore sub/a.o lib/build/out only/root
'

test_expect_success 'status shows ignored paths under --ignored alone, an excluded directory as one line' '
	cd add && store commit -q -m one && status_is -- &&
	status_is "!! a.o" "!! src/b.o" "!! sub/deep/x.tmp" "!! build/" "!! root" "!! doc/c.pdf" "!! doc/a/b/c.pdf" -- --ignored &&
	make new/x.o new/y && status_is "?? new/" -- && status_is "?? new/y" -- -uall &&
	store status --porcelain --ignored >../got && test_grep "^?? new/\$" ../got && test_grep "^!! new/x.o\$" ../got && test_grep ! "new/y" ../got
'

test_expect_success 'nothing is re-included below an excluded directory' '
	fresh wall && make out/keep out/deep/keep top && printf "%s\n" "out/" "!out/keep" "!keep" >.storeignore && echo "!keep" >out/.storeignore &&
	store add . && staged .storeignore top && status_is "A  .storeignore" "A  top" "!! out/" -- --ignored &&
	ignored ".storeignore:1:out/\tout/deep/keep" -- -v out/deep/keep
'

test_expect_success 'an ignored operand is exit 2 with the -f hint, one below an excluded directory, too; others are added' '
	fresh operands && make x.o y out/z out/w && printf "%s\n" "*.o" "out" >.storeignore &&
	test_expect_code 2 store add x.o y out/z 2>../err && staged y &&
	test "$(grep -c "is ignored: not added; .store add -f. takes it" ../err)" = 2 && test_grep "x\.o. is ignored" ../err && test_grep "out/z. is ignored" ../err &&
	test_expect_code 2 store add out 2>../err && test_grep "out. is ignored" ../err && staged y
'

test_expect_success '-f takes ignored paths, which stay tracked, while their neighbours stay ignored' '
	cd operands && store add -f x.o out/z && staged x.o y out/z &&
	echo more >>x.o && echo more >>out/z && make out/new && store add . && staged .storeignore x.o y out/z &&
	store cat :out/z | cmp - out/z && store cat :x.o | cmp - x.o && store add x.o out/z out &&
	status_is "A  .storeignore" "A  x.o" "A  y" "A  out/z" "!! out/w" "!! out/new" -- --ignored &&
	rm out/z && store add . && staged .storeignore x.o y && store add -f . && staged .storeignore x.o y out/w out/new
'

test_expect_success 'add -u neither reads rules nor takes anything new' '
	fresh update && make a b && store add a && echo more >>a && mkfifo .storeignore && store add -u && staged a && store cat :a | cmp - a
'

test_expect_success 'a tracked file that became an ignored directory is gone, and what is in it is ignored' '
	fresh became && make thing && store add thing && echo thing/ >.storeignore && rm thing && make thing/x &&
	status_is "AD thing" "?? .storeignore" "!! thing/" -- --ignored && store add . && staged .storeignore
'

test_expect_success '.git is out by a built-in rule that any other goes before, .store always; .gitignore is not read' '
	fresh builtin && make .git/x d/.git a.o && echo "*.o" >.gitignore && store add . && staged .gitignore a.o &&
	ignored "built-in:0:.git\t.git/x" "built-in:0:.git\td/.git" -- -v .git/x d/.git &&
	printf "%s\n" "!.git" "!.store" >.storeignore && store add . && staged .gitignore .storeignore a.o .git/x d/.git &&
	test_expect_code 2 store check-ignore .store/config 2>../err && test_grep "never stored" ../err
'

test_expect_success 'rules of a directory go before those above it, then .store/info/exclude, then the user file' '
	fresh levels && mkdir -p .store/info sub "$XDG_CONFIG_HOME/store" && make u e t sub/u sub/e sub/t &&
	test_when_finished "rm \"$XDG_CONFIG_HOME/store/ignore\"" &&
	printf "%s\n" u e t >"$XDG_CONFIG_HOME/store/ignore" && printf "%s\n" "!e" "!t" >.store/info/exclude && echo t >.storeignore && echo "!t" >sub/.storeignore &&
	ignored "$XDG_CONFIG_HOME/store/ignore:1:u\tu" ".store/info/exclude:1:!e\te" ".storeignore:1:t\tt" "sub/.storeignore:1:!t\tsub/t" -- -v u e t sub/t &&
	store add . && staged .storeignore sub/.storeignore e sub/e sub/t
'

test_expect_success 'core.excludesFile names the user file: absolute, from home or from the top; empty for none' '
	fresh named && make a b c && mkdir -p "$XDG_CONFIG_HOME/store" && echo "*" >"$XDG_CONFIG_HOME/store/ignore" && test_when_finished "rm \"$XDG_CONFIG_HOME/store/ignore\"" &&
	echo a >"$HOME/mine" && echo b >mine && ln -s "$HOME/mine" "$TRASH/linked" &&
	store -c core.excludesFile="~/mine" check-ignore a b >../got && echo a >../want && test_cmp ../want ../got &&
	store -c core.excludesFile=mine check-ignore a b >../got && echo b >../want && test_cmp ../want ../got &&
	store -c core.excludesFile="$TRASH/linked" check-ignore a b >../got && echo a >../want && test_cmp ../want ../got &&
	test_expect_code 1 store -c core.excludesFile= check-ignore a b &&
	store -c core.excludesFile=mine add . && staged a c mine
'

test_expect_success 'check-ignore: 0 when some path is ignored, 1 when none is, 2 for what cannot be told; -q, -n, paths from below' '
	fresh codes && make a.o b sub/c.o && printf "%s\n" "*.o" "!x.o" >.storeignore && ln -s sub link &&
	store check-ignore a.o b && test_expect_code 1 store check-ignore b && test_expect_code 1 store check-ignore -v x.o &&
	store check-ignore -q b a.o >../out && test_must_be_empty ../out && test_expect_code 1 store check-ignore -q b &&
	test_expect_code 2 store check-ignore a.o link/c.o ../outside . 2>../err >../out && echo a.o >../want && test_cmp ../want ../out && test_line_count -eq 3 ../err &&
	test_grep "beyond a symbolic link" ../err &&
	ignored ".storeignore:1:*.o\ta.o" "::\tb" ".storeignore:2:!x.o\tx.o" -- -v -n a.o b x.o &&
	cd sub && store check-ignore -v c.o ../a.o >../got && printf "%s\t%s\n" "../.storeignore:1:*.o" c.o "../.storeignore:1:*.o" ../a.o >../want && test_cmp ../want ../got
'

test_expect_success 'check-ignore tells nothing about tracked paths but with --no-index, and takes a slash at the end for a directory' '
	fresh tracked && make a.o d/x && printf "%s\n" "*.o" "d/" "new/" >.storeignore && store add -f a.o d && test_expect_code 1 store check-ignore a.o d d/x &&
	ignored a.o d d/x -- --no-index a.o d d/x && test_expect_code 1 store check-ignore new && store check-ignore new/ && ignored new/x -- new/x
'

test_expect_success 'check-ignore reads standard input and answers each line before it reads the next; -z; odd names are quoted' '
	fresh stdin && printf "%s\n" "*.o" >.storeignore && printf "a\tb.o\0c\0\303\244.o\0" | store check-ignore --stdin -z >../got && printf "a\tb.o\0\303\244.o\0" | cmp - ../got &&
	printf "%s\n" "\"a\\tb.o\"" c d.o | store check-ignore --stdin >../got && printf "%s\n" "\"a\\tb.o\"" d.o >../want && test_cmp ../want ../got &&
	printf "a.o\0b\0" | store check-ignore -v -n -z --stdin >../got && printf ".storeignore\0001\0*.o\0a.o\0\0\0\0b\0" | cmp - ../got &&
	python3 -c "
import subprocess
p = subprocess.Popen([\"store\", \"check-ignore\", \"--stdin\"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for name in (b\"1.o\n\", b\"2.o\n\"):
    p.stdin.write(name)
    p.stdin.flush()
    assert p.stdout.readline() == name
p.stdin.close()
assert p.wait() == 0
"
'

test_expect_success 'check-ignore --json: one object for each path, every member there' '
	cd stdin && make b && store add b && store --json check-ignore a.o b c >../got &&
	cat >../want <<-\EOT &&
	{"schema":"store/check-ignore/1","path":"a.o","ignored":true,"tracked":false,"source":".storeignore","line":1,"pattern":"*.o","negated":false}
	{"schema":"store/check-ignore/1","path":"b","ignored":false,"tracked":true,"source":null,"line":null,"pattern":null,"negated":false}
	{"schema":"store/check-ignore/1","path":"c","ignored":false,"tracked":false,"source":null,"line":null,"pattern":null,"negated":false}
	EOT
	test_cmp ../want ../got
'

# closed WHY: d/.storeignore cannot be had, for that reason.  What is tracked in d goes on, what is not stays out and is not shown.
closed()
{
	echo more >>d/tracked && make d/new d/deep/new &&
		test_expect_code 3 store add . 2>../err && test "$(grep -c storeignore ../err)" = 1 && test_grep "cannot read .d/.storeignore.: $1" ../err &&
		store cat :d/tracked | cmp - d/tracked && store ls -r : >../got && test_grep ! "new" ../got && test_grep "^outside\$" ../got &&
		test_expect_code 3 store status --porcelain --ignored >../got 2>../err && test_grep ! new ../got && test_grep "cannot read .d/.storeignore.: $1" ../err &&
		test_expect_code 3 store add d/deep/new 2>../err && test_grep "d/.storeignore.: $1" ../err &&
		test_expect_code 2 store check-ignore d/new d/deep/new outside2 2>../err && test "$(grep -c "d/.storeignore.: $1" ../err)" = 2 &&
		store status --porcelain -uno && store add -u && store add -f d/new && store cat :d/new | cmp - d/new
}

test_expect_success 'a rules file that is a symlink, dangling or not, is not followed and closes its directory: named, exit 3' '
	fresh link && make d/tracked && store add . && make outside && echo "*" >../rules && ln -s ../../rules d/.storeignore && closed "it is a symbolic link" &&
	ln -sf nowhere d/.storeignore && make d/again && test_expect_code 3 store add . 2>../err && test_grep "it is a symbolic link" ../err
'

test_expect_success 'a FIFO is never opened and closes its directory; a directory of that name holds no rules' '
	fresh fifo && make d/tracked && store add . && make outside && mkfifo d/.storeignore && closed "it is no regular file" &&
	fresh folder && make .storeignore/x a && store add . && staged .storeignore/x a
'

test_expect_success 'limits of rules: bytes of a file, of a pattern, of all, and patterns close the directory and name the limit' '
	fresh limits && make d/tracked && store add . && make outside && python3 -c "print(\"#\" * 1048576)" >d/.storeignore && closed "it is larger than 1048576 bytes" &&
	python3 -c "print(\"ok\"); print(\"a\" * 4097)" >d/.storeignore && make d/two && test_expect_code 3 store add . 2>../err && test_grep "line 2 is longer than 4096 bytes" ../err &&
	python3 -c "print(\"a\n\" * 32769)" >d/.storeignore && test_expect_code 3 store add . 2>../err && test_grep "more than 32768 patterns are in force" ../err &&
	mkdir -p d/e/f && for i in . d d/e; do python3 -c "print(\"zz\"); print(\"#\" * 900000)" >$i/.storeignore || return 1; done && make d/e/g && test_expect_code 3 store add . 2>../err &&
	test_grep "d/e/.storeignore.: with it more than 2097152 bytes are in force" ../err && test_grep ! "d/.storeignore" ../err &&
	python3 -c "print(\"a\" * 4096); print(\"a\n\" * 32767, end=\"\")" >d/.storeignore && rm .storeignore d/e/.storeignore && store add .
'

test_expect_success 'rules that may not be read close their directory' '
	fresh denied && make d/tracked && store add . && make outside d/new && echo "*.o" >d/.storeignore && chmod 0 d/.storeignore && test_give_to_user . &&
	test_expect_code 3 test_as_user store add . 2>../err && test_grep "cannot read .d/.storeignore.: Permission denied" ../err && staged d/tracked outside &&
	test_expect_code 3 test_as_user store status --porcelain >../got 2>../err && test_grep ! new ../got && test_grep "d/.storeignore.: Permission denied" ../err
'

test_expect_success 'rules of the user or of the repository that cannot be read close the tree, and are named' '
	fresh outer && make tracked && store add . && echo more >>tracked && make new && mkfifo ../rules-fifo &&
	test_expect_code 3 store -c core.excludesFile="$TRASH/rules-fifo" add . 2>../err && test_grep "ignore rules in .*rules-fifo.: it is no regular file" ../err &&
	staged tracked && store cat :tracked | cmp - tracked &&
	mkdir .store/info && mkfifo .store/info/exclude && test_expect_code 3 store add new 2>../err && test_grep "cannot read .*store/info/exclude.: it is no regular file" ../err && staged tracked
'

test_expect_success 'an add of an unchanged tree reads no rules, and one with something new reads those it needs, once' '
	fresh lazy && make a/x a/y b/x && echo "*.o" >.storeignore && echo "*.o" >a/.storeignore && echo "*.o" >b/.storeignore && store add . &&
	STORE_TRACE=walk:../trace store add . && test_grep ! "rules=" ../trace && make a/1 a/2 a/3 && STORE_TRACE=walk:../trace2 store add . &&
	grep -o "rules=[^ ]*" ../trace2 | grep storeignore >../got && printf "%s\n" rules=.storeignore rules=a/.storeignore >../want && test_cmp ../want ../got
'

test_expect_success 'an ignored file in the way is a conflict of checkout, and stays' '
	fresh way && make a && store add a && store commit -q -m one && make x.o && store add -f x.o && store commit -q -m two && store checkout -q HEAD~1 &&
	echo "*.o" >.storeignore && echo mine >x.o && test_expect_code 2 store checkout main 2>../err && test_grep "x\.o" ../err && test "$(cat x.o)" = mine
'

test_done
