#!/bin/sh
# Memory stays flat in the commands of every day, too: rm, diff, show, log, reset, restore, mv, switch of many files at
# once; and where a stream goes in and comes back.  With few files, enough for every run, the limit is low: 12 MiB, where
# the most that is needed is 6, so that 1.5 KiB for each file would be seen.  It measures the release build: sanitizers have
# a memory of their own.
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

# Twice what a command may have there, so that whoever held the stream would miss.
test_expect_success 'a stream of 96 MiB, half of it new, goes in and comes back by 1 and by 5 readers in less than 48 MiB' '
	BENCH_ANON_LIMIT=50331648 "$bench" 96 0 stream >table && cat table && test_grep ! MISSED table && test_line_count -eq 5 table &&
	test_grep "^put, stream .*[0-9]" table && test_grep "^read, 4 further ones .*[0-9]" table && test_grep " 96 MiB 4[89] MiB were new" table
'

# `bench-memory 16 262143 footer` is the whole: 10 s of Python to make it.
test_expect_success 'packs of a long footer and a large block are rebuilt and checked in less than 20 MiB' '
	BENCH_ANON_LIMIT=20971520 "$bench" 2 2000 footer >table && cat table && test_grep ! MISSED table &&
	test_grep "^rebuild, footer .*[0-9]" table && test_grep "^fsck, footer .*[0-9]" table
'

test_expect_success 'a miss is exit code 1, and names the command' '
	test_expect_code 1 env BENCH_ANON_LIMIT=4096 "$bench" 2 20 hands >table 2>err && test_grep "^restore .*MISSED" table &&
	test_grep "needed too much memory" err &&
	test_expect_code 1 env BENCH_ANON_LIMIT=4096 "$bench" 2 0 stream >table 2>err && test_grep "^put, stream .*MISSED" table
'

test_done
