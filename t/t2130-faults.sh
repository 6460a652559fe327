#!/bin/sh
# The system says no (EIO, ENOSPC) at every fault point: one line says so, exit code 2, nothing is lost, the next run works.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# refused NAME:NTH ERRNO WORDS COMMAND...: exit code 2, and one line on standard error that holds WORDS.  Returns 1 when the fault was
# not passed so often and the command ended well.
refused()
{
	refused_at=$1:$2 refused_words=$3
	shift 3
	rm -f fired
	STORE_FAULT=$refused_at STORE_FAULT_LOG=$PWD/fired "$@" >out 2>err
	refused_code=$?
	if [ ! -f fired ]; then
		[ "$refused_code" -eq 0 ] && return 1
		echo "no fault was hit, and yet exit code $refused_code" >&7
		return 2
	fi
	cat fired >>all-fired
	[ "$refused_code" -eq 2 ] || {
		echo "$refused_at: exit code $refused_code, not 2" >&7
		cat out err >&7
		return 2
	}
	test_line_count -eq 1 err && test_grep "^store: .*$refused_words" err || return 2
}

# bears STORY NAME ERRNO WORDS COMMAND...: whichever passing of NAME fails, the story ends well.
bears()
{
	bears_story=$1 bears_name=$2 bears_errno=$3 bears_words=$4
	shift 4
	: >all-fired
	for bears_nth in $nths; do
		copy_story "$bears_story" || return 1
		refused "$bears_name:$bears_nth" "$bears_errno" "$bears_words" store -C r "$@"
		bears_rc=$?
		[ "$bears_rc" -ne 1 ] || break
		if ! { [ "$bears_rc" -eq 0 ] && keeps_one && ends_well; }; then
			echo "after $bears_name:$bears_nth:$bears_errno of store $*" >&7
			return 1
		fi
	done
	[ "$bears_rc" -le 1 ] && test_grep "^$bears_name:1:$bears_errno" all-fired
}

quick=t
test_expect_success 'a story to interrupt' '
	make_stories
'

for errno in EIO ENOSPC; do
	case $errno in
	EIO) words='[Ii]nput/output error' ;;
	*) words='[Nn]o space left on device' ;;
	esac
	for point in tmp.create pack.write pack.sync publish.rename publish.sync env.commit ingest.mid; do
		test_expect_success "an add that gets $errno at $point says so and loses nothing" "
			bears before-add $point $errno '$words' add -q .
		"
	done
	for point in tmp.create pack.write pack.sync publish.rename publish.sync refslog.write refslog.sync env.commit; do
		test_expect_success "a commit that gets $errno at $point says so and loses nothing" "
			bears before-commit $point $errno '$words' commit -m two
		"
	done
done

# The outcome of a commit of the database that the system refuses is open, and is found out: there = done, not there = nothing
# of it stays.
for errno in EIO ENOSPC EROFS; do
	test_expect_success "a commit that the database made, though it said $errno, is made: exit code 0" '
		: >all-fired &&
		for nth in $nths; do
			copy_story before-commit &&
			STORE_FAULT=env.committed:$nth:'$errno' STORE_FAULT_LOG=$PWD/fired store -C r commit -m two >out 2>err &&
			test_must_be_empty err &&
			store -C r root >got &&
			test_cmp root2 got &&
			keeps_one &&
			ends_well || return 1
			[ -f fired ] || break
			cat fired >>all-fired
		done &&
		test_line_count -ge 2 all-fired
	'

	test_expect_success "an add that the database made, though it said $errno, is made: exit code 0" '
		: >all-fired &&
		for nth in $nths; do
			copy_story before-add &&
			STORE_FAULT=env.committed:$nth:'$errno' STORE_FAULT_LOG=$PWD/fired store -C r add -q . 2>err &&
			test_must_be_empty err &&
			store -C r cat :d/big >got &&
			test_cmp r/d/big got &&
			ends_well || return 1
			[ -f fired ] || break
			cat fired >>all-fired
		done &&
		test_line_count -ge 2 all-fired
	'
done

test_expect_success 'of a commit that the database did not make nothing stays: no record, no pack, no mark in the gate' '
	: >all-fired &&
	for nth in $nths; do
		copy_story before-commit &&
		refused env.commit:$nth EIO "[Ii]nput/output error" store -C r commit -m two
		rc=$?
		[ "$rc" -ne 1 ] || break
		[ "$rc" -eq 0 ] &&
		cmp before-commit/.store/refs.log r/.store/refs.log &&
		test_must_be_empty r/.store/gate &&
		ls r/.store/tmp >got &&
		test_must_be_empty got || return 1
	done &&
	test_line_count -ge 2 all-fired
'

test_expect_success 'when it cannot be found out either, all stays as it is, and the next command decides' '
	: >all-fired &&
	for point in env.commit env.committed; do
		for nth in 1 2 3; do
			copy_story before-commit &&
			STORE_FAULT=$point:$nth:EIO,env.ask:1:EIO STORE_FAULT_LOG=$PWD/fired \
				test_expect_code 2 store -C r commit -m two >out 2>err || break
			cat fired >>all-fired &&
			test_line_count -eq 1 err &&
			test_grep "[Ii]nput/output error" err &&
			test_grep "unknown" err &&
			keeps_one &&
			ends_well || return 1
		done || return 1
	done &&
	test_grep "^env.ask:1:EIO" all-fired
'

# The system call itself fails, at every page that LMDB writes.
test_expect_success 'a commit whose writes of the database fail, one after the other, is whole or not there' '
	data=$PWD/r/.store/db/data.mdb &&
	for call in pwrite64 pwritev fdatasync; do
		failed=0 &&
		for nth in 1 2 3 4 5 6 7 8 9 10 11 12; do
			copy_story before-commit &&
			strace -f -o trace -P "$data" -e trace=$call -e inject=$call:error=EIO:when=$nth \
				store -C r commit -m two >out 2>err
			rc=$?
			grep -q INJECTED trace || break
			case $rc in
			0) store -C r root >got && test_cmp root2 got ;;
			2) test_line_count -eq 1 err && test_grep "[Ii]nput/output error" err && failed=$((failed + 1)) &&
				cmp before-commit/.store/refs.log r/.store/refs.log && test_must_be_empty r/.store/gate ;;
			*) false ;;
			esac || {
				echo "$call:$nth: exit code $rc" >&7 && cat err >&7
				return 1
			}
			keeps_one &&
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
for point in walk.dir getdents stat; do
	test_expect_success "an add that gets EIO at $point names it, exits 3 and stages no deletion" "
		: >all-fired &&
		for nth in $nths; do
			copy_story before-commit &&
			\"\$SECOND_READER\" r/.store stage >before &&
			STORE_FAULT=$point:\$nth:EIO STORE_FAULT_LOG=\$PWD/fired store -C r add -q . 2>err
			rc=\$?
			[ -f fired ] || break
			cat fired >>all-fired
			case \$rc in
			0) ;;
			2 | 3) test_grep -i 'input/output error' err ;;
			*) false ;;
			esac || {
				echo \"$point:\$nth: exit code \$rc\" &&
				cat err
				return 1
			}
			\"\$SECOND_READER\" r/.store stage >after &&
			test_cmp before after || return 1
		done &&
		test_grep '^$point:1:EIO' all-fired &&
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
		test_grep "^env.put:$nth:ENOSPC" fired &&
		rm -f fired &&
		STORE_FAULT=env.put:$nth:ENOSPC STORE_FAULT_LOG=$PWD/fired store -C r commit -q -m two &&
		store -C r root >got &&
		test_cmp root2 got &&
		is_whole r || return 1
	done
'

test_expect_success 'an error of the database while rows are written is told, and nothing of it stays' '
	for nth in 1 2 5 20; do
		bears_one()
		{
			copy_story $1 &&
			refused env.put:$nth EIO "" store -C r $2 &&
			keeps_one &&
			ends_well
		} &&
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
	while read -r name; do
		cat "$SRC_ROOT"/t/t*.sh "$SRC_ROOT"/t/unit/u_*.c | grep -F -q -e "$name" || {
			echo "no test uses the fault point $name" >&7
			return 1
		}
	done <names
'

test_done
