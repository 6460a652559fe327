#!/bin/sh
# Repositories that an earlier build made (t/golden/repo-v1/SOURCE) are read by every build: by the command after
# fsck --rebuild, and by the second reader without the command.
test_on_disk=t
. "${0%/*}/test-lib.sh"

golden=$SRC_ROOT/t/golden
reader=$SRC_ROOT/t/second-reader
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

test_expect_success 'setup: the working trees of the four commits and of the stage' '
	for average in 256 65536; do
		mkdir tree-$average &&
		for step in 1 2 3 4; do
			python3 "$golden/make-tree.py" tree-$average $step $average &&
			cp -a tree-$average tree-$average-$step || return 1
		done || return 1
	done
'

for name in average-256 average-64k; do
	average=65536
	[ $name = average-64k ] || average=256

	test_expect_success "$name: the archive holds no db/ and no lock file" '
		mkdir $name &&
		tar -C $name -xzf "$golden/repo-v1/$name.tar.gz" &&
		find $name/.store -mindepth 1 -maxdepth 1 -printf "%f\n" | sort >got &&
		printf "%s\n" config format packs refs.log >want &&
		test_cmp want got &&
		find $name/.store -type f -exec sha256sum {} + | sort >$name.before
	'

	test_expect_success "$name: the second reader verifies it" '
		"$reader" -o said $name verify , -o log $name log &&
		test_grep "commits 4, layers 4" said
	'

	test_expect_success "$name: the second reader gives every commit back as it went in, with executable bits" '
		{ [ -s log ] || "$reader" -o log $name log; } && test_line_count -eq 4 log &&
		rm -rf out-? && set -- && while read -r commit rest; do
			set -- "$@" , $name extract "$commit" out-$(($# / 5)) || return 1
		done <log && shift && "$reader" "$@" &&
		set -- 3 3 2 1 && for out in out-0 out-1 out-2 out-3; do
			diff -r --no-dereference tree-$average-$1 $out &&
			(cd tree-$average-$1 && find . -type f -perm -100 | sort) >want &&
			(cd $out && find . -type f -perm -100 | sort) >got && test_cmp want got || return 1
			shift
		done && test -s want && rm log
	'

	test_expect_success "$name: fsck --rebuild makes db/ anew, and fsck finds nothing" '
		cd $name && store fsck --rebuild && store fsck &&
		test -s .store/db/data.mdb
	'

	test_expect_success "$name: log, roots, lists and the stage are what they were when it was made" '
		cd $name && "$golden/describe" >../got && cd .. &&
		test_cmp "$golden/repo-v1/$name.expected" got
	'

	test_expect_success "$name: nothing that it held was changed by all this" '
		find $name/.store -type f -exec sha256sum {} + | sort >$name.after &&
		comm -23 $name.before $name.after >gone &&
		test_must_be_empty gone
	'

	test_expect_success "$name: checkout gives every commit back as it went in, with modes and times" '
		set -- 3 3 2 1 &&
		for rev in HEAD HEAD~1 HEAD~2 HEAD~3; do
			(cd $name && store checkout --to ../$name-$1-$rev $rev) &&
			diff -r --no-dereference tree-$average-$1 $name-$1-$rev &&
			(cd tree-$average-$1 && find . -type f -printf "%m %T@ %p\n" | sort) >want &&
			(cd $name-$1-$rev && find . -type f -printf "%m %T@ %p\n" | sort) >got &&
			test_cmp want got || return 1
			shift
		done
	'

	test_expect_success "$name: what was staged can be committed" '
		cd $name &&
		store commit -m "five: what was staged" &&
		sed -n "s/^would be committed: //p" "$golden/repo-v1/$name.expected" >../want &&
		store root >../got &&
		test_cmp ../want ../got &&
		store checkout --to ../$name-staged &&
		diff -r --no-dereference ../tree-$average-4 ../$name-staged &&
		store fsck
	'

	test_expect_success "$name: this build gives the same trees the same roots, whatever was there before" '
		mkdir $name-anew && cp -a tree-$average-1/. $name-anew/ && cd $name-anew &&
		store init --chunk-average $average && store add -A && store commit -m one &&
		sed -n "s/^HEAD~3: //p" "$golden/repo-v1/$name.expected" >../want &&
		store root >../got &&
		test_cmp ../want ../got &&
		rm -rf ./* && cp -a ../tree-$average-4/. . && store add -A && store commit -m four &&
		sed -n "s/^would be committed: //p" "$golden/repo-v1/$name.expected" >../want &&
		store root >../got &&
		test_cmp ../want ../got
	'
done

test_done
