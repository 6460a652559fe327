# What the tests of crashes and faults share: a story to interrupt, and what must hold afterwards.  Sourced after test-lib.sh.
# shellcheck shell=sh
#
# The story: `one` is committed and acknowledged; the working tree then brings changed, new and deleted entries, a directory
# in place of a file, and a file of more chunks than one batch takes.  Chunks are 256 bytes, so that little data makes deep trees.

SECOND_READER=$SRC_ROOT/t/second-reader

# Which passings of a fault point are tried: up to the ninth, or the third where the program is slow.
nths='1 2 3 4 5 6 7 8 9'
[ -z "${STORE_TEST_LIGHT-}" ] || nths='1 2 3'

# random_bytes SEED N: the same bytes everywhere.
random_bytes()
{
	python3 -c 'import random, sys; random.seed(sys.argv[1]); sys.stdout.buffer.write(random.randbytes(int(sys.argv[2])))' "$1" "$2"
}

# make_stories: folders before-add and before-commit to copy from, tree1 with what commit `one` holds, its id in `one`, and
# in `root2` the root that the story must end with, however it was interrupted.
make_stories()
{
	store init -q --chunk-average 256 before-add &&
	rm before-add/.store/ballast &&
	(
		cd before-add &&
		mkdir -p d/e gone empty &&
		echo small >small &&
		random_bytes 1 3000 >d/mid &&
		echo deep >d/e/deep &&
		echo gone >gone/file &&
		echo file >turns &&
		ln -s small link &&
		store add -q . &&
		store commit -q -m one >/dev/null
	) &&
	cp -a before-add tree1 &&
	rm -rf tree1/.store &&
	store -C before-add log >out &&
	sed -n 's/^commit //p' out >one &&
	(
		cd before-add &&
		random_bytes 2 600000 >d/big &&
		random_bytes 3 2000 >>d/mid &&
		rm -r gone turns &&
		mkdir turns &&
		echo inside >turns/inside &&
		echo other >small &&
		mkdir -p new/er &&
		echo new >new/er/file
	) &&
	cp -a before-add before-commit &&
	store -C before-commit add -q . &&
	cp -a before-commit twin &&
	store -C twin commit -q -m two >/dev/null &&
	store -C twin root >root2 &&
	rm -rf twin
}

# copy_story NAME: a fresh copy of it in r.
copy_story()
{
	rm -rf r &&
	cp -a "$1" r &&
	rm -f fired
}

# is_whole DIR: all that holds between two commands, whatever happened before.  With quick=t only fsck says so: the second
# reader takes half a second.
quick=
is_whole()
{
	store -C "$1" log >log.out &&
	ls -A "$1/.store/tmp" >tmp.out &&
	test_must_be_empty tmp.out &&
	{ [ -n "$quick" ] || "$SECOND_READER" "$1/.store" verify >/dev/null; } &&
	store -C "$1" fsck >fsck.out 2>&1
}

# is_sound_as_left DIR: fsck finds nothing in a copy of what a killed command left, before a writer could repair it.
is_sound_as_left()
{
	rm -rf left && cp -a "$1" left && store -C left fsck >fsck.out 2>&1 && rm -rf left
}

# keeps_one: commit `one` was acknowledged: it is in the log, and every file of it comes out.
keeps_one()
{
	keeps_id=$(cat one) &&
	store -C r log >log.out &&
	test_grep "^commit $keeps_id\$" log.out &&
	store -C r cat "$keeps_id:small" "$keeps_id:d/mid" "$keeps_id:d/e/deep" "$keeps_id:gone/file" "$keeps_id:turns" "$keeps_id:link" >got &&
	(cd tree1 && cat small d/mid d/e/deep gone/file turns && printf small) >story.want &&
	test_cmp story.want got
}

# ends_well: the interrupted story goes on from where it is, and ends with the root it would have had.
ends_well()
{
	store -C r add -q . &&
	store -C r commit -q --allow-empty -m after >/dev/null &&
	store -C r root >got &&
	test_cmp root2 got &&
	keeps_one &&
	store -C r cat small d/mid d/big turns/inside new/er/file >got &&
	(cd r && cat small d/mid d/big turns/inside new/er/file) >story.want &&
	test_cmp story.want got &&
	store -C r status --porcelain >got &&
	test_must_be_empty got &&
	is_whole r
}

# hold FILE MARK SECONDS: lock FILE as a command that writes does, make MARK, and hold the lock so long or until MARK is gone.
# Run it as { hold FILE MARK 10 & pid=$!; } and then wait_for MARK.
hold()
{
	python3 - "$@" <<-'EOF'
		import fcntl, os, struct, sys, time
		f = open(sys.argv[1], "r+b")
		F_OFD_SETLKW = 38
		fcntl.fcntl(f, F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
		open(sys.argv[2], "w").close()
		end = time.monotonic() + float(sys.argv[3])
		while time.monotonic() < end and os.path.exists(sys.argv[2]):
		    time.sleep(0.01)
	EOF
}
wait_for()
{
	wait_tries=0
	until [ -e "$1" ]; do
		sleep 0.01
		wait_tries=$((wait_tries + 1))
		[ "$wait_tries" -lt 2000 ] || return 1
	done
}

# killed NAME:NTH COMMAND...: it dies there by SIGKILL.  Returns 1 when it is not passed so often: then the command has ended well.
killed()
{
	killed_at=$1
	shift
	rm -f fired
	STORE_FAULT=$killed_at:kill STORE_FAULT_LOG=$PWD/fired "$@" >out 2>err
	killed_code=$?
	if [ ! -f fired ]; then
		[ "$killed_code" -eq 0 ] || {
			echo "no fault was hit, and yet exit code $killed_code" &&
			cat err
		} >&7
		return 1
	fi
	cat fired >>all-fired
	[ "$killed_code" -eq 137 ] && return 0
	echo "killed by $killed_at, and yet exit code $killed_code" >&7
	return 2
}

# strike DELAY COMMAND...: kill it after DELAY seconds.  0: it ended well before; 137: killed; else it failed.
strike()
{
	strike_delay=$1
	shift
	"$@" >out 2>err &
	strike_pid=$!
	sleep "$strike_delay"
	kill -9 "$strike_pid" 2>/dev/null
	wait "$strike_pid" 2>/dev/null
}
