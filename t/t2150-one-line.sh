#!/bin/sh
# Promises that hang on a single line of the source, each made to happen on purpose: what comes between two steps of a
# command, what is synced before what, and what an interrupted command leaves behind.  t/mutants breaks those lines.
test_on_disk=t
test_leaks=0
. "${0%/*}/test-lib.sh"

# paused COMMAND...: run a commit in the background and hold it for 4 s where its pack is complete and the gate not yet
# taken: at the second fdatasync, the first is that of its registration.
paused()
{
	strace -f -o "$TRASH/paused.trace" -e trace=fdatasync -e inject=fdatasync:delay_enter=4000000:when=2 "$@" \
		>"$TRASH/paused.out" 2>&1 &
	paused_pid=$!
	sleep 1
}
# is_paused: it was still under way just now, so what was done came in between.
is_paused()
{
	kill -0 "$paused_pid"
}
# hold_gate SECONDS: be the writer for so long, in the background.
hold_gate()
{
	rm -f "$TRASH/held"
	python3 -c '
import fcntl, struct, sys, time
f = open(".store/gate", "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
open(sys.argv[1], "w").close()
time.sleep(float(sys.argv[2]))' "$TRASH/held" "$1" &
	holder=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		[ -e "$TRASH/held" ] || sleep 0.1
	done
	[ -e "$TRASH/held" ]
}
fresh()
{
	mkdir "$1" && cd "$1" && store init && mkdir -p a/b && echo one >a/b/file && echo other >other &&
		store add -A && store commit -m first
}

test_expect_success 'an add that comes while a commit is under way stays staged, and the next commit takes it' '
	fresh late && echo two >a/b/file && store add -A &&
	paused store commit -m second &&
	echo three >a/b/file && store add -A && is_paused &&
	wait $paused_pid &&
	store cat a/b/file@HEAD >../got && echo two >../want && test_cmp ../want ../got &&
	store commit -m third &&
	store cat a/b/file@HEAD >../got && echo three >../want && test_cmp ../want ../got &&
	store fsck
'

test_expect_success 'of two commits on one branch none loses the other' '
	fresh race && echo two >a/b/file && store add -A &&
	paused store commit --allow-empty -m slow &&
	echo three >other && store add -A && store commit -m quick && is_paused &&
	wait $paused_pid &&
	store log --oneline | cut -d" " -f2- >../got &&
	printf "%s\n" slow quick first >../want &&
	test_cmp ../want ../got &&
	store cat other@HEAD >../got && test_cmp other ../got && store fsck
'

# A commit with more dirty rows than one transaction settles does so after it is made.  The call that gives the gate back
# between the two is found in a copy, and held in the original.
test_expect_success 'a commit that settles late does not undo what was committed meanwhile' '
	mkdir settle && cd settle && store init && mkdir many &&
	for n in $(seq 4500); do echo "$n" >many/"$n" || return 1; done &&
	store add -A && cp -a . ../settle-copy &&
	strace -f -y -o ../trace -e trace=fcntl,fsync store -C ../settle-copy commit -m slow &&
	at=$(awk "/fsync.*refs.log/ { decided = 1 } / fcntl\(/ { n++ } decided && / fcntl\(.*gate.*F_UNLCK/ { print n; exit }" ../trace) &&
	test -n "$at" &&
	{ strace -f -o ../paused.trace -e trace=fcntl -e inject=fcntl:delay_exit=4000000:when="$at" store commit -m slow & } &&
	paused_pid=$! && sleep 2 &&
	echo changed >many/7 && store add many/7 && store commit -m quick && is_paused && wait $paused_pid &&
	store log --oneline | cut -d" " -f2- >../got && printf "%s\n" quick slow >../want && test_cmp ../want ../got &&
	echo more >many/new && store add many/new && store commit -m third &&
	store cat many/7@HEAD >../got && test_cmp many/7 ../got && store fsck
'

test_expect_success 'who holds the gate keeps writers out: they wait as long as they may, then exit 5' '
	fresh gate && echo two >other && hold_gate 4 &&
	test_expect_code 5 store -c core.lockTimeout=1s add other 2>../err && test_grep "another command is writing" ../err &&
	wait $holder && store add other && store cat :other >../got && test_cmp other ../got
'

test_expect_success 'a pack is synced before it gets its name, its folder and refs.log before the database commits' '
	fresh sync && echo two >other && store add other &&
	strace -f -y -o ../trace -e trace=fdatasync,fsync,renameat,renameat2 store commit -m two &&
	sed -n "s/^[0-9]* *\(f[a-z]*sync\)([0-9]*<.*\/\(tmp\|packs\|refs.log\|db\)\(\/[^>]*\)*>.*/\1 \2/p; s/.*renameat.*/rename/p" \
		../trace | uniq >../order &&
	printf "%s\n" "fdatasync db" "fdatasync tmp" rename "fsync packs" "fsync refs.log" "fdatasync db" >../want &&
	test_cmp ../want ../order
'

test_expect_success 'what changes below a folder reaches the root' '
	fresh below && store root >../before && echo two >a/b/file && store add a/b/file && store commit -m two &&
	store root >../after && ! cmp -s ../before ../after
'

test_expect_success 'a pack that an interrupted publication named is gone after the next one' '
	fresh orphan && echo two >other && find .store/packs -type f | sort >../before &&
	! STORE_FAULT=publish.sync:1:kill store add other &&
	find .store/packs -type f | sort >../killed && ! cmp -s ../before ../killed &&
	comm -13 ../before ../killed >../named && test_line_count -eq 1 ../named &&
	store add other && test_path_is_missing "$(cat ../named)" && store fsck
'

test_expect_success 'a record of a commit that never was is made void by the next command' '
	fresh void && echo two >other && store add other &&
	! STORE_FAULT=env.commit:2:kill store commit -m lost &&
	test_grep ! "^void " .store/refs.log && cp .store/refs.log ../log &&
	echo three >other && store add other && test_grep "^void " .store/refs.log &&
	store log --oneline >../got && test_line_count -eq 1 ../got &&
	store fsck && store commit -m three && store fsck --rebuild && store log --oneline >../got &&
	test_line_count -eq 2 ../got && test_grep three ../got
'

test_expect_success 'a file as young as its stage row is read again, even if all attributes are equal' '
	fresh young && date=$(date -d "+1 hour" +%FT%TZ) && touch -d "$date" other && store -c core.trustctime=false add other &&
	sleep 0.1 && inode=$(stat -c %i other) && printf otheR >other && echo >>other && touch -d "$date" other &&
	test "$(stat -c %i other)" = "$inode" && test "$(wc -c <other)" -eq 6 &&
	store -c core.trustctime=false add other && store cat :other >../got && test_cmp other ../got
'

test_expect_success 'a directory that cannot be listed keeps what is staged' '
	fresh unlisted && for nth in 2 3; do
		STORE_FAULT=walk.dir:$nth:EIO test_expect_code 3 store add -A 2>../err && test_grep "^store: .*a" ../err &&
		store cat :a/b/file >../got && test_cmp a/b/file ../got || return 1
	done
'

test_expect_success 'bytes that were changed together with their checksum are caught by their id' '
	mkdir forged && cd forged && store init && head -c 5000 /dev/urandom >noise &&
	store -c core.codec=none add noise && store commit -m noise &&
	chmod u+w .store/packs/* &&
	python3 - "$SRC_ROOT/t/second-reader" .store/packs/* <<-\EOF &&
	import importlib.machinery, importlib.util, struct, sys
	sys.dont_write_bytecode = True
	loader = importlib.machinery.SourceFileLoader("reader", sys.argv[1])
	reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("reader", loader))
	loader.exec_module(reader)
	noise, forged = open("noise", "rb").read(), 0
	for name in sys.argv[2:]:
	    data, at = bytearray(open(name, "rb").read()), 32
	    while data[at:at + 4] == b"STBK":
	        stored, _, table = struct.unpack("<III", data[at + 12:at + 24])
	        body = at + 32 + table
	        if bytes(data[body:body + stored]) == noise:
	            data[body + 100] ^= 1
	            struct.pack_into("<I", data, at + 28, reader.crc32c(bytes(data[at:at + 28] + data[at + 32:body + stored])))
	            forged += 1
	        at = body + stored
	    open(name, "wb").write(data)
	assert forged == 1
	EOF
	test_expect_code 4 store cat noise >../got 2>../err &&
	test_must_be_empty ../got && test_grep "has other bytes (run .store fsck.)" ../err &&
	test_expect_code 4 store fsck
'

test_expect_success 'a damaged block is caught by its checksum before a decoder sees it' '
	fresh checksum && seq 10000 >lines && store add lines && pack=$(ls -S .store/packs/* | head -n 1) && chmod u+w "$pack" &&
	printf X | dd of="$pack" bs=1 seek=2000 conv=notrunc &&
	test_expect_code 4 store cat :lines 2>../err >/dev/null && test_grep "checksum is wrong" ../err
'

test_expect_success 'the size class of a file sets the size of its chunks' '
	mkdir classes && cd classes &&
	store -c chunking.small_file_threshold=50k -c chunking.small_file_chunk_size=256 init --chunk-average 65536 &&
	head -c 20000 /dev/urandom >small && head -c 60000 /dev/urandom >medium &&
	store --stats add small 2>../stats && chunks=$(sed -n "s/^chunks: *//p" ../stats) && test "$chunks" -gt 20 &&
	store --stats add medium 2>../stats && chunks=$(sed -n "s/^chunks: *//p" ../stats) && test "$chunks" -lt 8 &&
	store cat :small >../got && test_cmp small ../got && store commit -m classes && store fsck
'

test_done
