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

test_expect_success '- is the branch, or the commit, that HEAD was at before' '
	mkdir back && cd back && store init -q && echo 1 >f && store add f && store commit -q -m one && store checkout -q -b side &&
	refuses "there were not 2 checkouts" checkout "@{-2}" &&
	echo 2 >f && store add f && store commit -q -m two && store checkout -q main && names 1 f &&
	store checkout - 2>err && test_grep "on branch .side." err && names 2 HEAD:f &&
	store checkout -q - && store status >out && test_grep "^On branch main\$" out &&
	store checkout -q side~1 && store checkout -q "@{-1}" && store status >out && test_grep "^On branch main\$" out &&
	store checkout - 2>err && test_grep "HEAD is now detached" err && store checkout -q - && store status >out &&
	test_grep "^On branch main\$" out && store checkout -q side && store checkout -q - -- f 2>err && store cat f@HEAD >got && echo 2 >want &&
	test_cmp want got && echo 1 >want && test_cmp want f
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

# listed OPERAND: ls -r of it, from the top, a directory without its slash.
listed()
{
	store -z ls -r "$1" | tr "\0" "\n" | sed "s:/\$::"
}

test_expect_success 'the stage is listed before the first commit: what was added, and nothing else' '
	mkdir fresh &&
	cd fresh &&
	store init -q &&
	store ls : >got &&
	test_must_be_empty got &&
	mkdir -p d/e/f hollow &&
	echo 1 >a && echo 2 >d/b && echo 3 >d/e/f/g && ln -s a link && chmod +x d/b &&
	store -q add a d hollow link &&
	echo later >d/later &&
	printf "%s\n" a d/ hollow/ link >want &&
	store ls : >got &&
	test_cmp want got &&
	printf "%s\n" a d/ d/b d/e/ d/e/f/ d/e/f/g hollow/ link >want &&
	store ls -r : >got &&
	test_cmp want got &&
	printf "%s\n" d/b d/e/ >want &&
	store ls :d >got &&
	test_cmp want got &&
	store ls :hollow >got &&
	test_must_be_empty got &&
	echo 3 >want &&
	store cat :d/e/f/g >got &&
	test_cmp want got
'

test_expect_success 'a staged directory that no commit has stored has no id and no size; a file has what was recorded' '
	cd fresh &&
	touch -d 2001-02-03T04:05 d/b && store -q add d/b &&
	store ls -l : >got &&
	test_grep -E "^drwxr-xr-x +- +- .* d/\$" got &&
	test_grep "^lrwxrwxrwx .* link -> a\$" got &&
	store ls -l :d/b >got &&
	test_grep "^-rwxr-xr-x 53c234e5e847            2 2001-02-03 04:05  d/b\$" got &&
	store --json ls : >got &&
	test_grep "\"path\":\"d\",\"node\":{\"id\":null,\"kind\":\"directory\",\"height\":null,\"size\":null,\"files\":null,\"directories\":null}" got &&
	store -q add -A && store -q commit -m one &&
	store ls -l -r : >got && store ls -l -r HEAD >want && test_cmp want got
'

test_expect_success 'the stage is listed as it differs from HEAD: new, deleted, changed, of another kind' '
	cd fresh &&
	rm a && mkdir a && echo in >a/in && rm -r d/e && echo changed >d/b && echo new >d/new && rmdir hollow && echo now >hollow &&
	store -q add -A . &&
	listed : >got &&
	(find . -path ./.store -prune -o -print | sed -n "s:^\./::p" | LC_ALL=C sort) >want.all &&
	sed "/^want/d; /^got/d" want.all >want && sed "/^want/d; /^got/d" got >got.ours &&
	test_cmp want got.ours &&
	test_grep "^a/in\$" got && test_grep ! "^d/e" got &&
	store ls :a/in >got && echo a/in >want && test_cmp want got &&
	store cat :d/b >got && echo changed >want && test_cmp want got &&
	refuses "path '\''d/e'\'' is not in the stage" ls :d/e &&
	refuses "is a directory; '\''store ls'\'' lists it" cat :a &&
	refuses "path '\''a/none'\'' is not in the stage" cat :a/none
'

test_expect_success 'the stage of many names, and of many directories inside each other, is listed whole and in order' '
	mkdir many &&
	cd many &&
	store init -q &&
	python3 -c "
import os
for i in range(300):
    if i % 3 == 0:
        os.mkdir(\"%d\" % i)
        for j in range(i % 150):
            open(\"%d/%d\" % (i, j), \"w\").write(\"x\")
    else:
        open(\"%d\" % i, \"w\").write(\"x\")
os.makedirs(\"/\".join([\"deep\"] * 100))
for i in range(1, 101):
    open(\"/\".join([\"deep\"] * i) + \"/z\", \"w\").write(\"z\")" &&
	store -q add -A &&
	listed : >../got.many &&
	store -q commit -m many &&
	listed HEAD >../want.many &&
	test_line_count -ge 3000 ../want.many &&
	test_cmp ../want.many ../got.many &&
	listed :deep/deep >../got.many && sed -n "s:^deep/deep/:deep/deep/:p" ../want.many >../want.deep &&
	test_cmp ../want.deep ../got.many
'

test_expect_success 'in a directory ./ is the stage of that directory, and :name is from the top' '
	cd many/deep &&
	store ls :./deep/z >got && echo deep/z >want && test_cmp want got &&
	store ls :deep/z >got && echo z >want && test_cmp want got &&
	store ls :. >got && printf "%s\n" deep/ z >want && test_cmp want got
'

test_expect_success 'the first commit has no parent, and says so; an operand without a letter is refused, and changes nothing' '
	mkdir letter && cd letter && store init -q && echo 1 >f &&
	refuses "a PATH is empty" add "" &&
	refuses "a PATH is empty" add f "" &&
	refuses "a PATH is empty" add -n "" &&
	refuses "is not in the stage" cat :f &&
	store -q add f && store -q commit -m one && echo 2 >f &&
	refuses "HEAD is the first commit, it has no parent" log HEAD~1 &&
	refuses "HEAD is the first commit, it has no parent" root HEAD^ &&
	refuses "a NAME is empty" cat "" &&
	refuses "a NAME is empty" cat f "" &&
	refuses "a NAME is empty" cat -- "" &&
	refuses "a NAME is empty" ls "" &&
	refuses "a PATH is empty" status "" &&
	refuses "a PATH is empty" checkout HEAD -- "" &&
	refuses "a PATH is empty" checkout --to there HEAD -- "" &&
	test_path_is_missing there &&
	refuses "is no revision: it names nothing" checkout "" &&
	refuses "is no revision: it names nothing" log "" &&
	refuses "is no revision: it names nothing" root "" &&
	refuses "a DIR is empty" init "" &&
	refuses "store wants the folder of a repository" --store "" status &&
	refuses "date is empty" commit --allow-empty -m x --date "" &&
	echo 2 >want && test_cmp want f &&
	printf "\"\"\n" >paths &&
	test_expect_code 2 store add --stdin-paths <paths 2>err && test_grep "is an empty path" err &&
	store -C "" status --porcelain >got && test_grep "^ M f\$" got
'

test_expect_success 'ls takes a revision alone for its top' '
	store ls HEAD~1 >got &&
	printf "%s\n" a gone >want &&
	test_cmp want got
'

test_done
