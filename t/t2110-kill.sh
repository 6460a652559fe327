#!/bin/sh
# 200 commands killed by SIGKILL at any moment: what was acknowledged stays, the next command works.
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# A kill takes nothing out of the cache of the system.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# Lines "DELAY SEED" of 1000 rounds; a delay is a share of MS, which is how long a command takes here.  Every sixth round
# is left alone ("-"): however slow the machine is, there are acknowledged commits to lose.
rounds()
{
	awk -v ms="$1" 'BEGIN {
		srand(7)
		for (i = 1; i <= 1000; i++) {
			delay = rand() * 1.1 * ms / 1000 + 0.0001
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
	0) dd if=noise of=r/d/mid bs=100 skip="$1" count=400 2>/dev/null ;;
	1) mkdir -p "r/n$1" && echo "$1" >"r/n$1/file" ;;
	2) rm -rf r/n* ;;
	3) rm -rf r/turns && echo "$1" >r/turns ;;
	4) rm -rf r/turns && mkdir r/turns && echo "$1" >r/turns/inside ;;
	esac &&
	echo "$1" >r/round
}

# What the acknowledged commits of file `acked` (lines "ID ROUND") hold is still there: all are in the log, and the last three
# are read.
keeps_acked()
{
	store -C r log >log.out &&
	awk 'FNR == NR { if ($1 == "commit") there[$2] = 1; next }
		!($1 in there) { print "commit " $1 " of round " $2 " is lost"; lost = 1 }
		END { exit lost }' log.out acked >&7 &&
	tail -n 3 acked >last &&
	set -- && while read -r id round; do
		set -- "$@" "$id:round" && echo "$round"
	done <last >want.rounds &&
	{ [ $# -eq 0 ] || { store -C r cat "$@" >got && test_cmp want.rounds got; }; }
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
	begin=$(date +%s%3N) &&
	for i in 1 2 3 4 5; do
		store -C r add -q . &&
		store -C r commit -q --allow-empty -m "$i" >/dev/null || return 1
	done &&
	end=$(date +%s%3N) &&
	echo $(((end - begin) / 10 + 1)) >ms &&
	cat ms
'

# Under a sanitizer the points are the same and every command is slow.  The second reader looks at every other whole.
kills_wanted=$(test_cases 200)

test_expect_success "$kills_wanted kills, and every twenty of them all is looked at" '
	kills=0 all_acked=0 &&
	rounds "$(cat ms)" >delays &&
	while [ $kills -lt $kills_wanted ] && read -r delay round <&8; do
		change "$round" || return 1
		attempt "$delay" store -C r add -q .
		rc=$?
		case $rc in
		0)
			attempt "$delay" store -C r --json commit -m "$round"
			rc=$?
			;;
		esac
		case $rc in
		0)
			read -r json_line <out && json_text commit "$json_line" && echo "$json_value $round" >>acked && all_acked=$((all_acked + 1)) || return 1
			;;
		1) ;;
		137)
			kills=$((kills + 1))
			case $((kills % 40)) in
			0) quick= && takes_all && keeps_acked && is_whole r && start_anew || return 1 ;;
			20) quick=t && takes_all && keeps_acked && is_whole r || return 1 ;;
			esac
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
