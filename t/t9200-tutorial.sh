#!/bin/sh
# The tutorial is typed along: every command of storetutorial(7), in order, in one shell; what the page shows is what comes out.
. "$(dirname "$0")/test-lib.sh"
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# The commands of the page as lines: run COMMAND WANTED.
commands_of()
{
	awk '
	function quoted(s) { gsub(/\047/, "\047\\\047\047", s); return "\047" s "\047" }
	function flush() { if (command != "") print "run " quoted(command) " " quoted(wanted); command = wanted = "" }
	/^\.Ed/ { flush(); block = 0 }
	block {
		gsub(/\\e/, "\\"); gsub(/\\&/, "")
		if (sub(/^\$ /, "")) { flush(); command = $0 } else if ($0 != "") wanted = wanted $0 "\n"
	}
	/^\.Bd/ { block = 1 }' "$1"
}

# A command must succeed; where the page shows what it prints, it prints just that.
run()
{
	count=$((count + 1))
	eval "$1" >"$TRASH/out" 2>"$TRASH/err" || {
		echo "failed: $1"
		cat "$TRASH/out" "$TRASH/err"
		exit 1
	}
	printf '%s' "$2" >"$TRASH/want"
	[ -z "$2" ] || test_cmp "$TRASH/want" "$TRASH/out" || {
		echo "prints something else: $1"
		exit 1
	}
}

test_expect_success 'the tutorial can be typed along, and shows what is printed' '
	commands_of "$SRC_ROOT/man/storetutorial.7" >script && mkdir home && (
		count=0 && cd home && . "$TRASH/script" && echo "$count" >"$TRASH/count"
	) && test "$(cat count)" -eq "$(grep -c "^[$] " "$SRC_ROOT/man/storetutorial.7")" && test "$(cat count)" -ge 80
'

test_expect_success 'every command of everyday use stands in it' '
	for command in init add status diff commit log show ls cat checkout restore reset rm mv branch switch tag reflog check-ignore config info root fsck; do
		grep "^[$] " "$SRC_ROOT/man/storetutorial.7" | grep -qE "store (-[^ ]+ )*$command( |\$)" || { echo "no $command"; return 1; }
	done
'

test_done
