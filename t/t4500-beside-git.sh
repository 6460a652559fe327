#!/bin/sh
# The same random steps by git and by store: status, commits and checkouts must be the same.  N=50 takes more seeds.
test_leaks=0
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

for seed in $(seq 1 "$(test_cases 8)"); do
	test_expect_success "random trees and histories beside git, seed $seed" "
		mkdir s$seed && cd s$seed && python3 -B \"\$SRC_ROOT/t/beside-git.py\" $seed 25
	"
done

test_done
