#!/bin/sh
# Memory stays flat: the form of `make bench-memory` that is small enough for every run.  It measures the release build:
# sanitizers have a memory of their own.
test_on_disk=t
. "${0%/*}/test-lib.sh"

bench=$SRC_ROOT/t/perf/bench-memory
TMPDIR=$TRASH
STORE_BIN=$STORE_RELEASE_BIN
export TMPDIR STORE_BIN
# A look-up for each child of each object is for tests of what is written; a user's command does none.
unset STORE_CHECK_CLOSURE

test_expect_success '1 GiB and 20,000 files take less than 64 MiB anonymous and 96 MiB resident memory in every command' '
	"$bench" 1024 20000 >table &&
	cat table &&
	test_line_count -ge 15 table &&
	test_grep ! MISSED table
'

# Side by side: they sleep most of the time.
test_expect_success 'a miss of either limit is exit code 1, and names the command' '
	{ { BENCH_ANON_LIMIT=4096 "$bench" 4 20 >anon 2>anon.err; echo $? >anon.code; } & } &&
	{ BENCH_RSS_LIMIT=4096 "$bench" 4 20 >rss 2>rss.err; echo $? >rss.code; } && wait &&
	echo 1 >want && test_cmp want anon.code && test_cmp want rss.code && test_grep "^add large .*MISSED" anon &&
	test_grep "needed too much memory" anon.err && test_grep "^status .*MISSED" rss && test_grep "needed too much memory" rss.err
'

# Half of it does not compress.  Chunks of up to 8 MiB, of which every worker holds some.
test_expect_success 'chunks of the largest size and many threads stay below the same limit' '
	mkdir r && python3 -c "
import random
with open(\"r/large\", \"wb\") as f:
    for i in range(160):
        piece = random.Random(i).randbytes(1 << 19)
        f.write(piece + piece.hex()[: 1 << 19].encode())" &&
	store init --chunk-average 2M r &&
	store -C r add --threads 16 --stats large 2>added &&
	store -C r commit -m one &&
	store -C r checkout --threads 16 --stats --to "$PWD/copy" HEAD 2>restored &&
	cmp r/large copy/large &&
	for stats in added restored
	do
		anon=$(sed -n "s/^peak anon: //p" $stats) &&
		test -n "$anon" && test "$anon" -gt 8388608 && test "$anon" -lt 67108864 || return 1
	done &&
	rm -r r copy
'

test_expect_success 'a command that fails is no pass' '
	mkdir bin && printf "%s\n" "#!/bin/sh" "exit 9" >bin/store && chmod +x bin/store &&
	STORE_BIN=$PWD/bin test_must_fail "$bench" 4 20
'

test_done
