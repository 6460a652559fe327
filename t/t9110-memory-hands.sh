#!/bin/sh
# Memory stays flat in the commands of every day, too: rm, diff, show, log, reset, restore, mv, switch of many files at
# once.  With few enough for every run, the limit is low: 12 MiB, where the most that is needed is 6, so that 1.5 KiB for
# each file would be seen.  It measures the release build: sanitizers have a memory of their own.
. "${0%/*}/test-lib.sh"

bench=$SRC_ROOT/t/perf/bench-memory
TMPDIR=$TRASH
STORE_BIN=$STORE_RELEASE_BIN
STORE_TEST_FSYNC=0
export TMPDIR STORE_BIN STORE_TEST_FSYNC
# A look-up for each child of each object is for tests of what is written; a user's command does none.
unset STORE_CHECK_CLOSURE

test_expect_success 'what is done to 4,000 files at once takes less than 12 MiB of anonymous memory in every command' '
	BENCH_ANON_LIMIT=12582912 "$bench" 2 4000 hands >table && cat table && test_grep ! MISSED table &&
	for command in rm diff show log reset restore mv switch; do
		test_grep "^$command .*[0-9]" table || return 1
	done
'

test_expect_success 'a miss is exit code 1, and names the command' '
	test_expect_code 1 env BENCH_ANON_LIMIT=4096 "$bench" 2 20 hands >table 2>err && test_grep "^restore .*MISSED" table &&
	test_grep "needed too much memory" err
'

test_done
