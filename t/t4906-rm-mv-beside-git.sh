#!/bin/sh
# rm and mv at random leave what git leaves: on disk and in the stage.  N=2000 makes more cases.
test_leaks=0
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

for what in rm mv; do
	test_expect_success "$what at random leaves what git leaves" "
		mkdir $what && cd $what && python3 -B \"\$SRC_ROOT/t/reset-beside-git.py\" $what 1 \"\$(test_cases 200)\"
	"
done

test_done
