#!/bin/sh
# A checkout killed at every fault point: the same command ends it.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"
quick=t

test_expect_success 'a story to interrupt' '
	make_stories
'

# The tree goes back to commit `one`: files change kind, appear, disappear.  fsync is one of the names, since files are made durable, too.
test_expect_success 'a story of a checkout' '
	copy_story before-commit &&
	store -C r commit -q -m two >/dev/null &&
	rm -rf before-checkout &&
	mv r before-checkout
'
for point in checkout.write checkout.rename checkout.mid tmp.create pack.sync publish.rename refslog.write refslog.sync env.commit; do
	test_expect_success "a checkout killed at $point is ended by the same command" "
		: >all-fired &&
		for nth in $nths; do
			copy_story before-checkout || return 1
			killed $point:\$nth store -C r checkout -q \"\$(cat one)\"
			case \$? in
			1) break ;;
			2) return 1 ;;
			esac
			is_sound_as_left r &&
			store -C r checkout -q \"\$(cat one)\" &&
			diff -r --no-dereference -x .store tree1 r &&
			store -C r status --porcelain >got &&
			test_must_be_empty got &&
			is_whole r &&
			store -C r checkout -q main &&
			diff -r --no-dereference -x .store before-checkout r &&
			ends_well || {
				echo \"after $point:\$nth\" >&7
				return 1
			}
		done &&
		test_grep '^$point:1:kill' all-fired
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

# milliseconds COMMAND...: how long it takes.
milliseconds()
{
	python3 -c 'import subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[1:], check=True)
print(int((time.monotonic() - begin) * 1000) + 1)' "$@"
}

# A tree that takes a while: 600 small files and two that are written around the cache.
test_expect_success 'a larger story, and how long its checkouts take' '
	rm -rf large to && store init -q large && (cd large && echo 1 >one && store add -q . && store commit -q -m one >/dev/null &&
	mkdir d e && seq 400 | (cd d && split -l 1 -a 4 - f) && seq 200 | (cd e && split -l 1 -a 4 - f) &&
	random_bytes 8 9000001 >b1 && random_bytes 9 12000000 >d/b2 && store add -q . && store commit -q -m two >/dev/null) &&
	cp -a large want && rm -rf want/.store && milliseconds store -C large checkout -q main~1 >ms &&
	milliseconds store -C large checkout -q main >>ms && milliseconds store -C large checkout -q --to "$PWD/to" main >ms-to && rm -rf to && cat ms ms-to
'

# moment MS TURN: the moment of the strike in seconds, spread over the time that the checkout took before.  The machine may be
# faster now, or slower: what came too late makes the next strikes come earlier, what hit lets them come later.
scale=1000
moment()
{
	awk -v ms="$1" -v turn="$2" -v scale="$scale" 'BEGIN { srand(turn); printf "%.4f\n", (turn * 7 % 10 + rand()) / 10 * ms * scale / 1000000 }'
}

# count_strike RC
count_strike()
{
	turn=$((turn + 1))
	if [ "$1" -eq 137 ]; then
		killed=$((killed + 1)) && scale=$((scale < 950 ? scale + scale / 20 : 1000))
	else
		scale=$((scale * 8 / 10))
	fi
}

# Under a sanitizer the points are the same and every command is slow.
wanted=$(test_cases 12)

test_expect_success "$wanted checkouts in place killed at any moment, each ended by the same command" '
	killed=0 turn=0 && while [ $killed -lt $wanted ]
	do
		if [ $((turn % 2)) -eq 0 ]; then to=main~1; else to=main; fi
		strike "$(moment "$(tail -n 1 ms)" $turn)" store -C large checkout -q $to
		count_strike $?
		store -C large checkout -q $to && store -C large status --porcelain >got && test_must_be_empty got && is_whole large &&
			if [ $to = main ]; then diff -r -x .store want large; else test "$(ls large)" = one; fi && test $turn -lt 200 || return 1
	done && echo "$killed of $turn killed" && find large -name ".store-tmp-*" >got && test_must_be_empty got
'

# One that dies when its last act is done leaves a finished folder, which the same command does not touch.
test_expect_success "$wanted checkouts --to killed at any moment, each ended by the same command" '
	killed=0 turn=0 scale=1000 && store -C large checkout -q main && while [ $killed -lt $wanted ]
	do
		rm -rf to
		strike "$(moment "$(cat ms-to)" $turn)" store -C large checkout -q --to "$PWD/to" main
		rc=$?
		count_strike $rc
		{ [ $rc -eq 0 ] || store -C large checkout -q --to "$PWD/to" main 2>again || test_grep "not empty" again; } && diff -r want to &&
			is_whole large && test $turn -lt 200 || return 1
	done && echo "$killed of $turn killed"
'

quick=
test_expect_success 'and the second reader finds all in order' '
	is_whole r
'

test_done
