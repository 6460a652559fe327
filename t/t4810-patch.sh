#!/bin/sh
# Patches: what diff prints is applied by git apply and by patch, and gives the new tree back.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

cases=$(test_cases 100)
test_expect_success "patches of $cases random edits give the new tree, by git apply and by patch" '
	mkdir random && cd random && python3 -B "$SRC_ROOT/t/patch-beside-git.py" 1 "$cases"
'

test_expect_success 'a patch of the working tree applies to what is staged' '
	mkdir repo && cd repo && store init -q . && seq 1 30 >f && echo gone >g && store add -q -A && store commit -q -m c &&
	cp -r . ../old && seq 2 31 >f && rm g && store diff >../patch && cd ../old && git apply ../patch &&
	cmp f ../repo/f && test_path_is_missing g
'

test_done
