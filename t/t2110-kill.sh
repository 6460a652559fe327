#!/bin/sh
# 200 commands killed by SIGKILL at any moment: what was acknowledged stays, the next command works.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Lines "DELAY SEED" of 1000 rounds; a delay is a share of MS, which is how long a command takes here.  Every sixth round
# is left alone ("-"): however slow the machine is, there are acknowledged commits to lose.
rounds()
{
	awk -v ms="$1" 'BEGIN {
		srand(7)
		for (i = 1; i <= 1000; i++) {
			delay = rand() * 1.1 * ms / 1000
			if (i % 6 == 0) print "-", i
			else printf "%.4f %d\n", delay, i
		}
	}'
}

# attempt DELAY COMMAND...: struck after it, or left alone.
attempt()
{
	if [ "$1" != - ]; then
		strike "$@"
	else
		shift &&
		"$@" >out 2>err
	fi
}

# change SEED: the working tree of round SEED.
change()
{
	case $(($1 % 5)) in
	0) tail -c "+$(($1 * 100))" noise | head -c 40000 >r/d/mid ;;
	1) mkdir -p "r/n$1" && echo "$1" >"r/n$1/file" ;;
	2) rm -rf r/n* ;;
	3) rm -rf r/turns && echo "$1" >r/turns ;;
	4) rm -rf r/turns && mkdir r/turns && echo "$1" >r/turns/inside ;;
	esac &&
	echo "$1" >r/round
}

# What the acknowledged commits of file `acked` (lines "ID ROUND") hold is still there.
keeps_acked()
{
	store -C r log >log.out &&
	while read -r id round; do
		grep -qx "commit $id" log.out || {
			echo "commit $id of round $round is lost" >&7
			return 1
		}
	done <acked &&
	tail -n 3 acked >last &&
	while read -r id round; do
		store -C r cat "$id:round" >got &&
		echo "$round" | test_cmp - got || return 1
	done <last
}

# The working tree goes in and comes out the same.
takes_all()
{
	store -C r add -q . &&
	store -C r commit -q --allow-empty -m whole >/dev/null &&
	rm -rf whole &&
	store -C r checkout -q --to "$PWD/whole" &&
	diff -r --no-dereference -x .store r whole
}

milliseconds()
{
	python3 -c 'import time; print(int(time.monotonic() * 1000))'
}

# A new repository, so that looking at all of it stays quick.
start_anew()
{
	copy_story before-commit &&
	store -C r commit -q -m one >/dev/null &&
	: >acked
}

test_expect_success 'a repository, and how long its commands take' '
	make_stories &&
	random_bytes noise 200000 >noise &&
	start_anew &&
	change 1 &&
	begin=$(milliseconds) &&
	for i in 1 2 3 4 5; do
		store -C r add -q . &&
		store -C r commit -q --allow-empty -m "$i" >/dev/null || return 1
	done &&
	end=$(milliseconds) &&
	echo $(((end - begin) / 10 + 1)) >ms &&
	cat ms
'

# Under a sanitizer the points are the same and every command is slow.
kills_wanted=200
! grep -q -e __asan_init -e __tsan_init "$STORE_BIN/store" || kills_wanted=50

test_expect_success "$kills_wanted kills, and every ten of them all is looked at" '
	kills=0 all_acked=0 &&
	rounds "$(cat ms)" >delays &&
	while [ $kills -lt $kills_wanted ] && read -r delay round <&8; do
		change "$round" || return 1
		attempt "$delay" store -C r add -q .
		rc=$?
		case $rc in
		0)
			attempt "$delay" store -C r commit -m "$round"
			rc=$?
			;;
		esac
		case $rc in
		0)
			store -C r log >log.out &&
			echo "$(sed -n "s/^commit //p;1q" log.out) $round" >>acked || return 1
			;;
		1) ;;
		137)
			kills=$((kills + 1))
			[ $((kills % 10)) -ne 0 ] || { takes_all && keeps_acked && is_whole r; } || return 1
			[ $((kills % 50)) -ne 0 ] || {
				all_acked=$((all_acked + $(wc -l <acked))) &&
				start_anew
			} || return 1
			;;
		*)
			echo "round $round: exit code $rc" &&
			cat err
			return 1
			;;
		esac
	done 8<delays &&
	echo "$kills kills, $all_acked commits acknowledged" &&
	test $kills -eq $kills_wanted &&
	test $all_acked -ge $((kills_wanted / 10))
'

test_done
