#!/bin/sh
# Two commands open the database at the same moment.  The first makes LMDB's lock file anew while it holds that file alone;
# when it ends before all is written there, the second must not take what it finds for good: the lock file then says that
# the last transaction was number 0, and an acknowledged commit would be overwritten.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Run a command with its process number in the file `opener`.
cat >with-number <<'EOT'
echo $$ >opener && exec "$@"
EOT
# held_opener COMMAND...: run it in the background, and have strace hold it for 3 s at its first look at data.mdb: by then
# the lock file is empty.  Returns when it is there.
held_opener()
{
	rm -f opener
	strace -f -y -o look.trace -e trace=pread64 sh with-number "$@" >/dev/null &&
		look=$(awk '/ pread64\(/ { n++ } / pread64\([0-9]*<[^>]*data.mdb>/ { print n; exit }' look.trace) &&
		test -n "$look" || return 1
	strace -f -y -o held.trace -e trace=pread64,fcntl -e inject=pread64:delay_enter=3000000:when="$look" \
		sh with-number "$@" >held.out 2>&1 &
	held_pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q "lock.mdb.*F_WRLCK" held.trace || sleep 0.1
	done
	sleep 0.2
	test_grep "lock.mdb.*F_WRLCK" held.trace && test_grep ! "lock.mdb.*F_RDLCK" held.trace && kill -0 "$(cat opener)"
}
# kill_opener: and strace with it, which would keep it until the 3 s are over.
kill_opener()
{
	held=$(cat opener) && tracer=$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$held/status") && test "$tracer" -gt 1 &&
		kill -9 "$held" "$tracer" && { wait "$held_pid" || :; }
}
# LMDB keeps two heads, and number 0 would mean the even one.  Here every command makes two transactions, so the last one,
# which counts, has an even number; but one that is killed in its second turns that round.
make_odd()
{
	! STORE_FAULT=env.commit:2:kill store -C r add file
}
is_odd()
{
	python3 -c "
import struct
head = open('r/.store/db/data.mdb', 'rb').read(8192)
even, odd = (struct.unpack_from('<Q', head, page * 4096 + 144)[0] for page in (0, 1))
assert odd > even and odd % 2 == 1, (odd, even)"
}
# history N: there are N commits, and the last one has the file as it is.
history()
{
	store -C r log --oneline >log.out && test_line_count -eq "$1" log.out &&
		store -C r cat file >got && test_cmp r/file got && store -C r fsck
}

test_expect_success 'setup: a repository with commits' '
	store init r && for n in 1 2 3; do
		echo $n >r/file && { test $n -ne 2 || make_odd; } && store -C r add file && store -C r commit -m $n || return 1
	done && history 3 && is_odd
'

test_expect_success 'an opener that is killed half-way leaves the one behind it nothing false' '
	held_opener store -C r log && kill_opener && history 3 &&
	held_opener store -C r log && { store -C r log --oneline >beside & beside=$!; } && sleep 0.5 &&
	kill_opener && wait $beside && test_line_count -eq 3 beside
'

test_expect_success 'nor does a commit behind it overwrite what was committed' '
	echo 4 >r/file && store -C r add file && is_odd && held_opener store -C r log &&
	{ store -C r commit -m 4 & beside=$!; } && sleep 0.5 && kill_opener && wait $beside &&
	history 4 && test_grep ! "^void" r/.store/refs.log
'

test_expect_success 'an opener that is stopped half-way holds nobody up for longer than core.lockTimeout, and is named' '
	rm -f held && test_when_finished "rm -f held" &&
	{ python3 -c "
import fcntl, os, time
fcntl.flock(os.open(\"r/.store/db\", os.O_RDONLY), fcntl.LOCK_EX)
open(\"held\", \"w\").close()
while os.path.exists(\"held\"):
    time.sleep(0.01)" & holder=$!; } &&
	wait_for held &&
	test_expect_code 5 timeout 10 store -c core.lockTimeout=300ms -C r log >out 2>err &&
	test_line_count -eq 1 err && test_grep "process $holder has been opening" err &&
	rm held && wait $holder && store -C r log
'

# With the release, because sanitizers need address space themselves.  Where that is limited the first tries to map the database fail, and each of them lets go of the lock file.
test_expect_success 'an opener that finds too little address space for its first try leaves nothing false either' '
	echo 5 >r/file && store -C r add file && is_odd &&
	held_opener sh -c "ulimit -v 8000000 && exec \"$STORE_RELEASE_BIN/store\" -C r log" && { store -C r commit -m 5 & beside=$!; } &&
	wait $beside && wait $held_pid && history 5 && test_grep ! "^void" r/.store/refs.log
'

test_done
