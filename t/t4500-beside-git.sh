#!/bin/sh
# The same random steps by git and by store: status, commits and checkouts must be the same.  N=5000 compares more states.
test_leaks=0
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# counted NAME: how many of them there were.
counted()
{
	sed -n "s/^$1: //p" counted | grep .
}

states=$(test_cases 500)
test_expect_success "random trees and histories beside git: $states states, in each form of status" '
	python3 -B "$SRC_ROOT/t/beside-git.py" 1 $states
'

test_expect_success 'so many were compared, in each form some; most are equal as they are, untracked directories and ignored paths among them' '
	cat counted && test "$(counted states)" -ge $states && test "$(counted equal)" -ge $((states / 2)) &&
	test "$(counted collapsed)" -ge $((states / 10)) && test "$(counted ignored)" -ge $((states / 10)) &&
	for form in plain -uno -uall "-uno --ignored" --ignored "--ignored=matching" "-uall --ignored" "-uall --ignored=matching"; do
		test "$(counted "$form")" -ge $((states / 25)) || return 1
	done
'

test_done
