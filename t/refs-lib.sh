# What the tests of refs share.  Sourced after test-lib.sh.
# shellcheck shell=sh

# Durability is the promise of other scripts.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC
SECOND_READER=$SRC_ROOT/t/second-reader

# refuses CODE PATTERN ARGUMENT...: that exit code, nothing on stdout, one line on stderr that holds PATTERN, and no ref is changed.
refuses()
{
	refuses_code=$1 refuses_pattern=$2
	shift 2
	cp .store/refs.log ../refuses.log &&
		test_expect_code "$refuses_code" store "$@" >../refuses.out 2>../refuses.err &&
		test_must_be_empty ../refuses.out &&
		test_line_count -eq 1 ../refuses.err &&
		test_grep -F -e "$refuses_pattern" ../refuses.err &&
		cmp .store/refs.log ../refuses.log
}

# commits WORD...: a file of that content and a commit of that message for each.
commits()
{
	for commits_word; do
		echo "$commits_word" >f && store add -q f && store commit -q -m "$commits_word" || return 1
	done
}

# at WORD REV: the revision is the commit of that message.
at()
{
	store log --oneline -n 1 "$2" | cut -d" " -f2- >../at.got && echo "$1" | test_cmp - ../at.got
}

# prints WORD... -- ARGUMENT...: the command prints these lines.
prints()
{
	: >../prints.want
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>../prints.want
		shift
	done
	shift
	store "$@" >../prints.got && test_cmp ../prints.want ../prints.got
}

# records: how many publications changed refs.
records()
{
	grep -c '^record' .store/refs.log
}
