#!/bin/sh
# Several commands at once: nothing is lost, one of two commits wins, readers wait for nobody.
test_on_disk=t
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# many_files DIR SEED: 300 of them, and one of several batches.
many_files()
{
	mkdir -p "$1" &&
	(
		cd "$1" &&
		random_bytes "$2" 600000 >big &&
		seq 1 300 | awk -v s="$2" "{ print s * 1000 + \$1 >(\"f\" \$1); close(\"f\" \$1) }"
	)
}

test_expect_success 'two adds at once, of different directories: both are staged whole' '
	store init -q --chunk-average 256 r &&
	many_files r/a 1 &&
	many_files r/b 2 &&
	cp -a r alone &&
	store -C alone add -q . &&
	store -C alone commit -q -m all >/dev/null &&
	store -C alone root >want &&
	{ store -C r add a 2>err1 & pid=$!; } &&
	store -C r add b 2>err2 &&
	wait $pid &&
	store -C r commit -q -m all >/dev/null &&
	store -C r root >got &&
	test_cmp want got &&
	is_whole r
'

test_expect_success 'four adds of the same files at once: the same tree' '
	rm -rf r/.store &&
	store init -q --chunk-average 256 r &&
	pids= &&
	for i in 1 2 3 4; do
		store -C r add -q . 2>err$i &
		pids="$pids $!"
	done &&
	for pid in $pids; do
		wait $pid || return 1
	done &&
	store -C r commit -q -m all >/dev/null &&
	store -C r root >got &&
	test_cmp want got &&
	is_whole r
'

# Both hold their fire until the gate is free, so that they really meet.
test_expect_success 'two commits at once: both are in the log, or one says exit code 5; nothing is lost' '
	for i in 1 2 3 4 5 6 7 8; do
		rm -f held &&
		{ hold r/.store/gate held 10 & holder=$!; } &&
		wait_for held &&
		{ store -C r commit --allow-empty -m "left $i" >out1 2>err1 & left=$!; } &&
		{ store -C r commit --allow-empty -m "right $i" >out2 2>err2 & right=$!; } &&
		sleep 0.05 &&
		rm held &&
		wait $holder &&
		{
			wait $left
			echo "$?" >code1
			wait $right
			echo "$?" >code2
			store -C r log --oneline >log.out
		} &&
		for side in 1:left 2:right; do
			case $(cat code${side%:*}) in
			0) test_grep " ${side#*:} $i\$" log.out ;;
			5)
				test_line_count -eq 1 err${side%:*} &&
				test_grep ! " ${side#*:} $i\$" log.out
				;;
			*)
				cat err${side%:*}
				false
				;;
			esac || return 1
		done &&
		! test "$(cat code1) $(cat code2)" = "5 5" || return 1
	done &&
	is_whole r
'

test_expect_success 'commits of two loops that add and commit: every acknowledged one is in one line of history' '
	rm -rf r &&
	store init -q r &&
	echo 0 >r/zero &&
	store -C r add zero &&
	store -C r commit -q -m zero >/dev/null &&
	loop()
	{
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			echo "$i" >"r/$1$i" || return 1
			store -C r add -q "$1$i" || return 1
			store -C r commit -m "$1$i" >"out$1" 2>"err$1"
			loop_code=$?
			case $loop_code in
			0) echo "$1$i" >>acked ;;
			1) ;; # the other took it along
			5) echo "$1$i" >>outrun ;; # the other won each time
			*)
				echo "exit code $loop_code" >>failed
				cat "err$1" >>failed
				;;
			esac
		done
	} &&
	: >acked && : >outrun && : >failed &&
	{ loop left & left=$!; } &&
	loop right &&
	wait $left &&
	test_must_be_empty failed &&
	store -C r commit --allow-empty -q -m end >/dev/null &&
	store -C r log --oneline >log.out &&
	# A loop commits before it adds again, so one commit takes at most one name of each.
	cat acked outrun >tried &&
	test_line_count -ge 12 tried &&
	test_line_count -gt 0 acked &&
	test_line_count -eq $(($(wc -l <acked) + 2)) log.out &&
	while read -r name; do
		test_grep " $name\$" log.out || return 1
	done <acked &&
	store -C r ls >names &&
	test_line_count -eq 25 names &&
	is_whole r
'

test_expect_success 'an add that runs beside a commit stays staged or goes in: nothing of it is lost' '
	many_files r/more 3 &&
	{ store -C r add -q more & pid=$!; } &&
	for i in 1 2 3 4 5 6; do
		store -C r commit -q --allow-empty -m "beside $i" >/dev/null || return 1
	done &&
	wait $pid &&
	store -C r commit -q --allow-empty -m end >/dev/null &&
	store -C r ls -r more >names &&
	test_line_count -eq 301 names &&
	store -C r cat more/big >got &&
	test_cmp r/more/big got &&
	store -C r status --porcelain >got &&
	test_must_be_empty got &&
	is_whole r
'

test_expect_success 'a gate that stays taken: exit code 5 after core.lockTimeout, and one line says why' '
	rm -f held &&
	{ hold r/.store/gate held 20 & holder=$!; } &&
	wait_for held &&
	echo x >r/late &&
	test_expect_code 5 store -C r -c core.lockTimeout=300ms add late 2>err &&
	test_line_count -eq 1 err &&
	test_grep "another command is writing" err &&
	test_expect_code 5 store -C r -c core.lockTimeout=300ms commit --allow-empty -m x 2>err &&
	test_grep "another command is writing" err &&
	rm held &&
	wait $holder &&
	store -C r add -q late &&
	store -C r commit -q -m late >/dev/null
'

# Who tried again would get in: the gate is free long before five times the time.
test_expect_success 'a commit waits for the gate once, not as often as it would try for its branch' '
	rm -f held &&
	{ hold r/.store/gate held 2 & holder=$!; } &&
	wait_for held &&
	test_expect_code 5 store -C r -c core.lockTimeout=500ms commit --allow-empty -m x 2>err &&
	test_grep "waited 500 ms" err &&
	{ rm -f held; wait $holder; }
'

# strace holds the commit before its second fdatasync, that of its pack: it has read HEAD, and does not have the gate.
test_expect_success 'a commit goes to the branch it began on, or nowhere' '
	store init branches && echo 1 >branches/a && store -C branches add a && store -C branches commit -m 1 &&
	echo 2 >branches/a && store -C branches add a &&
	{ strace -f -y -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=2000000:when=2 \
		store -C branches commit -m 2 2>err & committer=$!; } &&
	until test_grep "fdatasync([0-9]*<.*/tmp/" trace; do sleep 0.1; done >/dev/null 2>&1 &&
	store -C branches checkout -b other &&
	! wait $committer &&
	test_grep "HEAD was moved to another branch meanwhile" err &&
	store -C branches log --oneline >log && test_line_count -eq 1 log &&
	store -C branches log --oneline main >log && test_line_count -eq 1 log &&
	store -C branches status --porcelain >got && test_grep "^M  a" got &&
	store -C branches commit -m 2 && store -C branches fsck
'

test_expect_success 'readers wait for nobody while the gate is taken' '
	rm -f held &&
	{ hold r/.store/gate held 20 & holder=$!; } &&
	wait_for held &&
	timeout 10 store -C r log >out &&
	timeout 10 store -C r status >out &&
	timeout 10 store -C r ls -r >out &&
	timeout 10 store -C r root >out &&
	timeout 10 store -C r info >out &&
	timeout 10 store -C r cat late >got &&
	echo x | test_cmp - got &&
	test -e held &&
	rm held &&
	wait $holder
'

# A sweep of tmp/ takes what is dead and nothing else.
test_expect_success 'what a live add holds in tmp/ is not swept by others' '
	rm -rf r &&
	store init -q --chunk-average 256 r &&
	many_files r/a 1 &&
	echo x >r/x &&
	rm -f held &&
	{ store -C r add -q a & pid=$!; } &&
	for i in 1 2 3 4 5 6 7 8 9 10; do
		store -C r info >/dev/null &&
		store -C r add -q x || return 1
	done &&
	wait $pid &&
	store -C r commit -q -m a >/dev/null &&
	store -C r cat a/big >got &&
	test_cmp r/a/big got &&
	is_whole r
'

test_done
