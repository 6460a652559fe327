#!/bin/sh
# contrib/demo, what `make demo` shows: here with a small large file, in a tree whose name holds a blank.  It compares what
# comes back by itself, so its last line is the proof; that it leaves nothing behind is seen from outside.
. "$(dirname "$0")/test-lib.sh"

# What it is run from: a source tree, with a file to edit.
tree=$TRASH/'a tree'

# The scratch folder that the run in $1 spoke of.
scratch_of()
{
	sed -n 's/^store demo, in \(.*\) ([0-9]* MiB free there)$/\1/p' "$1"
}

test_expect_success 'setup: a copy of the sources' '
	mkdir "$tree" room &&
	cp -R "$SRC_ROOT/contrib" "$SRC_ROOT/Makefile" "$SRC_ROOT/include" "$tree/" &&
	mkdir "$tree/src" && cp -R "$SRC_ROOT/src/base" "$tree/src/"
'

test_expect_success 'it goes through to its last line, and what it says of itself is there' '
	TMPDIR=$TRASH/room DEMO_MIB=6 sh "$tree/contrib/demo" "$STORE_BIN/store" >out 2>err &&
	! grep -v "^store: " err &&
	for line in "init ." "add -r ." "commit -m .first: everything." status "commit -m .second: two edits." log fsck
	do
		test_grep "^\\$ store $line\$" out || return 1
	done &&
	test_grep "^\\$ store cat large.bin@HEAD~1 | cmp" out &&
	test_grep "^  the first large.bin came back, bit for bit: 6.0 MiB in .* MiB/s" out &&
	test_grep "^  and so did the first source/Makefile" out &&
	test_grep "^  no difference" out &&
	test_grep "^all of it held: [0-9]* files, [0-9.]* MiB in two revisions, kept in [0-9.]* MiB" out
'

test_expect_success 'the second commit stores little of the large file' '
	kept=$(sed -n "s/^  the second commit stored \([0-9]*\)[.][0-9] MiB .*/\1/p" out) &&
	test -n "$kept" && test "$kept" -lt 2
'

test_expect_success 'nothing is left of its folder' '
	scratch=$(scratch_of out) &&
	test -n "$scratch" &&
	test ! -e "$scratch" &&
	ls room >left && test_must_be_empty left
'

test_expect_success 'nor when it is stopped half-way' '
	cat >slow <<-EOF &&
	#!/bin/sh
	[ "\$1" != commit ] || { : >"$TRASH/reached"; sleep 2; }
	exec "$STORE_BIN/store" "\$@"
	EOF
	chmod +x slow &&
	{ TMPDIR=$TRASH/room DEMO_MIB=1 sh "$tree/contrib/demo" ./slow >out 2>err & } &&
	pid=$! &&
	until test -e reached; do sleep 0.1; done &&
	test -d "$(scratch_of out)" &&
	kill -TERM "$pid" &&
	{ wait "$pid"; test "$?" -eq 143; } &&
	test ! -e "$(scratch_of out)"
'

test_expect_success 'a difference is not passed over' '
	cat >liar <<-EOF &&
	#!/bin/sh
	[ "\$1" != cat ] || { echo other; exit 0; }
	exec "$STORE_BIN/store" "\$@"
	EOF
	chmod +x liar &&
	! TMPDIR=$TRASH/room DEMO_MIB=1 sh "$tree/contrib/demo" ./liar >out 2>err &&
	test_grep "demo: not the same" err &&
	test_grep ! "all of it held" out &&
	test ! -e "$(scratch_of out)"
'

test_expect_success 'a size that is none is refused before anything is made' '
	! DEMO_MIB=much TMPDIR=$TRASH/room sh "$tree/contrib/demo" "$STORE_BIN/store" >out 2>err &&
	test_grep "DEMO_MIB is a number of MiB, not .much." err
'

test_done
