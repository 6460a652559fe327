#!/bin/sh
# Two large files that differ in one place: what is equal is not read.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# stat NAME: a number of --stats, which stands in err.
stat_of()
{
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" err
}

# 1 GiB, or 64 MiB where the program is slow or there is no room.
size=1024
[ -z "${STORE_TEST_LIGHT-}" ] && [ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 6000000 ] || size=64

# A permutation for every MiB makes it another one, faster than random numbers are made.
cat >make-large <<'EOF'
import random, sys
rnd = random.Random(1)
block, table = b'\0' + rnd.randbytes((1 << 20) - 1), bytearray(range(256))
with open(sys.argv[1], 'wb') as f:
    for i in range(int(sys.argv[2])):
        f.write(block.translate(bytes(table)))
        rest = table[1:]
        rnd.shuffle(rest)
        table[1:] = rest
EOF

test_expect_success "two files of $size MiB that differ in one place decode less than 1 MiB" '
	store init large && cd large && python3 ../make-large f $size &&
	"$STORE_RELEASE_BIN/store" add f && store commit -m 1 && at=$((size / 2 * 1048576 + 1000)) &&
	printf "\000\001\002\003" | dd of=f bs=1 seek=$at conv=notrunc && "$STORE_RELEASE_BIN/store" add f &&
	store commit -m 2 && rm f && store --json --stats diff HEAD~ HEAD >out 2>err &&
	test "$(stat_of decoded_bytes)" -gt 0 && test "$(stat_of decoded_bytes)" -lt 1048576 &&
	test "$(stat_of peak_anon)" -le 67108864 && store diff HEAD~ HEAD >out &&
	test_grep "^@@ bytes old $at-$((at + 3)) new $at-$((at + 3)) @@" out && test "$(grep -c "^@@" out)" -eq 1
'

test_done
