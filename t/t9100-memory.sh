#!/bin/sh
# Memory stays flat: the form of `make bench-memory` that is small enough for every run.  It measures the release build:
# sanitizers have a memory of their own.
. "${0%/*}/test-lib.sh"

bench=$SRC_ROOT/t/perf/bench-memory
TMPDIR=$TRASH
STORE_BIN=$STORE_RELEASE_BIN
export TMPDIR STORE_BIN

test_expect_success '1 GiB and 20,000 files take less than 64 MiB anonymous and 96 MiB resident memory in every command' '
	"$bench" 1024 20000 >table &&
	cat table &&
	test_line_count -ge 14 table &&
	test_grep ! MISSED table
'

test_expect_success 'a miss of either limit is exit code 1, and names the command' '
	BENCH_ANON_LIMIT=4096 test_expect_code 1 "$bench" 4 20 >table 2>err &&
	test_grep "^add large .*MISSED" table &&
	test_grep "needed too much memory" err &&
	BENCH_RSS_LIMIT=4096 test_expect_code 1 "$bench" 4 20 >table 2>err &&
	test_grep "^status .*MISSED" table
'

test_expect_success 'a command that fails is no pass' '
	mkdir bin && printf "%s\n" "#!/bin/sh" "exit 9" >bin/store && chmod +x bin/store &&
	STORE_BIN=$PWD/bin test_must_fail "$bench" 4 20
'

test_done
