# The helper library of the shell tests: sourced by every t/tNNNN-*.sh, speaks TAP to prove.
#
#	. "${0%/*}/test-lib.sh"
#	test_expect_success 'a promise in plain words' '
#		store init . &&
#		echo one >file &&
#		store add file
#	'
#	test_done
#
# A script is evaluated in this shell, in $TRASH, an empty folder of its own; its commands are joined by &&, and one that
# is not joined makes the test red.  The folder is removed at the end, unless a test failed or -d is given: then its
# path is printed.  Options: -v shows the output of all scripts, -x traces them, -d keeps the folder, -r PATTERN runs only
# the promises that match it as a pattern of the shell, and those that begin with "setup".
#
# A script that is about the disk (durability, writing around the cache) sets test_on_disk=t before it sources this: the
# others may have their folder in memory.  One that runs the same few commands over and over sets test_leaks=0: the address
# sanitizer takes as long to look for leaks at the end of a command as for all else of a start, and each command that is
# not killed is looked at elsewhere (t0110, t0130 and the script that is about it; the unit programs for what is inside).
#
# Set for the scripts: TRASH (the folder), SRC_ROOT (the source tree), STORE_BIN (folder of the store under test, first
# in PATH; build/fault unless the environment says otherwise), STORE_RELEASE_BIN (folder of the release build; build).
# shellcheck shell=sh

SRC_ROOT=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
test_absolute()
{
	case $1 in
	/*) printf '%s\n' "$1" ;;
	*) printf '%s\n' "$PWD/$1" ;;
	esac
}
STORE_BIN=$(test_absolute "${STORE_BIN:-$SRC_ROOT/build/fault}")
STORE_RELEASE_BIN=$(test_absolute "${STORE_RELEASE_BIN:-$SRC_ROOT/build}")

test_verbose='' test_trace='' test_keep='' test_only='' test_matched=''
while [ $# -gt 0 ]; do
	case $1 in
	-v) test_verbose=t ;;
	-x) test_trace=t test_verbose=t ;;
	-d) test_keep=t ;;
	-r)
		shift
		test_only=${1-}
		;;
	*)
		echo "usage: $0 [-v] [-x] [-d] [-r PATTERN]" >&2
		exit 2
		;;
	esac
	shift
done

# Nothing of the caller's own settings reaches the command under test, and every run has the same names and dates.
for test_var in $(env | sed -n 's/^\(STORE_[A-Z_0-9]*\)=.*/\1/p'); do
	case $test_var in
	STORE_BIN | STORE_RELEASE_BIN | STORE_TEST_*) ;;
	*) unset "$test_var" ;;
	esac
done
unset SOURCE_DATE_EPOCH NO_COLOR PAGER EDITOR VISUAL SUDO_UID SUDO_GID CDPATH MAKEFLAGS MAKELEVEL MFLAGS
test_name=${0##*/}
test_name=${test_name%.sh}
[ -z "${test_on_disk-}" ] || TMPDIR=${STORE_TEST_DISK:-${TMPDIR-}}
test_top=$(mktemp -d "${TMPDIR:-/tmp}/store-$test_name.XXXXXX") || exit 1
test_top=$(cd "$test_top" && pwd -P) || exit 1
TRASH=$test_top/trash
HOME=$test_top/home
XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache XDG_DATA_HOME=$HOME/.local/share
TZ=UTC LC_ALL=C TERM=dumb
STORE_AUTHOR_NAME='A U Thor' STORE_AUTHOR_EMAIL=author@example.com
STORE_COMMITTER_NAME='C O Mitter' STORE_COMMITTER_EMAIL=committer@example.com
STORE_AUTHOR_DATE=2026-01-02T03:04:05Z STORE_COMMITTER_DATE=2026-01-02T03:04:05Z
STORE_CEILING_DIRECTORIES=$test_top STORE_CHECK_CLOSURE=1
PATH=$STORE_BIN:$PATH
ASAN_OPTIONS=exitcode=99 LSAN_OPTIONS=exitcode=99 TSAN_OPTIONS=exitcode=99
UBSAN_OPTIONS=print_stacktrace=1
export SRC_ROOT STORE_BIN STORE_RELEASE_BIN TRASH HOME XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME TZ LC_ALL TERM
export STORE_AUTHOR_NAME STORE_AUTHOR_EMAIL STORE_AUTHOR_DATE STORE_CHECK_CLOSURE STORE_CEILING_DIRECTORIES PATH
export STORE_COMMITTER_NAME STORE_COMMITTER_EMAIL STORE_COMMITTER_DATE
export ASAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS
# Where python3 is a script that looks for the interpreter, every start of it costs ten times as much.
case $(head -c 2 "$(command -v python3)" 2>/dev/null | tr -d '\0') in
'#!') PATH=$STORE_BIN:$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))'):${PATH#*:} ;;
esac
# Its own library is all that the tests want of it: without a look at what else is installed it starts three times as fast.
# An alias, for a function in the background would be a shell, and $! not the number of Python.
alias python3='python3 -S'
umask 022
chmod 755 "$test_top" && mkdir -p "$TRASH" "$HOME" && cd "$TRASH" || exit 1

# Descriptor 5 is prove's, 6 and 7 are what a script sees.
exec 5>&1
if [ -n "$test_verbose" ]; then
	exec 6>&2 7>&2
else
	exec 6>"$test_top/out" 7>&6
fi
test_count=0 test_failed=0 test_ended='' test_cleanup=:

# Whatever ends the shell, prove hears of it, and a kept folder is named.
test_exit()
{
	test_rc=$?
	trap - EXIT
	if [ -z "$test_ended" ]; then
		echo "Bail out! $test_name ended before test_done (exit code $test_rc); its folder is $TRASH" >&5
		exit 1
	fi
	cd / || exit 1
	if [ -n "$test_keep" ] || [ "$test_failed" -gt 0 ]; then
		echo "# folder kept: $TRASH" >&5
	else
		rm -rf "$test_top" 2>/dev/null || {
			chmod -R u+rwX "$test_top" 2>/dev/null
			rm -rf "$test_top"
		}
	fi
	[ "$test_failed" -eq 0 ]
	exit $?
}
trap test_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

test_eval()
{
	[ -z "$test_trace" ] || set -x
	eval "$1"
	test_rc=$?
	{ set +x; } 2>/dev/null
	return $test_rc
}

# Run one script.  The first word before it is a probe: where every command is joined by && nothing behind it runs.
test_run()
{
	test_cleanup=:
	cd "$TRASH" || exit 1
	eval "(exit 117) && $1" >&7 2>&7 </dev/null
	if [ $? -ne 117 ]; then
		echo "broken && chain: a command of this script could fail unnoticed" >&7
		return 1
	fi
	test_eval "$1" >&6 2>&7 </dev/null
	test_script_rc=$?
	cd "$TRASH" || exit 1
	eval "$test_cleanup" >&6 2>&7 </dev/null || test_script_rc=1
	return $test_script_rc
}

# Print the end of what a failed script wrote, as TAP comments.
test_show()
{
	printf '%s\n' "$1" | sed 's/^/#   | /' >&5
	[ -n "$test_verbose" ] || tail -n 60 "$test_top/out" | sed 's/^/# /' >&5
}

test_report()
{
	[ "$1" = ok ] || test_failed=$((test_failed + 1))
	echo "$1 $test_count - $2" >&5
}

# test_set_prereq NAME: from now on tests that ask for NAME run.
test_prereqs=' '
test_set_prereq()
{
	test_prereqs="$test_prereqs$1 "
}
test_have_prereq()
{
	test_wanted=$1,
	while [ -n "$test_wanted" ]; do
		case $test_prereqs in
		*" ${test_wanted%%,*} "*) test_wanted=${test_wanted#*,} ;;
		*) return 1 ;;
		esac
	done
}

# test_is_asked_for PROMISE: by -r, or because there is no -r.
test_is_asked_for()
{
	[ -n "$test_only" ] || return 0
	# shellcheck disable=SC2254 # the option is a pattern, and is meant as such
	case $1 in
	setup*) return 0 ;;
	$test_only) test_matched=t ;;
	*) return 1 ;;
	esac
}

# A test whose prerequisite is missing is skipped at home and red where CI=true says that all must be there.
test_begin()
{
	test_count=$((test_count + 1))
	test_is_asked_for "$2" || {
		test_report ok "$2 # SKIP not asked for"
		return 1
	}
	[ -n "$test_verbose" ] || exec 6>"$test_top/out" 7>&6
	# The search for leaks doubles what a sanitized start costs; stacks of allocations are a fifth of the rest, borders of
	# global data (16,000 of them, strings for the most part) a quarter: one promise in four has all.  With STORE_TEST_LEAKS=all
	# every one has them, and the unit programs always do.
	case $((test_count % 4)),${test_leaks-},${STORE_TEST_LEAKS-} in
	1,, | *,all) ASAN_OPTIONS=exitcode=99:detect_leaks=1 ;;
	1,*) ASAN_OPTIONS=exitcode=99:detect_leaks=0:malloc_context_size=1 ;;
	*) ASAN_OPTIONS=exitcode=99:detect_leaks=0:malloc_context_size=1:report_globals=0 ;;
	esac
	[ -z "$1" ] || test_have_prereq "$1" && return 0
	if [ "${CI-}" = true ]; then
		test_report 'not ok' "$2 (needs $1, and CI=true allows no skip)"
	else
		test_report ok "$2 # SKIP needs $1"
	fi
	return 1
}

# test_expect_success [PREREQ] PROMISE SCRIPT
test_expect_success()
{
	[ $# -eq 3 ] || set -- '' "$@"
	test_begin "$1" "$2" || return 0
	if test_run "$3"; then
		test_report ok "$2"
	else
		test_report 'not ok' "$2"
		test_show "$3"
	fi
}

# test_expect_failure [PREREQ] PROMISE SCRIPT: a bug that is known; red when it has gone, so that its mark goes too.
test_expect_failure()
{
	[ $# -eq 3 ] || set -- '' "$@"
	test_begin "$1" "$2" || return 0
	if test_run "$3"; then
		test_report 'not ok' "$2 (was known to fail, and now holds: make it test_expect_success)"
	else
		echo "not ok $test_count - $2 # TODO known to fail" >&5
	fi
}

test_done()
{
	test_ended=t
	if [ -n "$test_only" ] && [ -z "$test_matched" ]; then
		test_count=$((test_count + 1))
		test_report 'not ok' "no promise of $test_name matches '$test_only'"
	fi
	echo "1..$test_count" >&5
	exit
}

# test_skip_all REASON: nothing of this file can run here.
test_skip_all()
{
	test_ended=t
	if [ "${CI-}" = true ]; then
		test_failed=1
		echo "1..1" >&5
		echo "not ok 1 - $test_name was skipped: $1, and CI=true allows no skip" >&5
	else
		echo "1..0 # SKIP $1" >&5
	fi
	exit
}

# test_when_finished COMMAND: run at the end of this script, the last one first, whether it failed or not.
test_when_finished()
{
	test_cleanup="{ $*
	} && { $test_cleanup
	}"
}

# test_must_fail COMMAND...: an honest failure; a signal, a sanitizer's report or a missing command is none.
test_must_fail()
{
	"$@"
	test_code=$?
	case $test_code in
	0) echo "test_must_fail: it succeeded: $*" ;;
	99 | 12[6-9] | 1[3-9][0-9] | 2[0-9][0-9]) echo "test_must_fail: it died with $test_code: $*" ;;
	*) return 0 ;;
	esac >&7
	return 1
}

# test_expect_code N COMMAND...
test_expect_code()
{
	test_want=$1
	shift
	"$@"
	test_code=$?
	[ "$test_code" -eq "$test_want" ] && return 0
	echo "test_expect_code: wanted $test_want, got $test_code: $*" >&7
	return 1
}

# test_cmp WANTED GOT: equal files, or the difference is shown.
test_cmp()
{
	cmp -s "$1" "$2" && return 0
	diff -u "$1" "$2" >&7 2>&1
	return 1
}

# test_grep [!] [-E|-F|...] PATTERN FILE: the file is shown when it disappoints.
test_grep()
{
	test_not=
	if [ "$1" = '!' ]; then
		test_not=t
		shift
	fi
	for test_file; do :; done
	if [ ! -r "$test_file" ]; then
		echo "test_grep: cannot read '$test_file'" >&7
		return 1
	fi
	if grep "$@" >/dev/null; then
		[ -n "$test_not" ] || return 0
		echo "test_grep: found, and should not be: $*" >&7
	else
		[ -z "$test_not" ] || return 0
		echo "test_grep: not found: $*" >&7
	fi
	sed 's/^/    /' "$test_file" >&7
	return 1
}

# test_cases COUNT: how many cases a random test takes: N of the environment, else COUNT; a fifth of it where the program
# is slow (STORE_TEST_LIGHT, under the sanitizers).
test_cases()
{
	if [ -n "${N-}" ]; then
		echo "$N"
	elif [ -n "${STORE_TEST_LIGHT-}" ]; then
		echo $((($1 + 4) / 5))
	else
		echo "$1"
	fi
}

test_must_be_empty()
{
	[ -f "$1" ] && [ ! -s "$1" ] && return 0
	echo "test_must_be_empty: '$1' is missing or holds:" >&7
	cat "$1" >&7 2>&1
	return 1
}

# test_line_count OP N FILE, as in: test_line_count -eq 3 out
test_line_count()
{
	test_lines=$(wc -l <"$3") || return 1
	test "$test_lines" "$1" "$2" && return 0
	echo "test_line_count: not $1 $2 lines: '$3'" >&7
	cat "$3" >&7
	return 1
}

test_path_is_missing()
{
	[ ! -e "$1" ] && [ ! -L "$1" ] && return 0
	echo "test_path_is_missing: '$1' exists" >&7
	return 1
}

# Uid 0 passes by all permissions, so a test of permissions runs as somebody else when it is run as root:
# test_as_user COMMAND..., in folders that test_give_to_user has handed over.
test_root()
{
	[ "$(id -u)" = 0 ]
}
test_give_to_user()
{
	! test_root || chown -R 65534:65534 "$@"
}
test_as_user()
{
	if ! test_root; then
		"$@"
		return
	fi
	if [ ! -d "$test_top/bin" ]; then
		# The build may lie where that user cannot look.
		mkdir "$test_top/bin" "$test_top/user" && chown 65534:65534 "$test_top/user" || return 1
		[ ! -x "$STORE_BIN/store" ] || cp "$STORE_BIN/store" "$test_top/bin/" || return 1
	fi
	HOME="$test_top/user" PATH="$test_top/bin:$PATH" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
! test_root || test_set_prereq ROOT

# The leak checker cannot look at a process that is traced.
strace()
{
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" command strace "$@"
}
