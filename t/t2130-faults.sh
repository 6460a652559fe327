#!/bin/sh
# The system says no (EIO, ENOSPC) at every fault point: one line says so, exit code 2, nothing is lost, the next run works.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# What the disk would say is said by the fault points.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# is_one_line FILE BEGIN WORDS: FILE is one line that begins with BEGIN and then holds WORDS.
is_one_line()
{
	if ! { read -r line_first && ! read -r line_second && [ -z "$line_second" ]; } <"$1"; then
		echo "not one line: '$1'" >&7 && cat "$1" >&7
		return 1
	fi
	case $line_first in
	"$2"*"$3"*) ;;
	*)
		echo "it does not say '$2', '$3': $line_first" >&7
		return 1
		;;
	esac
}

# refused NAME:NTH ERRNO WORDS COMMAND...: exit code 2, and one line on standard error that holds WORDS.  Returns 1 when the fault was
# not passed so often and the command ended well.
refused()
{
	refused_at=$1:$2 refused_words=$3
	shift 3
	[ ! -e fired ] || rm -f fired
	STORE_FAULT=$refused_at STORE_FAULT_LOG=$PWD/fired "$@" >out 2>err
	refused_code=$?
	if [ ! -f fired ]; then
		[ "$refused_code" -eq 0 ] && return 1
		echo "no fault was hit, and yet exit code $refused_code" >&7
		return 2
	fi
	note_fired
	[ "$refused_code" -eq 2 ] || {
		echo "$refused_at: exit code $refused_code, not 2" >&7
		cat out err >&7
		return 2
	}
	is_one_line err "store: " "$refused_words" || return 2
}

# bears STORY NAME ERRNO WORDS COMMAND...: whichever passing of NAME fails, the story ends well.
bears()
{
	bears_story=$1 bears_name=$2 bears_errno=$3 bears_words=$4
	shift 4
	: >all-fired
	sample_passings "$bears_name"
	# An errno goes the same way from every passing: of the second one the first is tried.
	[ "$bears_errno" = EIO ] || sample=1
	for bears_nth in $sample; do
		look_closely_in_turn
		copy_story "$bears_story" || return 1
		refused "$bears_name:$bears_nth" "$bears_errno" "$bears_words" store -C r "$@"
		bears_rc=$?
		[ "$bears_rc" -ne 1 ] || break
		if ! { [ "$bears_rc" -eq 0 ] && { [ -n "$brief" ] || keeps_one; } && ends_well; }; then
			echo "after $bears_name:$bears_nth:$bears_errno of store $*" >&7
			return 1
		fi
	done
	brief=
	[ "$bears_rc" -le 1 ] && has_fired "$bears_name:1:$bears_errno"
}

quick=t
test_expect_success 'setup: a story to interrupt' '
	make_stories
'

add_points='tmp.create pack.write pack.sync publish.rename publish.sync env.commit ingest.mid'
commit_points='tmp.create pack.write pack.sync publish.rename publish.sync refslog.write refslog.sync env.commit'
test_expect_success 'setup: how often each point is passed' '
	copy_story before-add && count_passings "$add_points env.committed" store -C r add -q . && mv passings add.passings &&
	copy_story before-commit && count_passings "$commit_points env.committed" store -C r commit -q -m two && mv passings commit.passings
'
# Which errno it is only its words tell: where the sanitizers look, the points get the two in turn.
turn=0
is_its_turn()
{
	turn=$((turn + 1))
	[ -z "${STORE_TEST_LIGHT-}" ] || [ $((turn % 2)) -eq 1 ]
}
for errno in EIO ENOSPC; do
	case $errno in
	EIO) words='nput/output error' ;;
	*) words='o space left on device' ;;
	esac
	for point in $add_points; do
		is_its_turn || continue
		test_expect_success "an add that gets $errno at $point says so and loses nothing" "
			cp add.passings passings &&
			bears before-add $point $errno '$words' add -q .
		"
	done
	for point in $commit_points; do
		is_its_turn || continue
		test_expect_success "a commit that gets $errno at $point says so and loses nothing" "
			cp commit.passings passings &&
			bears before-commit $point $errno '$words' commit -m two
		"
	done
done

# The outcome of a commit of the database that the system refuses is open, and is found out: there = done, not there = nothing
# of it stays.
for errno in EIO ENOSPC EROFS; do
	test_expect_success "a commit that the database made, though it said $errno, is made: exit code 0" '
		test_when_finished "brief=" &&
		: >all-fired &&
		cp commit.passings passings &&
		sample_passings env.committed &&
		for nth in $sample; do
			look_closely_in_turn &&
			copy_story before-commit &&
			STORE_FAULT=env.committed:$nth:'$errno' STORE_FAULT_LOG=$PWD/fired store -C r --json commit -m two >out 2>err &&
			test_must_be_empty err &&
			read -r json_line <out && json_text root "$json_line" && test "$json_value" = "$root2" &&
			{ [ -n "$brief" ] || keeps_one; } &&
			ends_well || return 1
			[ -f fired ] || break
			note_fired
		done &&
		test_line_count -ge 2 all-fired
	'

	test_expect_success "an add that the database made, though it said $errno, is made: exit code 0" '
		test_when_finished "brief=" &&
		: >all-fired &&
		cp add.passings passings &&
		sample_passings env.committed &&
		for nth in $sample; do
			look_closely_in_turn &&
			copy_story before-add &&
			STORE_FAULT=env.committed:$nth:'$errno' STORE_FAULT_LOG=$PWD/fired store -C r add -q . 2>err &&
			test_must_be_empty err &&
			store -C r cat :d/big >got &&
			test_cmp r/d/big got &&
			ends_well || return 1
			[ -f fired ] || break
			note_fired
		done &&
		test_line_count -ge 2 all-fired
	'
done

test_expect_success 'of a commit that the database did not make nothing stays: no record, no pack, no mark in the gate' '
	: >all-fired &&
	cp commit.passings passings &&
	sample_passings env.commit &&
	for nth in $sample; do
		copy_story before-commit &&
		refused env.commit:$nth EIO "nput/output error" store -C r commit -m two
		rc=$?
		[ "$rc" -ne 1 ] || break
		[ "$rc" -eq 0 ] &&
		cmp before-commit/.store/refs.log r/.store/refs.log &&
		test_must_be_empty r/.store/gate &&
		is_empty_folder r/.store/tmp || return 1
	done &&
	test_line_count -ge 2 all-fired
'

test_expect_success 'when it cannot be found out either, all stays as it is, and the next command decides' '
	test_when_finished "brief=" &&
	: >all-fired &&
	for point in env.commit env.committed; do
		for nth in 1 2 3; do
			look_closely_in_turn &&
			copy_story before-commit &&
			STORE_FAULT=$point:$nth:EIO,env.ask:1:EIO STORE_FAULT_LOG=$PWD/fired \
				test_expect_code 2 store -C r commit -m two >out 2>err || break
			note_fired &&
			is_one_line err "store: " "nput/output error" &&
			is_one_line err "store: " unknown &&
			{ [ -n "$brief" ] || keeps_one; } &&
			ends_well || return 1
		done || return 1
	done &&
	has_fired env.ask:1:EIO
'

# The system call itself fails, at the pages that LMDB writes: which of them, is a sample.
test_expect_success 'a commit whose writes of the database fail, one after the other, is whole or not there' '
	test_when_finished "brief=" &&
	data=$PWD/r/.store/db/data.mdb &&
	for call in pwrite64 pwritev fdatasync; do
		failed=0 &&
		for nth in 1 2 3 5 8 12; do
			look_closely_in_turn &&
			copy_story before-commit &&
			strace -f -o trace -P "$data" -e trace=$call -e inject=$call:error=EIO:when=$nth \
				store -C r commit -m two >out 2>err
			rc=$?
			grep -q INJECTED trace || break
			case $rc in
			0) store -C r root >got && test_cmp root2 got ;;
			2) is_one_line err "store: " "nput/output error" && failed=$((failed + 1)) &&
				cmp before-commit/.store/refs.log r/.store/refs.log && test_must_be_empty r/.store/gate ;;
			*) false ;;
			esac || {
				echo "$call:$nth: exit code $rc" >&7 && cat err >&7
				return 1
			}
			{ [ -n "$brief" ] || keeps_one; } &&
			ends_well || return 1
		done &&
		{ [ $call = pwritev ] || test $failed -ge 2; } || return 1
	done
'

test_expect_success 'where packs cannot be written around the cache they go through it' '
	copy_story before-add &&
	random_bytes 4 3000000 >r/d/long &&
	STORE_FAULT=pack.direct:1+:EINVAL STORE_FAULT_LOG=$PWD/fired store -C r add -q . &&
	test_grep "^pack.direct:1:EINVAL" fired &&
	store -C r cat :d/long >got &&
	test_cmp r/d/long got &&
	rm r/d/long &&
	ends_well
'

# A commit that is made does not fail for what comes after it.
test_expect_success 'commit.settle failing leaves a commit that is made' '
	copy_story before-add &&
	mkdir r/many &&
	(cd r/many && seq 1 4500 | xargs touch) &&
	store -C r add -q . &&
	STORE_FAULT=commit.settle:1:EIO STORE_FAULT_LOG=$PWD/fired store -C r commit -m two &&
	test_grep "^commit.settle:1:EIO" fired &&
	store -C r status --porcelain >got &&
	test_must_be_empty got &&
	test_expect_code 1 store -C r commit -m again &&
	rm -r r/many &&
	ends_well
'

# An error of the system is no deletion: what cannot be seen keeps what is staged.  (Exit code 0: it was tried again, and went.)
# After the first passing the second reader says what is staged, after the others store itself.
for point in walk.dir getdents stat; do
	test_expect_success "an add that gets EIO at $point names it, exits 3 and stages no deletion" "
		: >all-fired &&
		\"\$SECOND_READER\" before-commit/.store stage >before &&
		store -C before-commit ls -r : >before.ls &&
		copy_story before-commit && count_passings $point store -C r add -q . && sample_passings $point &&
		for nth in \$sample; do
			copy_story before-commit &&
			STORE_FAULT=$point:\$nth:EIO STORE_FAULT_LOG=\$PWD/fired store -C r add -q . 2>err
			rc=\$?
			[ -f fired ] || break
			note_fired
			case \$rc in
			0) ;;
			2 | 3) test_grep -i 'input/output error' err ;;
			*) false ;;
			esac || {
				echo \"$point:\$nth: exit code \$rc\" &&
				cat err
				return 1
			}
			store -C r ls -r : >after &&
			test_cmp before.ls after &&
			if [ \$nth -eq 1 ]; then \"\$SECOND_READER\" r/.store stage >after && test_cmp before after; fi || return 1
		done &&
		has_fired '$point:1:EIO' &&
		ends_well
	"
done

test_expect_success 'a file that cannot be read is named and skipped, and what was staged of it stays' '
	copy_story before-commit &&
	echo newer >r/small &&
	STORE_FAULT=ingest.read:1+:EIO STORE_FAULT_LOG=$PWD/fired test_expect_code 3 store -C r add -q . 2>err &&
	test_grep "small" err &&
	test_grep "d/big" err &&
	test_grep "^ingest.read:1:EIO" fired &&
	store -C r cat :small >got &&
	echo other | test_cmp - got &&
	store -C r cat :d/big >got &&
	test_cmp r/d/big got &&
	echo other >r/small &&
	ends_well
'

# The reading side: an error, never wrong bytes.
test_expect_success 'a pack that cannot be opened or read is an error, not an absence' '
	copy_story before-commit &&
	for point in pack.open pack.read; do
		rm -f fired &&
		STORE_FAULT=$point:1+:EIO STORE_FAULT_LOG=$PWD/fired test_expect_code 2 store -C r cat d/mid >out 2>err &&
		test_must_be_empty out &&
		test_grep -i "input/output error" err &&
		test_grep "^$point:1:EIO" fired || return 1
	done &&
	STORE_FAULT=pack.read:1+:EIO test_must_fail store -C r commit -m two &&
	ends_well
'

test_expect_success 'a full map (ENOSPC at env.put) is enlarged, and nobody notices' '
	for nth in 1 5 20; do
		copy_story before-add &&
		STORE_FAULT=env.put:$nth:ENOSPC STORE_FAULT_LOG=$PWD/fired store -C r add -q . &&
		is_one_line fired "env.put:$nth:ENOSPC" "" &&
		rm -f fired &&
		STORE_FAULT=env.put:$nth:ENOSPC STORE_FAULT_LOG=$PWD/fired store -C r --json commit -m two >out &&
		read -r json_line <out && json_text root "$json_line" && test "$json_value" = "$root2" &&
		is_whole r || return 1
	done
'

test_expect_success 'an error of the database while rows are written is told, and nothing of it stays' '
	test_when_finished "brief=" &&
	bears_one()
	{
		copy_story $1 &&
		refused env.put:$nth EIO "" store -C r $2 &&
		{ [ -n "$brief" ] || keeps_one; } &&
		ends_well
	} &&
	for nth in 1 2 5 20; do
		look_closely_in_turn &&
		bears_one before-add "add -q ." &&
		bears_one before-commit "commit -m two" || return 1
	done
'

# A status or add that compares content reads it through compare.read.
test_expect_success 'a file that cannot be compared is told by status and exit code 3' '
	copy_story before-commit &&
	touch -d 2001-01-01 r/d/mid &&
	STORE_FAULT=compare.read:1+:EIO STORE_FAULT_LOG=$PWD/fired test_expect_code 3 store -C r status >out 2>err &&
	test_grep "d/mid" err &&
	test_grep "^compare.read:1:EIO" fired
'

# The names of all fault points that publication, reading and walking have: whoever adds one adds its test here, in t2100 or in u_publish.
test_expect_success 'every named fault point above base is used by a test' '
	grep -rhoE "FAULT\(\"[a-z]+\.[a-z]+\"\)" "$SRC_ROOT/src/odb" "$SRC_ROOT/src/graph" "$SRC_ROOT/src/work" |
		sed "s/.*(\"\(.*\)\").*/\1/" | sort -u >names &&
	test_line_count -gt 10 names &&
	cat "$SRC_ROOT"/t/t*.sh "$SRC_ROOT"/t/unit/u_*.c | grep -ohwF -f names | sort -u >used &&
	test_cmp names used
'

test_done
