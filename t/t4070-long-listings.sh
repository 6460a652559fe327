#!/bin/sh
# Directories with more names than memory is kept for are read window by window, and names on the way down are dropped and
# read again.  STORE_TEST_LISTING makes the window small; what add, status and checkout say and do must stay the same.
. "${0%/*}/test-lib.sh"

# A tree that is wide on every level of a deep way, with files, links and directories between each other.
test_expect_success 'setup: a tree, staged with names that fit in memory' '
	python3 -c "
import os, random
random.seed(3)
def fill(path, depth):
    os.mkdir(path)
    for n in range(random.randrange(10, 40)):
        name = path + \"/\" + random.choice(\"abcdefgh~-Z\") * random.randrange(1, 9) + str(n)
        if depth < 4 and n % 9 == 3:
            fill(name, depth + 1)
        elif random.random() < 0.1:
            os.symlink(name, name)
        else:
            open(name, \"w\").write(name)
fill(\"tree\", 0)" &&
	store init tree && store -C tree add -r . && store -C tree commit -m one && store -C tree root >want &&
	find tree -path tree/.store -prune -o -type f -print >files && test "$(wc -l <files)" -gt 500
'

for window in 40 150 2000; do
	test_expect_success "a window of $window bytes: the same root from a fresh add" '
		rm -rf again && cp -a tree again && rm -r again/.store && store init again &&
		STORE_TEST_LISTING=$window store -C again add -q -r . && store -C again commit -q -m one && store -C again root >got &&
		test_cmp want got
	'

	test_expect_success "a window of $window bytes: nothing to add, nothing to tell, and every change is seen" '
		STORE_TEST_LISTING=$window store -C again status --porcelain >got && test_must_be_empty got &&
		for file in $(sed -n "1~37p" files)
		do
			file=again/${file#tree/} && echo changed >>"$file" && echo new >"$file.new" || return 1
		done &&
		for file in $(sed -n "7~41p" files)
		do
			rm "again/${file#tree/}" || return 1
		done &&
		store -C again status --porcelain >want.status && test_grep "^ M" want.status && test_grep "^ D" want.status && test_grep "^??" want.status &&
		STORE_TEST_LISTING=$window store -C again status --porcelain >got && test_cmp want.status got &&
		STORE_TEST_LISTING=$window store -C again add -q -r . && store -C again status --porcelain >got && test_grep ! "^.[MD?]" got
	'
done

test_expect_success 'a second reading that fails stages no deletion, and says so' '
	rm -rf again && cp -a tree again &&
	STORE_TEST_LISTING=150 STORE_FAULT=getdents:40+:EIO test_expect_code 3 store -C again add -r . 2>err &&
	test_grep "[Ii]nput/output error" err &&
	store -C again status --porcelain >got && test_must_be_empty got &&
	STORE_TEST_LISTING=150 STORE_FAULT=getdents:40+:EIO test_expect_code 3 store -C again status --porcelain >got 2>err &&
	test_grep ! "^.D" got &&
	test_grep "[Ii]nput/output error" err
'

test_done
