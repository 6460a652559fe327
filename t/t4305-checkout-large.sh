#!/bin/sh
# Large files come back bit for bit, written around the cache where the disk lets them.
test_on_disk=t
. "$(dirname "$0")/test-lib.sh"
. "$SRC_ROOT/t/trees-lib.sh"

# It is about writing around the cache, not about what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC
# The passings at which a block cannot be written so.
nths='1 2 5'
[ -z "${STORE_TEST_LIGHT-}" ] || nths='1 5'

# Files of 8 MiB and more are written in blocks around the cache; chunks end anywhere in them.
test_expect_success 'large files of every shape at their ends come back, with any number of threads' '
	mkdir large && cd large && store init . && head -c 17000003 /dev/urandom >odd && head -c 8388608 odd >whole && head -c 8388609 odd >one-more &&
	head -c 12582911 odd >one-less && truncate -s 20M hole-behind && dd if=odd of=hole-behind bs=1000003 count=9 conv=notrunc &&
	truncate -s 20M hole-before && dd if=odd of=hole-before bs=1 seek=20900001 count=777 conv=notrunc && cp odd twice &&
	dd if=/dev/zero of=twice bs=1000 seek=5003 count=6001 conv=notrunc && store add -A && store commit -m large &&
	for n in 1 2 7
	do
		rm -rf ../large-to && store --threads $n checkout --to ../large-to HEAD && (cd .. && same large large-to) || return 1
	done && test "$(stat -c %b ../large-to/hole-before)" -lt 1000 && test "$(stat -c %b ../large-to/twice)" -lt 25000
'

test_expect_success 'chunks of 256 bytes give the same large file' '
	mkdir fine && cd fine && store init --chunk-average 256 . && head -c 8650003 ../large/odd >odd && cp ../large/hole-before . && store add -A && store commit -m fine &&
	store checkout --to ../fine-to HEAD && cd .. && same fine fine-to
'

test_expect_success 'where blocks cannot be written around the cache they go through it' '
	cd large && for nth in $nths
	do
		rm -rf ../large-to && : >../fired && STORE_FAULT_LOG=$TRASH/fired STORE_FAULT=checkout.direct:$nth:EINVAL store checkout --to ../large-to HEAD &&
			test_grep checkout.direct ../fired && (cd .. && same large large-to) || return 1
	done
'

test_expect_success 'where room cannot be taken beforehand it is found on the way, and a full disk is told' '
	cd large && rm -rf ../large-to && STORE_FAULT=checkout.room:1+:ENOTSUP store checkout --to ../large-to HEAD && (cd .. && same large large-to) && rm -rf ../large-to &&
	test_expect_code 2 env STORE_FAULT=checkout.room:2:ENOSPC store checkout --to ../large-to HEAD 2>../err && test_grep "No space left" ../err &&
	rm -rf ../large-to && test_expect_code 2 env STORE_FAULT=checkout.direct:3:EIO store checkout --to ../large-to HEAD 2>../err &&
	test_grep "Input/output error" ../err && rm -rf ../large-to
'

test_done
