#!/bin/sh
# reset, restore, rm and mv at random leave what git leaves: on disk and in the stage.  N=2000 makes more cases.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

for pair in reset:500 rm:40 mv:40; do
	test_expect_success "${pair%:*} at random leaves what git leaves" "
		mkdir ${pair%:*} && cd ${pair%:*} && python3 -B \"\$SRC_ROOT/t/reset-beside-git.py\" ${pair%:*} 1 \"\$(test_cases ${pair#*:})\"
	"
done

test_done
