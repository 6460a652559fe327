#!/bin/sh
# A command that changes rows of named paths overwrites nothing that another command has staged since it looked: exit code 5, and the other's rows stay.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# HEAD~1 has f and d/in, HEAD another f, d/new and n/n; what is staged beside HEAD is s, which is a directory.
test_expect_success 'setup: two commits' '
	mkdir keep && cd keep && store init -q . && mkdir d && echo 1 >f && echo 1 >d/in && echo 1 >other && store add -A -q && store commit -q -m one && echo 2 >f &&
	echo 2 >d/new && rm d/in && mkdir n && echo 2 >n/n && store add -A -q && store commit -q -m two && mkdir -p s/s && echo 3 >s/s/s && store add -q s
'

# staged: all that the stage says; a directory that a commit stored is no change.
staged()
{
	store ls -r --json : && store status --porcelain
}

# stopped POINT COMMAND...: runs in the background until it has come to that point.  ended: lets it end, with its exit code.
stopped()
{
	point=$1 && shift && rm -f ../fired && { STORE_FAULT=$point:stop STORE_FAULT_LOG=$PWD/../fired "$@" 2>../err & pid=$!; } &&
		wait_for ../fired && until grep -q "^State:.T" /proc/"$pid"/status; do sleep 0.01; done
}

ended()
{
	kill -CONT "$pid" && wait "$pid"
}

# Before the pack is synced: the plan is made, files are written, and the gate is not taken.
while IFS='|' read -r path command meanwhile; do
	test_expect_success "$command, and meanwhile: $meanwhile" "
		rm -rf r && cp -a keep r && cd r && stopped pack.sync:1 store $command && { $meanwhile; } && staged >../before && test_expect_code 5 ended &&
		test_line_count -eq 1 ../err && test_grep \"run the ${command%% *} again: '$path' was changed in the stage\" ../err && staged >../after &&
		test_cmp ../before ../after && { store $command || store ${command%% *} -f ${command#* }; } && store fsck -q >/dev/null
	"
done <<'EOF'
f|reset -q HEAD~1 -- f|echo mine >f && store add -q f
f|reset -q HEAD~1 -- f|chmod +x f && store add -q f
f|reset -q HEAD~1 -- f|store rm -q --cached f
f|reset -q HEAD~1 -- f d|echo mine >f && store add -q f && store commit -q -m mine
f|reset -q HEAD~1 -- f|rm f && mkdir f && echo mine >f/f && store add -q f
s|reset -q HEAD -- s|echo mine >s/s/mine && store add -q s
s|reset -q HEAD -- s|echo mine >s/s/mine && store add -q s && store commit -q -m mine
n|reset -q HEAD~1 -- n|store mv n/n f2 && echo mine >n/m && store add -q n
d|reset -q HEAD~1 -- d|store mv d d2 && mkdir d && echo mine >d/new && store add -q d
d/in|reset -q HEAD~1 -- d/in|mv d d2 && echo mine >d && store add -q d && rm d && mv d2 d
f|restore -S -s HEAD~1 f|echo mine >f && store add -q f
f|restore -S -W -s HEAD~1 f|store rm -q --cached f
f|checkout -q HEAD~1 -- f|store reset -q HEAD~1 f && chmod 711 f && store add -q f
n|restore -S -W -s HEAD~1 n|mkdir n && echo mine >n/mine && store add -q n/mine && rm -r n
EOF

test_expect_success 'what is added and committed beside the path is no reason to stop' '
	rm -rf r && cp -a keep r && cd r && stopped pack.sync:1 store reset -q HEAD~1 -- f d && echo mine >other && echo mine >n/mine && store add -q other n && store commit -q -m mine &&
	ended && store status --porcelain >../got && test_grep "^M. f\$" ../got && test_grep "^A. d/in\|^AD d/in\$" ../got && test_grep ! other ../got && store fsck -q >/dev/null
'

test_expect_success 'two paths in a directory that comes back with them are no race of the command with itself' '
	rm -rf r && cp -a keep r && cd r && echo 1 >s/s/t && store add -q s && store commit -q -m three && for line in "reset -q HEAD~0" "restore -S -W -s HEAD" "checkout -q HEAD"; do
		store rm -q -r --cached s && rm -rf s && store $line -- s/s/s s/s/t && store status --porcelain >../got && test_grep ! "^[AMD]" ../got || return 1
	done
'

# Two parts are done, and the third meets a row of the other's.
test_expect_success 'in parts: what went before stays, and the same command finishes' '
	rm -rf r && cp -a keep r && cd r && mkdir p && (cd p && seq 9 | split -l 1 -a 1 - f) && store add -q p && store commit -q -m p && (cd p && seq 11 19 | split -l 1 -a 1 - f) &&
	store add -q p && { STORE_TEST_PART=2 stopped pack.sync:3 store reset -q HEAD -- p; } && echo mine >p/fe && store add -q p/fe && test_expect_code 5 ended &&
	test_grep "p/fe. was changed" ../err && staged >../after && test_grep "^ M p/fd\$" ../after && test_grep "^M  p/fe\$" ../after && test_grep "^M  p/ff\$" ../after &&
	STORE_TEST_PART=2 store reset -q HEAD -- p && staged >../after && test_grep ! "^M. p" ../after && store fsck -q >/dev/null
'

test_done
