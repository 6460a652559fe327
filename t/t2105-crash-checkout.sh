#!/bin/sh
# A checkout killed at every fault point: the same command ends it.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"
quick=t

test_expect_success 'a story to interrupt' '
	make_stories
'

# The tree goes back to commit `one`: files change kind, appear, disappear.  fsync is one of the names, since files are made durable, too.
test_expect_success 'a story of a checkout' '
	copy_story before-commit &&
	store -C r commit -q -m two >/dev/null &&
	rm -rf before-checkout &&
	mv r before-checkout
'
for point in checkout.write checkout.rename checkout.mid tmp.create pack.sync publish.rename refslog.write refslog.sync env.commit; do
	test_expect_success "a checkout killed at $point is ended by the same command" "
		: >all-fired &&
		for nth in 1 2 3 4 5 6 7 8 9; do
			copy_story before-checkout || return 1
			killed $point:\$nth store -C r checkout -q \"\$(cat one)\"
			case \$? in
			1) break ;;
			2) return 1 ;;
			esac
			store -C r checkout -q \"\$(cat one)\" &&
			diff -r --no-dereference -x .store tree1 r &&
			store -C r status --porcelain >got &&
			test_must_be_empty got &&
			is_whole r &&
			store -C r checkout -q main &&
			diff -r --no-dereference -x .store before-checkout r &&
			ends_well || {
				echo \"after $point:\$nth\" >&7
				return 1
			}
		done &&
		test_grep '^$point:1:kill' all-fired
	"
done

test_expect_success 'a checkout --to that was killed is ended with -f' '
	copy_story before-checkout &&
	rm -rf to &&
	killed checkout.mid:1 store -C r checkout -q --to "$PWD/to" &&
	store -C r checkout -q -f --to "$PWD/to" &&
	diff -r --no-dereference -x .store r to &&
	is_whole r
'

quick=
test_expect_success 'and the second reader finds all in order' '
	is_whole r
'

test_done
