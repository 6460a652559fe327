# Trees compared: sourced after test-lib.sh.
# shellcheck shell=sh

# list DIR: every path below it with kind, permissions of files and target of links.
list()
{
	(cd "$1" && find . -path ./.store -prune -o -mindepth 1 -printf '%P %y %l\n' | LC_ALL=C sort)
}

# same DIR DIR: two trees are equal in names, kind, content, targets of links, and executable bit.
same()
{
	diff -r --no-dereference -x .store "$1" "$2" &&
		find "$1" "$2" \( -path "$1/.store" -o -path "$2/.store" \) -prune -o -type f -perm -100 -printf '%P\n' | sort | uniq -u >same.list &&
		test_must_be_empty same.list
}
