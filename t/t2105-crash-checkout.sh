#!/bin/sh
# A checkout killed at every fault point: the same command ends it.
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"
quick=t
# A kill takes nothing out of the cache of the system.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

test_expect_success 'setup: a story to interrupt' '
	make_stories
'

points='checkout.write checkout.rename checkout.mid tmp.create pack.sync publish.rename refslog.write refslog.sync env.commit'

# The tree goes back to commit `one`: files change kind, appear, disappear.  fsync is one of the names, since files are made durable, too.
test_expect_success 'setup: a story of a checkout' '
	copy_story before-commit &&
	store -C r commit -q -m two >/dev/null &&
	rm -rf before-checkout &&
	mv r before-checkout &&
	cp -a before-checkout r &&
	count_passings "$points" store -C r checkout -q "$one"
'
# Briefly (crash-lib.sh): the way back is not gone, and the story not ended.
for point in $points; do
	test_expect_success "a checkout killed at $point is ended by the same command" "
		test_when_finished 'brief=' &&
		: >all-fired &&
		sample_passings $point &&
		for nth in \$sample; do
			look_closely_in_turn &&
			copy_story before-checkout || return 1
			killed $point:\$nth store -C r checkout -q \"\$one\"
			case \$? in
			1) break ;;
			2) return 1 ;;
			esac
			{ [ -n \"\$brief\" ] || is_sound_as_left r; } &&
			store -C r checkout -q \"\$one\" &&
			diff -r --no-dereference -x .store tree1 r &&
			store -C r status --porcelain >got &&
			test_must_be_empty got &&
			if [ -n \"\$brief\" ]; then
				is_whole r
			else
				store -C r checkout -q main &&
				diff -r --no-dereference -x .store before-checkout r &&
				ends_well
			fi || {
				echo \"after $point:\$nth\" >&7
				return 1
			}
		done &&
		has_fired '$point:1:kill'
	"
done

test_expect_success 'a checkout --to that was killed is ended by the same command' '
	copy_story before-checkout &&
	rm -rf to &&
	killed checkout.mid:1 store -C r checkout -q --to "$PWD/to" &&
	store -C r checkout -q --to "$PWD/to" &&
	diff -r --no-dereference -x .store r to &&
	is_whole r
'

# milliseconds COMMAND...: how long it takes, added to took.
took=0
milliseconds()
{
	took_since=$(date +%s%3N) && "$@" && took=$((took + $(date +%s%3N) - took_since + 1))
}

# A tree that takes a while: 600 small files and two that are written around the cache.
test_expect_success 'setup: a larger story, and how long its checkouts take' '
	rm -rf large to && store init -q large && (cd large && echo 1 >one && store add -q . && store commit -q -m one >/dev/null &&
	mkdir d e && seq 400 | (cd d && split -l 1 -a 4 - f) && seq 200 | (cd e && split -l 1 -a 4 - f) &&
	random_bytes 8 8400001 >b1 && random_bytes 9 8500000 >d/b2 && store add -q . && store commit -q -m two >/dev/null) &&
	cp -a large want && rm -rf want/.store && store -C large checkout -q main~1 &&
	milliseconds store -C large checkout -q main && ms=$took took=0 &&
	milliseconds store -C large checkout -q --to "$PWD/to" main && ms_to=$took && rm -rf to && echo "$ms $ms_to"
'

# moment MS TURN: delay is the moment of the strike in seconds, spread over the time that the checkout took before.  The machine may
# be faster now, or slower: what came too late makes the next strikes come earlier, what hit lets them come later.
scale=1000
moment()
{
	delay=$((($2 * 7 % 10 * 100 + $2 * 37 % 100) * $1 * scale / 1000 + 1000100)) && delay=$((delay / 1000000 - 1)).${delay#"${delay%??????}"}
}

# count_strike RC.  All is read after every third kill, and after the last.
count_strike()
{
	turn=$((turn + 1))
	if [ "$1" -eq 137 ]; then
		killed=$((killed + 1)) && scale=$((scale < 950 ? scale + scale / 20 : 1000))
	else
		scale=$((scale * 8 / 10))
	fi
}
all_is_read()
{
	if [ "$1" -eq 137 ] && { [ $((killed % 3)) -eq 0 ] || [ "$killed" -eq "$wanted" ]; }; then
		is_whole large
	fi
}

# The points above are tried one by one, and t2110 has 200 moments.  Under a sanitizer every command is slow.
wanted=$(test_cases 8)

test_expect_success "$wanted checkouts in place killed at any moment, each ended by the same command" '
	killed=0 turn=0 && while [ $killed -lt $wanted ]
	do
		if [ $((turn % 2)) -eq 0 ]; then to=main~1; else to=main; fi
		moment $ms $turn && strike $delay store -C large checkout -q $to
		rc=$?
		count_strike $rc
		store -C large checkout -q $to && store -C large status --porcelain >got && test_must_be_empty got && all_is_read $rc &&
			if [ $to = main ]; then diff -r -x .store want large; else set -- large/* && test "$*" = large/one; fi && test $turn -lt 200 || return 1
	done && echo "$killed of $turn killed" && find large -name ".store-tmp-*" >got && test_must_be_empty got
'

# One that dies when its last act is done leaves a finished folder, which the same command does not touch.
test_expect_success "$wanted checkouts --to killed at any moment, each ended by the same command" '
	killed=0 turn=0 scale=1000 && store -C large checkout -q main && while [ $killed -lt $wanted ]
	do
		rm -rf to
		moment $ms_to $turn && strike $delay store -C large checkout -q --to "$PWD/to" main
		rc=$?
		count_strike $rc
		{ [ $rc -eq 0 ] || store -C large checkout -q --to "$PWD/to" main 2>again || test_grep "not empty" again; } && diff -r want to &&
			all_is_read $rc && test $turn -lt 200 || return 1
	done && echo "$killed of $turn killed"
'

quick=
test_expect_success 'and the second reader finds all in order' '
	is_whole r
'

test_done
