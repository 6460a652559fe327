# What the tests of crashes and faults share: a story to interrupt, and what must hold afterwards.  Sourced after test-lib.sh.
# shellcheck shell=sh
#
# The story: `one` is committed and acknowledged; the working tree then brings changed, new and deleted entries, a directory
# in place of a file, and a file of more chunks than one batch takes.  Chunks are 256 bytes, so that little data makes deep trees.

SECOND_READER=$SRC_ROOT/t/second-reader

# Which passings of a fault point are tried: these and the last; with N in the environment all up to the ninth.
nths='1 2 3 5'
[ -z "${STORE_TEST_LIGHT-}" ] || nths=1
[ -z "${N-}" ] || nths='1 2 3 4 5 6 7 8 9'

# count_passings POINTS COMMAND...: one run in r tells in `passings` how often each point is passed: it waits there for 1 ms.
count_passings()
{
	passings_plan=
	for passings_point in $1; do
		passings_plan=$passings_plan,$passings_point:1+:1ms
	done
	shift
	rm -f passings
	STORE_FAULT=${passings_plan#,} STORE_FAULT_LOG=$PWD/passings "$@"
}

# sample_passings POINT: the ones to try are $sample; the first is always among them.  The number may change from run to run (a
# batch ends after two seconds, too), so one that is not passed ends a loop and is no failure.
sample_passings()
{
	sample_count=1
	while IFS=: read -r sample_point sample_nth sample_rest; do
		[ "$sample_point" != "$1" ] || [ "$sample_nth" -le "$sample_count" ] || sample_count=$sample_nth
	done <passings
	sample=
	for sample_nth in $nths; do
		[ "$sample_nth" -ge "$sample_count" ] || sample="$sample $sample_nth"
	done
	sample="$sample $sample_count"
}

# How much is looked at after a case.  Briefly: one command goes on, one ends the story, fsck reads all.  In the first case and each
# third one after it (each sixth where the sanitizers look) everything is asked.
brief=
cases=0
look_closely_in_turn()
{
	brief=t
	[ $((cases % (${STORE_TEST_LIGHT:+2 * }3))) -ne 0 ] || brief=
	cases=$((cases + 1))
}

# random_bytes SEED N: the same bytes everywhere.
random_bytes()
{
	python3 -c 'import random, sys; random.seed(sys.argv[1]); sys.stdout.buffer.write(random.randbytes(int(sys.argv[2])))' "$1" "$2"
}

# json_text NAME LINE: json_value is the text that member NAME has in LINE, or the object as it stands there.
json_text()
{
	json_value=${2#*"\"$1\":"}
	case $json_value in
	\{*) json_value=${json_value%%\}*} ;;
	*) json_value=${json_value#\"} json_value=${json_value%%\"*} ;;
	esac
}

# commit_after DIR: commit what is staged there as `after`: json_line is what the command said.
commit_after()
{
	store -C "$1" --json commit --allow-empty -m after >out && read -r json_line <out
}

# make_stories: folders before-add and before-commit to copy from, tree1 with what commit `one` holds, its id in `one` and
# $one, and in `root2` the root that the story must end with, however it was interrupted.  Names and dates are fixed, and a
# copy has the times of its original: the commit that ends the story has one of two ids, by whether the interrupted command
# had made commit `two`, and such an id stands for the root, the metadata and the whole history ($ends).
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
		store --json commit -m one >../out
	) &&
	read -r json_line <out && json_text commit "$json_line" && one=$json_value && echo "$one" >one &&
	cp -a before-add tree1 &&
	rm -rf tree1/.store &&
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
	commit_after twin && json_text commit "$json_line" && ends=" $json_value " && json_text root "$json_line" && root2=$json_value &&
	store -C twin root >root2 &&
	rm -rf twin &&
	cp -a before-commit twin &&
	store -C twin commit -q -m two >/dev/null &&
	commit_after twin && json_text commit "$json_line" && ends="$ends$json_value " &&
	rm -rf twin &&
	(cd tree1 && cat small d/mid d/e/deep gone/file turns && printf small) >want.one &&
	(cd before-commit && cat small d/mid d/big turns/inside new/er/file) >want.two &&
	cat want.one want.two >want.both
}

# copy_story NAME: a fresh copy of it in r.
copy_story()
{
	rm -rf r fired && cp -a "$1" r
}

# is_empty_folder DIR
is_empty_folder()
{
	for empty_entry in "$1"/* "$1"/.[!.]*; do
		if [ -e "$empty_entry" ] || [ -L "$empty_entry" ]; then
			echo "'$empty_entry' is left over" >&7
			return 1
		fi
	done
}

# is_whole DIR: all that holds between two commands, whatever happened before.  With quick=t or brief=t only fsck says so: the
# second reader takes as long as ten commands.
quick=
is_whole()
{
	store -C "$1" fsck >fsck.out 2>&1 &&
	is_empty_folder "$1/.store/tmp" &&
	{ [ -n "$quick$brief" ] || "$SECOND_READER" "$1/.store" verify >/dev/null; }
}

# is_sound_as_left DIR: fsck finds nothing in a copy of what a killed command left, before a writer could repair it.
is_sound_as_left()
{
	rm -rf left && cp -a "$1" left && store -C left fsck >fsck.out 2>&1 && rm -rf left
}

# logs_one: commit `one` is in the log of r.
logs_one()
{
	store -C r log >log.out || return 1
	while read -r log_word log_id; do
		[ "$log_word $log_id" != "commit $one" ] || return 0
	done <log.out
	echo "commit $one is not in the log" >&7
	return 1
}

# keeps_one: commit `one` was acknowledged: it is in the log, and every file of it comes out.
keeps_one()
{
	logs_one &&
	store -C r cat "$one:small" "$one:d/mid" "$one:d/e/deep" "$one:gone/file" "$one:turns" "$one:link" >got &&
	test_cmp want.one got
}

# ends_well: the interrupted story goes on from where it is, and ends with the root it would have had; `one` and all files come
# out.  Briefly: the commit that ends it has one of the ids that it may have, and is whole.
ends_well()
{
	store -C r add -q . &&
	commit_after r &&
	json_text root "$json_line" && {
		[ "$json_value" = "$root2" ] || {
			echo "the story ends with '$json_value' and not with '$root2'" >&7
			return 1
		}
	} &&
	if json_text commit "$json_line" && [ -n "$brief" ] && [ "${ends#* "$json_value" }" != "$ends" ]; then
		:
	else
		logs_one &&
		store -C r cat "$one:small" "$one:d/mid" "$one:d/e/deep" "$one:gone/file" "$one:turns" "$one:link" \
			small d/mid d/big turns/inside new/er/file >got &&
		test_cmp want.both got &&
		store -C r status --porcelain >got &&
		test_must_be_empty got
	fi &&
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

# note_fired: what fired is added to all-fired.  has_fired LINE: it was among that.
note_fired()
{
	while read -r fired_line; do
		echo "$fired_line"
	done <fired >>all-fired
}
has_fired()
{
	while read -r fired_line; do
		[ "$fired_line" != "$1" ] || return 0
	done <all-fired
	echo "never hit: $1" >&7
	return 1
}

# killed NAME:NTH COMMAND...: it dies there by SIGKILL.  Returns 1 when it is not passed so often: then the command has ended well.
killed()
{
	killed_at=$1
	shift
	[ ! -e fired ] || rm -f fired
	STORE_FAULT=$killed_at:kill STORE_FAULT_LOG=$PWD/fired "$@" >out 2>err
	killed_code=$?
	if [ ! -f fired ]; then
		[ "$killed_code" -eq 0 ] || {
			echo "no fault was hit, and yet exit code $killed_code" &&
			cat err
		} >&7
		return 1
	fi
	note_fired
	[ "$killed_code" -eq 137 ] && return 0
	echo "killed by $killed_at, and yet exit code $killed_code" >&7
	return 2
}

# strike DELAY COMMAND...: kill it after DELAY seconds.  0: it ended well before; 137: killed; else it failed.  In the foreground: else
# timeout kills itself as well, and its end does not wait for that of the command.
strike()
{
	timeout --foreground --preserve-status -s KILL "$@" >out 2>err
}
