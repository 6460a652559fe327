#!/bin/sh
# The command line: one table of options is the parser, -h and the manual page; bad usage gets one line and exit code 2.
. "$(dirname "$0")/test-lib.sh"
# No page of an installed store is found.
MANPATH=$TRASH/none
export MANPATH

# The commands, as `store -h` lists them.
list_commands()
{
	store -h | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

# options.py help <TEXT: the options that -h tells, one a line: the spellings in one order, then the name of the value if there
# is one, in lower case and without blanks, once however many spellings there are.  options.py page FILE: the same from a manual
# page, where a spelling follows each Fl, and what stands behind Ar or Cm is the value.  options.py compare COMMAND=PAGE...: the
# text of help/COMMAND and the page must say the same.  options.py ask COMMAND...: -h, --help and help must, and it is kept there.
cat >options.py <<'EOT'
import re
import subprocess
import sys

SPELLING = re.compile(r"(^|[ ,])(--?[a-zA-Z][a-z-]*)")


def normalise(lines):
    told = []
    for line in lines:
        spellings = sorted(m[2] for m in SPELLING.finditer(line))
        values = SPELLING.sub(",", line).lower().split(",")
        values = sorted({re.sub(r"^=", "", re.sub(r"[] []", "", v)) for v in values} - {""})
        told.append("".join(w + " " for w in spellings + values))
    return sorted(told)


def of_help(text):
    return normalise(re.sub(r"   *.*", "", m[1]) for m in re.finditer(r"^  (-.*)$", text, re.M))


def of_page(text):
    part = re.search(r"^\.Sh DESCRIPTION$(.*?)^(\.Ss|\.Sh E)", text, re.M | re.S)[1]
    return normalise(re.sub(r"(^| )(Ns|Ar|Cm|Op|Oo|Oc)\b", r"\1", re.sub(r"Fl ([^ ]*)", r"-\1", m[1]))
                     for m in re.finditer(r"^\.It (Fl .*)$", part, re.M))


def read(path):
    with open(path) as f:
        return f.read()


def compare(pairs):
    bad = told = 0
    for command, page in (p.split("=", 1) for p in pairs):
        table, page = of_help(read("help/" + command)), of_page(read(page))
        if table != page:
            bad = 1
            print("in %s: -h has %s, the page %s" % (command, set(table) - set(page), set(page) - set(table)))
        told += len(table)
    return bad or told < 100 and "only %d options in all" % told


def ask(commands):
    for command in commands:
        told = [subprocess.run(["store"] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
                for args in ([command, "-h"], ["--help", command], ["help", command])]
        with open("help/" + command, "w") as f:
            f.write(told[0].stdout)
        if [t.returncode for t in told] != [0, 0, 0] or told[0].stderr or {t.stdout for t in told} != {told[0].stdout} \
                or not re.search("^usage: store %s" % command, told[0].stdout, re.M):
            print("help of %s: %s" % (command, told))
            return 1


if sys.argv[1] in ("compare", "ask"):
    sys.exit({"compare": compare, "ask": ask}[sys.argv[1]](sys.argv[2:]))
print("\n".join(of_help(sys.stdin.read()) if sys.argv[1] == "help" else of_page(read(sys.argv[2]))))
EOT

# A command line that is refused: exit code 2, one line on standard error that begins with "store: ", nothing else.
refused()
{
	test_expect_code 2 store "$@" >refused.out 2>refused.err &&
		test_must_be_empty refused.out || return 1
	refused_line='' refused_more=''
	{
		IFS= read -r refused_line && ! IFS= read -r refused_more && [ -z "$refused_more" ]
	} <refused.err && case $refused_line in 'store: '*) return 0 ;; esac
	echo "refused: not one line of ours: $*" && cat refused.err
	return 1
}

test_expect_success 'the normaliser tells options with and without a value apart' '
	printf "%s\n" "  -m, --message TEXT         the message" "  -n, --dry-run   print -n" \
		"  -u[no|all], --untracked-files[=no|all]" "  --author NAME <MAIL>   who" >text &&
	python3 options.py help <text >got &&
	printf "%s\n" "--author name<mail> " "--dry-run -n " "--message -m text " "--untracked-files -u no|all " | sort >want &&
	test_cmp want got &&
	printf "%s\n" ".Sh DESCRIPTION" ".It Fl m , Fl -message Ar text" ".It Fl n , Fl -dry-run" ".It Fl -author Ar name <mail>" \
		".It Fl u Ns Oo Cm no | all Oc , Fl -untracked-files Ns Op = Ns Cm no | all" ".Sh EXIT" >page &&
	python3 options.py page page >got &&
	test_cmp want got
'

test_expect_success 'every command has a manual page and every page of a command its command' '
	list_commands | sort >commands &&
	test_line_count -ge 13 commands &&
	ls "$SRC_ROOT/man" | sed -n "s/^store-\(.*\)[.]1\$/\1/p" | sort >pages &&
	test_cmp commands pages
'

test_expect_success 'store(1) lists every command' '
	list_commands | sort >commands &&
	sed -n "s/^[.]It Xr store-\([a-z-]*\) 1\$/\1/p" "$SRC_ROOT/man/store.1" | sort >listed &&
	test_cmp commands listed
'

test_expect_success 'setup: -h, --help and help work for every command, outside a repository, on standard output' '
	mkdir help && list_commands >commands && test_line_count -ge 13 commands && python3 options.py ask $(cat commands)
'

test_expect_success 'the options of every command stand in its manual page, and no others' '
	python3 options.py compare $(for command in $(list_commands); do echo "$command=$SRC_ROOT/man/store-$command.1"; done)
'

test_expect_success 'the options of every command at once stand in store(1), and no others' '
	store -h >text &&
	python3 options.py help <text >table &&
	test_line_count -ge 12 table &&
	python3 options.py page "$SRC_ROOT/man/store.1" >page &&
	test_cmp table page
'

test_expect_success 'help -a lists every command, and a topic for every page that is no command'"'"'s' '
	store help -a >out && sed -n "/^Commands/,/^Topics/s/^  \([a-z-]*\)  .*/\1/p" out | sort >got && list_commands | sort >want &&
	test_cmp want got && sed -n "/^Topics/,\$ s/^  \([a-z]*\)  .*/\1/p" out | sort >topics &&
	ls "$SRC_ROOT/man" | sed -n "s/^store-*\([a-z-]*\)[.][2-9]\$/\1/p" >pages && echo revisions >>pages && sort pages >want && test_cmp want topics
'

test_expect_success 'help shows the page of a command or topic, by mandoc where man does not know it' '
	mkdir -p tools && ln -sf "$(command -v mandoc)" tools/mandoc && ln -sf "$STORE_BIN/store" tools/store && mkdir -p mandir/man1 mandir/man5 mandir/man7 &&
	for n in 1 5 7; do cp "$SRC_ROOT"/man/*.$n mandir/man$n/ || return 1; done &&
	for pair in add:STORE-ADD json:STORE-JSON tutorial:STORETUTORIAL format:STORE-FORMAT revisions:STORE; do
		MANPATH=$PWD/mandir PATH=$PWD/tools store help "${pair%:*}" >out 2>err && test_must_be_empty err && head -n 1 out >title &&
		test_grep "^${pair#*:}(" title || return 1
	done
'

test_expect_success 'a topic that is not installed, or is none, is an error that says so' '
	refused help json && test_grep "store-json(5) is not installed" refused.err && refused help jsno && test_grep "perhaps .json" refused.err &&
	refused help -a json && refused help stauts && test_grep "store status" refused.err
'

test_expect_success 'help of nothing, -h and --help print the same list' '
	store help >one &&
	store -h >two &&
	store --help >three &&
	test_cmp one two &&
	test_cmp one three
'

test_expect_success 'version and --version print the same line' '
	store version >one &&
	store --version >two &&
	test_line_count -eq 1 one &&
	test_cmp one two
'

test_expect_success 'an unknown command is answered with the nearest one' '
	refused comit &&
	test_grep "store commit" refused.err &&
	refused stauts &&
	test_grep "store status" refused.err &&
	refused help chekout &&
	test_grep "store checkout" refused.err
'

test_expect_success 'a command that is near to none is answered with the way to the list' '
	refused frobnicate &&
	test_grep "store help" refused.err
'

test_expect_success 'words of other programs are answered with ours' '
	refused snapshots &&
	test_grep "store log" refused.err &&
	refused backup &&
	test_grep "store add" refused.err &&
	refused extract &&
	test_grep "store checkout --to" refused.err &&
	refused check &&
	test_grep "store fsck" refused.err
'

test_expect_success 'a command of git that is not there is answered with what to do instead, and never with one that is near only' '
	refused revert &&
	test_grep "store restore --source" refused.err &&
	test_grep ! "store reset" refused.err &&
	refused merge &&
	test_grep "yet" refused.err
'

test_expect_success 'an unknown option is answered with the nearest one' '
	refused add --dry-rnu x &&
	test_grep -e "--dry-run" refused.err &&
	refused log --onelin &&
	test_grep -e "--oneline" refused.err
'

test_expect_success 'bad usage is exit code 2 and one line, for every command' '
	store init -q repo &&
	cd repo &&
	refused &&
	refused init a b &&
	refused init --chunk-average 1000 &&
	refused init --chunk-average 4M &&
	refused init --store x &&
	refused add &&
	refused add -A -u &&
	refused add -z x &&
	refused add --stdin-paths x &&
	refused status -uwhat &&
	refused status --porcelain=v2 &&
	refused commit -m "" &&
	refused commit -m x operand &&
	refused log -n -1 &&
	refused log -n x &&
	refused log a b &&
	refused log -- path &&
	refused ls --bytes &&
	refused cat &&
	refused cat -z x &&
	refused cat --bytes 5 x &&
	refused cat --bytes 5-4 x &&
	refused cat --bytes -0 x &&
	refused cat --bytes 0-1,3-4 x &&
	refused cat --bytes &&
	refused checkout &&
	refused checkout a b &&
	refused checkout -- path &&
	refused checkout --preserve=some HEAD &&
	refused checkout -b x --to y &&
	refused branch a b c &&
	refused branch -d &&
	refused branch -m &&
	refused branch -m a b c &&
	refused branch -d -m a &&
	refused branch -f --list &&
	refused branch --show-current x &&
	refused switch &&
	refused switch a b &&
	refused switch -c a -C b &&
	refused switch -d -c a &&
	refused tag a b c &&
	refused tag -f &&
	refused tag -a v1 &&
	refused tag -m x -F y v1 &&
	refused tag -d -m x v1 &&
	refused tag -d &&
	refused tag -nx &&
	refused reflog a b &&
	refused reflog show a b &&
	refused reset --soft --hard &&
	refused reset -f &&
	refused reset a b -- c &&
	refused restore &&
	refused restore --staged -f x &&
	refused rm &&
	refused mv x &&
	refused root a b &&
	refused root -z &&
	refused info x &&
	refused fsck x &&
	refused version x &&
	refused version -v &&
	refused help --threads 2 &&
	refused help a b &&
	refused walk --depth &&
	refused walk --format xml &&
	refused walk -z --format csv &&
	refused dupes --link &&
	refused dupes -n &&
	refused dupes -n --link --delete &&
	refused check-ignore &&
	refused check-ignore -n x &&
	refused check-ignore -q -v x &&
	refused check-ignore --stdin x &&
	refused --color=sometimes status &&
	refused -c nothing status &&
	refused --threads 0 status &&
	refused -C nowhere status &&
	refused --quiet=1 status &&
	refused status --color
'

test_expect_success 'outside a repository every command that needs one says so and names init' '
	mkdir outside &&
	cd outside &&
	for line in "add x" status "commit -m x" log ls "cat x" "checkout HEAD" root info fsck branch tag reflog "switch x" "check-ignore x" reset "restore x" "rm x" "mv x y"
	do
		refused $line && case $refused_line in *"store init"*) ;; *) false ;; esac || { echo "$line: $refused_line" && return 1; }
	done
'

test_expect_success 'an error in machine form is one JSON object on standard error' '
	mkdir -p outside &&
	cd outside &&
	test_expect_code 2 store --json status >out 2>err &&
	test_must_be_empty out &&
	test_line_count -eq 1 err &&
	test_grep "^{\"schema\":\"store/error/1\",\"code\":\"ENOTFOUND\".*}\$" err
'

test_expect_success 'a form that a command cannot give is refused, not ignored' '
	for command in cat help
	do
		test_expect_code 2 store "$command" --json x >out 2>err &&
		test_must_be_empty out &&
		test_grep "$command does not take --json" err || return 1
	done &&
	test_expect_code 2 store status --json -z >out 2>err &&
	test_grep "goes with neither" err
'

test_expect_success 'options of every command are read before and after its name' '
	store init -q both &&
	echo 1 >both/f &&
	store -C both add -n f >one 2>&1 &&
	store add -n f -C both >two 2>&1 &&
	sed "s/[0-9.]* s\$//" one >one.cut &&
	sed "s/[0-9.]* s\$//" two >two.cut &&
	test_cmp one.cut two.cut &&
	test_grep " f\$" one
'

test_expect_success '-C accumulates, and paths are relative to where it leads' '
	store init -q deep &&
	mkdir -p deep/a/b &&
	echo 1 >deep/a/b/f &&
	store -C deep -C a add -n -C b f >out &&
	test_grep " f\$" out
'

test_expect_success 'letters are bundled, values are glued or apart, and behind -- all is operand' '
	store init -q forms &&
	cd forms &&
	echo 1 >-n &&
	echo 1 >f &&
	store add -qnf f >one &&
	store add -q -n -f f >two &&
	test_cmp one two &&
	store add -n -q -- -n >out &&
	test_grep " -n\$" out &&
	store add -q . &&
	store commit -q -mone &&
	store commit -q --allow-empty -m two &&
	store commit -q --allow-empty --message=three &&
	store commit -q --allow-empty --message four &&
	store log --oneline | cut -d" " -f2 >got &&
	printf "%s\n" four three two one >want &&
	test_cmp want got &&
	store log --oneline -n2 >two &&
	store log --oneline -2 >short &&
	store log --oneline --max-count=2 >long &&
	test_line_count -eq 2 two &&
	test_cmp two short &&
	test_cmp two long
'

test_expect_success 'a count of 0 is one: log and reflog print nothing, what they are asked for is still looked up' '
	cd forms && for number in -n0 "-n 0" -0 --max-count=0; do
		store log $number >out && store reflog $number >>out && store --json log $number >>out && test_must_be_empty out || return 1
	done &&
	store log --oneline --skip 0 >out && test_line_count -eq 4 out &&
	test_expect_code 2 store log -n 0 nosuch && test_expect_code 2 store log -n -1 2>err && test_grep "no number from 0 to" err
'

test_expect_success 'a full disk behind standard output is exit code 2 and one line' '
	test_expect_code 2 store -h >/dev/full 2>err &&
	test_line_count -eq 1 err &&
	test_grep "No space left" err
'

test_expect_success 'standard output that is closed is exit code 2 and one line' '
	test_expect_code 2 store version >&- 2>err &&
	test_line_count -eq 1 err
'

test_expect_success 'a reader that has gone ends the run by SIGPIPE and in silence' '
	mkfifo gone &&
	{
		{
			sleep 1
			store -h 2>err
			echo $? >code
		} | true
	} &&
	echo 141 >want &&
	test_cmp want code &&
	test_must_be_empty err
'

test_expect_success 'a signal ends the run with 128 and its number' '
	store init -q killed &&
	mkfifo paths &&
	{
		store -C killed add --stdin-paths <paths 2>err &
		pid=$!
	} &&
	exec 8>paths &&
	sleep 1 &&
	kill -TERM "$pid" &&
	{
		wait "$pid"
		code=$?
	} &&
	exec 8>&- &&
	test "$code" -eq 143
'

test_expect_success 'what a repository holds does not drive a terminal, and goes to a file as it is' '
	store init -q evil &&
	cd evil &&
	printf "a\033[31mb\n" >f &&
	echo 1 >"$(printf "x\033y")" &&
	store add -q . &&
	store commit -q -m "$(printf "sub\033[2Jject")" &&
	store cat f >got &&
	test_cmp f got &&
	TERM=xterm script -qec "store cat f; store --color=never --no-pager log; store --no-pager ls; store --color=never status -s" /dev/null >seen &&
	esc=$(printf "\033") &&
	test_grep ! -F "$esc" seen &&
	test_grep -F "a^[[31mb" seen &&
	test_grep -F "\"x\\033y\"" seen
'

test_expect_success 'statistics are told on standard error, peak memory among them' '
	store init -q stats &&
	echo 1 >stats/f &&
	store -C stats add -q --stats f >out 2>err &&
	test_must_be_empty out &&
	test_grep "^files: 1\$" err &&
	test_grep -E "^peak anon: [1-9][0-9]*\$" err &&
	store -C stats add -q --stats --json f 2>err >out &&
	test_grep "^{\"schema\":\"store/stats/1\",.*\"peak_anon\":[1-9]" err
'

test_done
