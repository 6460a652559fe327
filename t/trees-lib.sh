# Trees compared: sourced after test-lib.sh.
# shellcheck shell=sh

# list DIR: every path below it with kind, permissions of files and target of links.
list()
{
	(cd "$1" && find . -path ./.store -prune -o -mindepth 1 -printf '%P %y %l\n' | LC_ALL=C sort)
}

# same DIR DIR: two trees are equal in content, kind and executable bit.
same()
{
	list "$1" >left.list && list "$2" >right.list &&
		test_cmp left.list right.list &&
		diff -r --no-dereference -x .store "$1" "$2" &&
		(cd "$1" && find . -path ./.store -prune -o -type f -perm -100 -print | sort) >left.list &&
		(cd "$2" && find . -path ./.store -prune -o -type f -perm -100 -print | sort) >right.list &&
		test_cmp left.list right.list
}
