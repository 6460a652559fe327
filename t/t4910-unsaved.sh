#!/bin/sh
# Nothing with unsaved content is overwritten without -f: each command that writes files, against each kind of content in its way.
# What reset --hard and restore give up is what they say that they give up: these are rows of the table, too.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# main has f, both and .git/x (which is ignored unless it is tracked); side has other content of them and of w, which main lacks.
test_expect_success 'setup: two branches' '
	mkdir keep && cd keep && store init -q . && echo main >f && echo main >same && store add -A -q && store commit -q -m main &&
	store checkout -q -b side && echo side >f && echo side >w && mkdir .git && echo side >.git/x && store add -q f w && store add -q -f .git/x &&
	store commit -q -m side && store checkout -q main && store status --porcelain >../got && test_must_be_empty ../got
'

# state: what must be as it was after a refusal.
state()
{
	find . -path ./.store -prune -o -type f -exec grep -H "" {} + | sort && store status --porcelain
}

prepare()
{
	rm -rf r && cp -a keep r && cd r || return 1
	case $1 in
	modified) echo mine >f ;;
	staged) echo mine >f && store add -q f ;;
	untracked) echo mine >w ;;
	ignored) mkdir .git && echo mine >.git/x ;;
	moved) echo mine >to ;;
	new) echo mine >w && store add -q w ;;
	esac
}

while read -r kind verdict command; do
	test_expect_success "$command with content in its way that is $kind: $verdict" "
		prepare $kind && state >../before && case $verdict in
		refused) test_expect_code 2 store $command 2>../err && test_grep 'would be lost\|exists already' ../err && state >../after && test_cmp ../before ../after ;;
		carried) store $command && grep -r -q mine f w .git/x to 2>/dev/null ;;
		gives-up) store $command && ! grep -q mine f ;;
		overwrites) store $command && ! grep -r -q mine f w .git/x to 2>/dev/null ;;
		esac
	"
done <<'EOF'
modified refused checkout -q side
staged refused checkout -q side
untracked refused checkout -q side
ignored refused checkout -q side
untracked overwrites checkout -q -f side
modified overwrites checkout -q -f side
staged overwrites checkout -q -f side
ignored overwrites checkout -q -f side
new refused checkout -q side
modified refused checkout -q -b topic side
staged refused checkout -q -b topic side
untracked refused checkout -q -b topic side
ignored refused checkout -q -b topic side
modified refused checkout -q side -- f
staged refused checkout -q side -- f
new refused checkout -q side -- w
staged refused checkout -q side -- .
untracked refused checkout -q side -- w
ignored refused checkout -q side -- .
modified overwrites checkout -q -f side -- f
staged overwrites checkout -q -f side -- f
new overwrites checkout -q -f side -- w
untracked overwrites checkout -q -f side -- w
staged refused checkout -q HEAD -- f
modified refused checkout -q HEAD -- f
modified refused switch -q side
staged refused switch -q side
new refused switch -q side
untracked refused switch -q side
ignored refused switch -q side
modified refused switch -q -c topic side
untracked refused switch -q --detach side
modified overwrites switch -q -f side
staged overwrites switch -q -f side
untracked overwrites switch -q -f side
modified carried reset -q --soft side
modified carried reset -q side
staged carried reset -q side
untracked carried reset -q side
ignored carried reset -q side
modified gives-up reset -q --hard side
staged gives-up reset -q --hard side
untracked refused reset -q --hard side
ignored refused reset -q --hard side
untracked overwrites reset -q --hard -f side
ignored overwrites reset -q --hard -f side
untracked carried reset -q --hard HEAD
ignored carried reset -q --hard HEAD
modified gives-up restore f
staged carried restore f
modified carried restore --staged f
staged carried restore --staged f
modified gives-up restore -s side .
staged gives-up restore -s side .
untracked refused restore -s side w
ignored refused restore -s side .
untracked overwrites restore -f -s side w
untracked refused restore -s side -S -W w
ignored refused restore -s side -S -W .git
modified gives-up restore -S -W f
staged gives-up restore -S -W f
modified refused rm -q f
staged refused rm -q f
modified carried rm -q --cached f
staged carried rm -q --cached f
untracked carried rm -q f
modified overwrites rm -q -f f
staged overwrites rm -q -f f
moved refused mv f to
modified carried mv f w
staged carried mv f w
untracked refused mv f w
ignored refused mv f .git/x
untracked overwrites mv -f f w
EOF

test_expect_success 'an untracked directory of files is never replaced by a file, not even with -f' '
	prepare none && mkdir w && echo mine >w/in && test_expect_code 2 store reset -q --hard side && test_expect_code 2 store reset -q --hard -f side &&
	test_expect_code 2 store restore -f -s side w && test -e w/in && mkdir to && test_expect_code 2 store mv -f f to/.. && rm -r w to
'

test_expect_success 'staged content that neither HEAD nor the file has is not lost by rm --cached' '
	prepare staged && echo other >f && test_expect_code 2 store rm --cached f 2>../err && test_grep "different from both" ../err && store rm -q --cached -f f
'

test_expect_success 'the first ten are named' '
	prepare none && seq 20 | sed "s/^/t/" | while read -r f; do echo 1 >$f; done && store add -q . && store commit -q -m many && seq 20 | while read -r n; do
		echo mine >t$n
	done && test_expect_code 2 store rm -q "t1" t2 t3 t4 t5 t6 t7 t8 t9 t10 t11 t12 2>../err && test "$(grep -c "would be lost: " ../err)" -eq 10 && test_grep "12 paths" ../err
'

test_done
