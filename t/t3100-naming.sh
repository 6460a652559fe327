#!/bin/sh
# Naming content: the table of operands and revisions that store(1) promises, read back through the command.
. "$(dirname "$0")/test-lib.sh"

# names WANTED OPERAND [OPTION...]: cat of the operand gives the line WANTED.
names()
{
	echo "$1" >want &&
	store cat "$2" >got &&
	test_cmp want got
}

# refuses PATTERN ARGUMENT...: exit 2, nothing on stdout, one line on stderr that matches.
refuses()
{
	refuses_pattern=$1
	shift
	test_expect_code 2 store "$@" >out 2>err &&
	test_must_be_empty out &&
	test_line_count -eq 1 err &&
	test_grep -F -e "$refuses_pattern" err
}

test_expect_success 'outside of a repository the message names store init' '
	mkdir nothing &&
	cd nothing &&
	refuses "store init" cat a
'

test_expect_success 'before the first commit every command that needs one says so' '
	store init . &&
	refuses "branch '\''main'\'' has no commit yet" log &&
	refuses "branch '\''main'\'' has no commit yet" cat HEAD:a
'

test_expect_success 'a history of two commits with names that could be read otherwise' '
	mkdir sub &&
	echo "old a" >a &&
	echo gone >gone &&
	store add a gone &&
	store commit -m one &&
	store checkout -b v@2 &&
	store checkout -b icon &&
	store checkout main &&
	echo "new a" >a &&
	echo "a at" >a@ &&
	echo image >icon@2x.png &&
	echo word >side &&
	echo colon >HEAD:x &&
	echo "in sub" >sub/a &&
	rm gone &&
	store add -A &&
	store commit -m two
'

test_expect_success 'a revision is HEAD, @, a branch, a step back, the reflog or a layer' '
	names "new a" HEAD:a &&
	names "new a" @:a &&
	names "new a" main:a &&
	names "new a" refs/heads/main:a &&
	names "old a" HEAD~1:a &&
	names "old a" HEAD^:a &&
	names "old a" @~:a &&
	names "old a" main@{1}:a &&
	names "old a" layer:0:a &&
	names "new a" layer:1:a &&
	names gone v@2:gone
'

test_expect_success 'a revision is an id or four digits of it' '
	store log --oneline | sed "s/ .*//" >ids &&
	test_line_count -eq 2 ids &&
	new=$(sed -n 1p ids) &&
	old=$(sed -n 2p ids) &&
	names "old a" "$old:a" &&
	names "new a" "$new:a" &&
	names "old a" "$(printf %.8s "$old"):a"
'

test_expect_success 'path@rev is split at each @ that no { follows' '
	names "old a" a@HEAD~1 &&
	names "old a" a@HEAD@{1} &&
	names "old a" a@@{1} &&
	names "old a" a@v@2 &&
	names gone gone@v@2 &&
	names "old a" a@layer:0
'

test_expect_success 'a name with @ or : in it is itself, even beside a branch that its beginning names' '
	names image icon@2x.png &&
	names image icon@2x.png@HEAD &&
	names image HEAD:icon@2x.png &&
	names colon HEAD:HEAD:x &&
	names "a at" HEAD:a@
'

test_expect_success 'what can be read in two ways is refused, and each reading is listed as rev:path' '
	refuses "'\''HEAD:a@'\'', '\''HEAD:a'\''" cat a@ &&
	refuses "'\''@:a'\'', '\''HEAD:a@'\''" cat a@@
'

test_expect_success 'the readings that were listed can be typed' '
	names "new a" HEAD:a &&
	names "a at" HEAD:a@ &&
	names "new a" @:a
'

test_expect_success 'after -- only the literal path counts' '
	echo "a at" >want &&
	store cat -- a@ >got &&
	test_cmp want got &&
	echo colon >want &&
	store cat -- HEAD:x >got &&
	test_cmp want got &&
	refuses "HEAD:a" cat -- HEAD:a
'

test_expect_success 'what cannot be read says which half of the rightmost split failed' '
	refuses "unknown revision '\''2x.jpg'\''" cat icon@2x.jpg &&
	refuses "path '\''b'\'' is not in revision '\''HEAD'\''" cat b@HEAD &&
	refuses "path '\''b'\'' is not in revision '\''HEAD'\''" cat HEAD:b &&
	refuses "path '\''b'\'' is not in revision '\''HEAD'\''" cat b &&
	refuses "the nearest is '\''main'\''" cat a@mian &&
	refuses "the nearest is '\''main'\''" cat mian:a
'

test_expect_success 'a step beyond the first commit is told in words' '
	refuses "HEAD~1 is the first commit, it has no parent" cat HEAD~2:a &&
	refuses "HEAD~1 is the first commit, it has no parent" cat HEAD~9:a &&
	refuses "HEAD has 1 parent, and no parent 2" cat HEAD^2:a
'

test_expect_success 'path@rev and ./ begin in the current directory, rev:path at the top' '
	cd sub &&
	names "in sub" a &&
	names "in sub" a@HEAD &&
	names "new a" ../a &&
	names "old a" ../a@HEAD~1 &&
	names "new a" HEAD:a &&
	names "in sub" HEAD:./a &&
	names "new a" HEAD:../a &&
	refuses "path '\''sub/a'\'' is not in revision '\''HEAD~1'\''" cat a@HEAD~1
'

test_expect_success ':path is the stage' '
	echo "staged a" >a &&
	store add a &&
	echo "tree a" >a &&
	names "staged a" :a &&
	names "new a" HEAD:a &&
	refuses "path '\''absent'\'' is not in the stage" cat :absent
'

test_expect_success 'ls takes a revision alone for its top' '
	store ls HEAD~1 >got &&
	printf "%s\n" a gone >want &&
	test_cmp want got
'

test_done
