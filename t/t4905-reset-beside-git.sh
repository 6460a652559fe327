#!/bin/sh
# reset and restore at random leave what git leaves: on disk and in the stage.  N=2000 makes more cases.
test_leaks=0
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

test_expect_success 'reset at random leaves what git leaves' '
	mkdir reset && cd reset && python3 -B "$SRC_ROOT/t/reset-beside-git.py" reset 1 "$(test_cases 500)"
'

test_done
