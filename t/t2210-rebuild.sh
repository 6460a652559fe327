#!/bin/sh
# fsck --rebuild: the database is made anew from packs and refs.log, staged content included.
test_leaks=0
. "${0%/*}/test-lib.sh"

# What survives a power cut is the promise of t2100; here processes are killed, and the kernel lives on.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# Where the program is slow: of each kind of damage the first, one in the middle and the last; and every second read that fails.
heads='0 4 5 7 20 31' cuts='0 100 4096 5000 12288 20000' torn='0 7 60 -20 -1' every=1
[ -z "${STORE_TEST_LIGHT-}" ] || heads='0 7 31' cuts='0 4096 20000' torn='0 60 -1' every=2

fresh()
{
	rm -rf hurt && cp -a good hurt
}

# state REPO: everything that must be the same after a rebuild.
state()
{
	store -C "$1" log --oneline && store -C "$1" root HEAD && store -C "$1" ls -r HEAD &&
		"$SRC_ROOT/t/second-reader" "$1/.store" refs , "$1/.store" stage &&
		store -C "$1" status --porcelain && { store -C "$1" commit -n -m x || [ $? -eq 1 ]; }
}

# is_as_before: everything that state tells of hurt is what it told of good.  The same program says the same of the same
# files, so state is asked once for each content of the folder, the database's bytes among it, and a copy of that is kept.
is_as_before()
{
	rm -rf asked
	for known in known-*; do
		diff -rq --no-dereference -x lock.mdb "$known" hurt >/dev/null 2>&1 && return 0
	done
	known_count=$((known_count + 1)) && cp -a hurt asked && state hurt >after && test_cmp before after && mv asked "known-$known_count"
}
known_count=0

# killed FAULT COMMAND...: it died at that point.
killed()
{
	(STORE_FAULT=$1:kill && export STORE_FAULT && shift && exec "$@")
	test $? -eq 137
}

# footerless FILE...: cut the end off packs.
footerless()
{
	chmod u+w "$@" && truncate -s -70 "$@"
}

# flip AT FILE...: change one bit of the byte there; a negative AT counts from the end.
flip()
{
	python3 - "$@" <<-\END
	import os, sys
	for name in sys.argv[2:]:
	    data = bytearray(open(name, "rb").read())
	    data[int(sys.argv[1])] ^= 1
	    os.chmod(name, 0o644)
	    open(name, "r+b").write(data)
	END
}

# same_packs: hurt has the packs of good, byte for byte.
same_packs()
{
	diff -r good/.store/packs hurt/.store/packs >&2
}

test_expect_success 'setup: a repository with history, branches and staged changes' '
	mkdir good && cd good && store init . && mkdir -p a/b c &&
	echo one >a/x && echo two >a/b/y && ln -s x a/l && : >c/nothing && mkdir c/empty &&
	seq 1 20000 >c/numbers && store add -A && store commit -m first &&
	echo three >>a/x && rm a/l && mkdir a/l && echo four >a/l/z && store add -A && store commit -m second &&
	store checkout -b side HEAD~1 && echo side >s && store add s && store commit -m side && store checkout main &&
	echo staged >staged && rm a/b/y && chmod 755 a/x && mkdir -p n/m && echo n >n/m/o && store add -A &&
	store fsck -q && cd .. && state good >before && find good/.store/packs -type f | sort | sed "s,good,hurt," >all.packs
'

test_expect_success 'a lost database is made anew: refs, log, trees and stage are what they were' '
	fresh && rm -rf hurt/.store/db && test_must_fail store -C hurt status 2>err && test_grep "fsck --rebuild" err &&
	store -C hurt fsck --rebuild >out && test_grep "all is well" out &&
	is_as_before && test_path_is_missing hurt/.store/db.new &&
	test_path_is_missing hurt/.store/db.old
'

test_expect_success 'work goes on: commit, add, checkout; and the tree is what it would have been' '
	store -C hurt commit -m third && store -C good commit -n -m third >want && store -C hurt root HEAD | cut -d" " -f1 >got &&
	grep -q "$(cat got)" want && store -C hurt status --porcelain >out && test_must_be_empty out &&
	store -C hurt checkout side && store -C hurt checkout main && store -C hurt fsck -q >out && test_grep "all is well" out
'

test_expect_success 'a second rebuild says the same as the first' '
	state hurt >one && store -C hurt fsck --rebuild -q && state hurt >two && test_cmp one two
'

test_expect_success 'a database of garbage is replaced' '
	fresh && printf "garbage garbage" >hurt/.store/db/data.mdb && test_must_fail store -C hurt log &&
	store -C hurt fsck --rebuild -q && is_as_before
'

test_expect_success 'killed at any step, the next rebuild finishes, and db/ is never half a one' '
	for fault in rebuild.mid:1 rebuild.sync:1 rebuild.rename:1 rebuild.rename:2 env.commit:1; do
		fresh && killed $fault store -C hurt fsck --rebuild -q && store -C hurt fsck --rebuild -q >out && is_as_before &&
		test_path_is_missing hurt/.store/db.new && test_path_is_missing hurt/.store/db.old || { echo "$fault" >&2; return 1; }
	done
'

test_expect_success 'an error at any step leaves the old database in place' '
	for fault in rebuild.mid:1:EIO rebuild.sync:1:EIO rebuild.rename:1:EIO env.commit:1:ENOSPC env.put:20:EIO; do
		fresh && (STORE_FAULT=$fault && export STORE_FAULT && test_must_fail store -C hurt fsck --rebuild -q) &&
		is_as_before || { echo "$fault" >&2; return 1; }
	done
'

test_expect_success 'packs that lost their footers get them back, byte for byte, and everything is as it was' '
	fresh && footerless hurt/.store/packs/* &&
	rm -rf hurt/.store/db && store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out &&
	grep -c "had lost its footer: it was written anew" err >count && wc -l <all.packs >want && test_cmp want count &&
	same_packs &&
	find hurt/.store/packs ! -type d ! -perm 444 >loose && test_must_be_empty loose && ls -A hurt/.store/tmp >left && test_must_be_empty left &&
	is_as_before && store -C hurt cat c/numbers >got && cmp got good/c/numbers &&
	"$SRC_ROOT/t/second-reader" hurt verify >said && store -C hurt fsck -q >out 2>err && test_must_be_empty err
'

test_expect_success 'a footer with a changed byte is written anew too' '
	fresh && p=$(find hurt/.store/packs -type f | sort | sed -n 2p) && chmod u+w "$p" && python3 - "$p" <<-\END &&
	import sys
	f = open(sys.argv[1], "r+b")
	f.seek(-50, 2)
	f.write(b"\377" * 4)
	END
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "packs/${p##*/} at offset" out &&
	store -C hurt fsck --rebuild >out 2>err && same_packs
'

test_expect_success 'a pack with any changed byte in its header loses nothing and gets the header back' '
	for at in $heads; do
		fresh && flip $at hurt/.store/packs/* && test_expect_code 4 store -C hurt fsck >out &&
		test_grep "at offset 0: pack header is damaged; .store fsck --rebuild. writes it anew" out && rm -rf hurt/.store/db &&
		store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out && test_grep "had lost its header: it was written anew" err &&
		same_packs && is_as_before || { echo "$at" >&2; return 1; }
	done
'

test_expect_success 'neither header nor footer: as long as the first block stands, both come back' '
	fresh && flip 1 hurt/.store/packs/* && flip -44 hurt/.store/packs/* && rm -rf hurt/.store/db &&
	"$SRC_ROOT/t/second-reader" hurt/.store refs >refs 2>warned && test_grep "header is not" warned &&
	store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out && same_packs
'

test_expect_success 'a pack with any changed byte in its footer gets it back, the first ones included' '
	fresh && python3 - all.packs >ats <<-\END &&
	import os, struct, sys
	path = open(sys.argv[1]).read().split()[1]
	data = open(path, "rb").read()
	off = struct.unpack("<Q", data[-64:-56])[0]
	for at in (off, off + 3, off + 4, off + 9, off + 16, off + 40, len(data) - 64, len(data) - 50, len(data) - 30, len(data) - 1):
	    print(at)
	END
	p=$(sed -n 2p all.packs) && set -- && for at in $(cat ats); do
		fresh && flip "$at" "$p" && rm -rf hurt/.store/db "hurt-$at" && mv hurt "hurt-$at" && set -- "$@" "hurt-$at/.store" refs , || return 1
	done && "$SRC_ROOT/t/second-reader" "$@" >refs 2>warned && test_line_count -eq 10 warned && test_grep ! "STBK\|begins" warned &&
	grep "footer is lost" warned >lost && test_line_count -eq 10 lost && for at in $(cat ats); do
		rm -rf hurt && mv "hurt-$at" hurt && store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out && same_packs ||
			{ echo "$at" >&2; return 1; }
	done
'

test_expect_success 'a trailer alone does not say that blocks end where the footer would be another one' '
	fresh && p=$(tail -n 1 all.packs) && chmod u+w "$p" && python3 - "$p" <<-\END && cp "$p" hurt.pack && rm -rf hurt/.store/db &&
	import struct, sys
	data = bytearray(open(sys.argv[1], "rb").read())
	stored, table = struct.unpack_from("<I", data, 32 + 12)[0], struct.unpack_from("<I", data, 32 + 20)[0]
	second = 32 + 32 + table + stored
	assert data[second:second + 4] == b"STBK"
	data[second] ^= 1
	data[-64:-56] = struct.pack("<Q", second)
	open(sys.argv[1], "wb").write(data)
	END
	test_expect_code 4 store -C hurt fsck --rebuild >out 2>err && cmp "$p" hurt.pack
'

test_expect_success 'a database of which the folder is given with slashes at its end is made anew' '
	rm -rf far far.db && store init -q -c core.dbDir="$PWD/far.db//" far && echo one >far/one && store -C far add one && store -C far commit -q -m one >log &&
	store -C far fsck --rebuild -q >out && test_grep "all is well" out && rm -rf far.db && store -C far fsck --rebuild -q >out && store -C far log --oneline >log &&
	test_line_count -eq 1 log && ls -A far.db >left && test_line_count -eq 2 left
'

test_expect_success 'killed while a footer is written, or before it has its name, the next rebuild finishes' '
	for nth in 1 2 3; do
		fresh && footerless hurt/.store/packs/* &&
		killed rebuild.footer:$nth store -C hurt fsck --rebuild -q && store -C hurt fsck --rebuild -q >out 2>err &&
		same_packs && ls -A hurt/.store/tmp >left && test_must_be_empty left &&
		is_as_before || { echo "$nth" >&2; return 1; }
	done
'

test_expect_success 'a disk too full for a footer does not keep the database from being made: exit 4 until there is room' '
	fresh && p=$(find hurt/.store/packs -type f | sort | sed -n 2p) && footerless "$p" && rm -rf hurt/.store/db &&
	(STORE_FAULT=rebuild.footer:1:ENOSPC && export STORE_FAULT && test_expect_code 4 store -C hurt fsck --rebuild >out 2>err) &&
	test_grep "packs/${p##*/} has no footer, and none could be written: .*[Nn]o space" err && test_grep "1 damaged$" out &&
	is_as_before && store -C hurt cat c/numbers >got && cmp got good/c/numbers &&
	ls -A hurt/.store/tmp >left && test_must_be_empty left &&
	store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out && is_as_before
'

test_expect_success 'a pack without footer in which a block is damaged stays as it is, and is read block by block' '
	fresh && p=$(find hurt/.store/packs -type f | sort | sed -n 1p) && footerless "$p" && python3 - "$p" <<-\END &&
	import sys
	f = open(sys.argv[1], "r+b")
	f.seek(100)
	byte = f.read(1)[0]
	f.seek(100)
	f.write(bytes([byte ^ 1]))
	END
	sha256sum "$p" >hash && rm -rf hurt/.store/db && test_expect_code 4 store -C hurt fsck --rebuild >out 2>err &&
	test_grep "packs/${p##*/} at offset .*pack has no footer" out && test_grep "packs/${p##*/} at offset 32: .*checksum" out &&
	sha256sum -c hash && store -C hurt log --oneline >log && test_line_count -eq 2 log
'

test_expect_success 'a commit whose publication did not finish counts when its pack is there' '
	fresh && killed env.commit:2 store -C hurt commit -m third &&
	tail -n 5 hurt/.store/refs.log >tail && test_grep third tail && rm -rf hurt/.store/db &&
	store -C hurt fsck --rebuild -q >out && test_grep "all is well" out &&
	store -C hurt log --oneline >log && test_grep third log
'

test_expect_success 'one whose pack is not there is passed over, for good' '
	fresh && killed env.commit:2 store -C hurt commit -m third &&
	rm -f "$(find hurt/.store/packs -type f | sort | tail -n 1)" && rm -rf hurt/.store/db &&
	store -C hurt fsck --rebuild >out 2>&1 && test_grep "never finished" out &&
	store -C hurt log --oneline >log && test_grep ! third log && store -C hurt commit -m again &&
	store -C hurt fsck -q >out && store -C hurt log --oneline >one && store -C hurt fsck --rebuild -q &&
	store -C hurt log --oneline >two && test_cmp one two && test_grep again two
'

# last_record REPO: where the last record of refs.log begins.
last_record()
{
	grep -b "^record " "$1/.store/refs.log" | tail -n 1 | cut -d: -f1
}

test_expect_success 'a last record of refs.log that the database has is no torn end: nothing is cut, and it is written anew' '
	size=$(wc -c <good/.store/refs.log) && at=$(last_record good) && for from in $torn; do
		case $from in -*) byte=$((size + from)) ;; *) byte=$((at + from)) ;; esac &&
		fresh && flip "$byte" hurt/.store/refs.log && cp hurt/.store/refs.log damaged &&
		test_expect_code 4 store -C hurt fsck >out && test_grep "refs.log has lost record" out && echo new >hurt/new &&
		test_expect_code 4 store -C hurt add new 2>err && test_grep "has lost record .*fsck --rebuild" err &&
		test_expect_code 4 store -C hurt commit -m new 2>err && test_cmp damaged hurt/.store/refs.log && rm hurt/new &&
		store -C hurt fsck --rebuild >out 2>err && test_grep "all is well" out && test_grep "written anew from the database" err &&
		is_as_before || { echo "$byte" >&2; return 1; }
	done
'

test_expect_success 'refs.log cut off before its last records gets them back, one by one' '
	fresh && grep -b "^record " hurt/.store/refs.log | cut -d: -f1 >starts && test_line_count -ge 4 starts &&
	truncate -s "$(sed -n 2p starts)" hurt/.store/refs.log &&
	test_expect_code 4 store -C hurt commit -m new 2>err && test_grep "has lost record" err &&
	store -C hurt fsck --rebuild >out && test_grep "all is well" out && is_as_before &&
	grep -c "^record " hurt/.store/refs.log >count && wc -l <starts >want && test_cmp want count
'

test_expect_success 'killed while lost records are written, the next rebuild finishes' '
	fresh && flip -30 hurt/.store/refs.log && killed rebuild.log:1 store -C hurt fsck --rebuild -q &&
	store -C hurt fsck --rebuild -q >out && is_as_before
'

test_expect_success 'a database of other changes is not believed about what refs.log lost' '
	fresh && truncate -s "$(last_record hurt)" hurt/.store/refs.log && mkdir other && store init -q other && echo x >other/x && store -C other add x &&
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do store -C other commit -q --allow-empty -m "$i" >log || return 1; done &&
	rm -rf hurt/.store/db && cp -a other/.store/db hurt/.store/db && cp hurt/.store/refs.log damaged &&
	test_expect_code 4 store -C hurt fsck --rebuild >out 2>err && test_grep "move that away" err && test_cmp damaged hurt/.store/refs.log &&
	rm -rf hurt/.store/db && store -C hurt fsck --rebuild -q >out && test_grep "all is well" out
'

test_expect_success 'a damaged last record is told when there is no database to ask: exit 4, and what it set is named' '
	id=$(grep "^ref refs/heads/side " good/.store/refs.log | tail -n 1 | cut -d" " -f4) &&
	fresh && flip -30 hurt/.store/refs.log && rm -rf hurt/.store/db && test_expect_code 4 store -C hurt fsck --rebuild >out &&
	test_grep "the last record of refs.log, .* is damaged" out && store -C hurt log --oneline >log && test_line_count -eq 2 log &&
	rm -rf side && mkdir side && store init -q side && echo x >side/x && store -C side add x && store -C side commit -q -m one >log &&
	echo y >>side/x && store -C side add x && store -C side commit -q -m two >log && echo z >side/z && store -C side add z &&
	id=$(tail -n 4 side/.store/refs.log | grep "^ref refs/heads/main" | cut -d" " -f4) &&
	flip -3 side/.store/refs.log && rm -rf side/.store/db && test_expect_code 4 store -C side fsck --rebuild >out &&
	test_grep "is damaged and was passed over: it set .refs/heads/main. to $id" out && store -C side checkout -b saved "$id" &&
	store -C side log --oneline >log && test_line_count -eq 2 log
'

test_expect_success 'an end that a crash cut off is no damage, and with a later pack it is' '
	fresh && truncate -s -5 hurt/.store/refs.log && rm -rf hurt/.store/db && test_expect_code 4 store -C hurt fsck --rebuild >out &&
	test_grep "the last record of refs.log" out &&
	fresh && killed env.commit:2 store -C hurt commit -m third && truncate -s -5 hurt/.store/refs.log && rm -rf hurt/.store/db &&
	store -C hurt fsck --rebuild -q >out && test_grep "all is well" out && store -C hurt commit -m third && store -C hurt fsck -q >out
'

test_expect_success 'a commit that finished, as a later pack shows, is no unfinished one when its pack is gone: exit 4, named' '
	rm -rf late && mkdir late && store init -q late && echo one >late/one && store -C late add one && store -C late commit -q -m one >log &&
	echo two >late/two && store -C late add two && store -C late commit -q -m two >log && p=$(find late/.store/packs -type f | sort | tail -n 1) &&
	id=$(tail -n 4 late/.store/refs.log | grep "^ref refs/heads/main" | cut -d" " -f4) && cp -a late later &&
	echo three >late/three && store -C late add three && rm -f "$p" "late${p#late}" && cp late/.store/refs.log log.before &&
	test_expect_code 4 store -C late fsck --rebuild >out 2>err && test_grep "$id" out && test_grep ! "never finished" err &&
	test_cmp log.before late/.store/refs.log && rm -rf late/.store/db && test_expect_code 4 store -C late fsck --rebuild >out 2>err && test_grep "$id" out &&
	test_cmp log.before late/.store/refs.log && test_must_fail "$SRC_ROOT/t/second-reader" late verify
'

test_expect_success 'so is one that the old database knows, without any later pack' '
	rm -f "later${p#late}" && test_expect_code 4 store -C later fsck --rebuild >out 2>err && test_grep "$id" out && test_grep ! "never finished" err
'

test_expect_success 'a record is made void when the new database stands, or by the next writer' '
	fresh && killed env.commit:2 store -C hurt commit -m third && rm -f "$(find hurt/.store/packs -type f | sort | tail -n 1)" &&
	cp hurt/.store/refs.log log.before && killed rebuild.mid:1 store -C hurt fsck --rebuild -q && test_cmp log.before hurt/.store/refs.log &&
	killed rebuild.log:1 store -C hurt fsck --rebuild -q && test_cmp log.before hurt/.store/refs.log && store -C hurt fsck -q >out &&
	store -C hurt commit -m again && test_grep "^void " hurt/.store/refs.log && store -C hurt fsck -q >out && test_grep "all is well" out &&
	store -C hurt log --oneline >log && test_grep ! third log && test_grep again log
'

test_expect_success 'numbers go on where the old database was, also where neither packs nor refs.log show it' '
	fresh && for i in 1 2 3; do
		touch hurt/c/numbers && store -C hurt status >out || return 1
	done && rm -rf plain && cp -a hurt plain && store -C hurt fsck --rebuild -q >out &&
	for r in plain hurt; do
		echo later >$r/later && store -C $r add later && find $r/.store/packs -type f | sed "s,.*/,,; s,-.*,," | sort | tail -n 1 >"$r.last" || return 1
	done && test_cmp plain.last hurt.last
'

test_expect_success 'a database that is damaged anywhere does not keep a rebuild from its end' '
	for cut in $cuts; do
		fresh && truncate -s "$cut" hurt/.store/db/data.mdb && store -C hurt fsck --rebuild -q >out && is_as_before || return 1
	done && fresh && python3 - hurt/.store/db/data.mdb <<-\END && store -C hurt fsck --rebuild -q >out && is_as_before
	import sys
	data = bytearray(open(sys.argv[1], "rb").read())
	for at in range(8192, len(data), 5):
	    data[at] ^= 0xA5
	open(sys.argv[1], "wb").write(data)
	END
'

test_expect_success 'nobody rebuilds under a live writer: exit 5, and all is as it was' '
	fresh && python3 - hurt <<-\END &&
	import fcntl, struct, subprocess, sys
	f = open(sys.argv[1] + "/.store/tmp/w-00000000000000000000000000000000", "w+b")
	fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
	p = subprocess.run(["store", "-C", sys.argv[1], "fsck", "--rebuild"], capture_output=True)
	sys.exit(0 if p.returncode == 5 and b"at work" in p.stderr else 1)
	END
	is_as_before
'

test_expect_success 'who opened the database before it was made anew, and waits, does not write to the old one: exit 5' '
	fresh && echo late >hurt/late && python3 - hurt <<-\END &&
	import fcntl, os, struct, subprocess, sys, time
	os.chdir(sys.argv[1])
	f = open(".store/gate", "r+b")
	fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
	p = subprocess.Popen(["store", "add", "late"], stderr=subprocess.PIPE)
	time.sleep(0.5)
	subprocess.run(["cp", "-a", ".store/db", ".store/db.new"], check=True)
	os.rename(".store/db", ".store/db.old")
	os.rename(".store/db.new", ".store/db")
	f.close()
	err = p.communicate()[1]
	sys.exit(0 if p.returncode == 5 and b"made anew" in err else 1)
	END
	rm -r hurt/.store/db.old && store -C hurt add late && store -C hurt fsck -q >out && test_grep "all is well" out
'

test_expect_success 'two packs of one number are refused and named' '
	fresh && p=$(find hurt/.store/packs -type f | head -n 1) && cp "$p" "${p%-*}-00000000000000000000000000000000" &&
	test_must_fail store -C hurt fsck --rebuild 2>err && test_grep "bear the number" err
'

test_expect_success 'a damaged stage record is told, and what other records staged is there' '
	fresh && p=$(find hurt/.store/packs -type f | sort | tail -n 1) && chmod u+w "$p" && python3 - "$p" <<-\END &&
	import struct, sys
	data = bytearray(open(sys.argv[1], "rb").read())
	at = 32
	while data[at:at + 4] == b"STBK":
	    stored, table = struct.unpack_from("<I", data, at + 12)[0], struct.unpack_from("<I", data, at + 20)[0]
	    if data[at + 6] == 3:
	        data[at + 32 + table] ^= 1
	    at += 32 + table + stored
	open(sys.argv[1], "wb").write(data)
	END
	test_expect_code 4 store -C hurt fsck --rebuild >out 2>err && test_grep "what it staged is not all there" out &&
	store -C hurt log --oneline >log && test_line_count -eq 2 log
'

# The reads of packs that a rebuild makes, one after the other, and the first of the check behind it; a later rebuild has all again.
test_expect_success 'what of a pack cannot be read, stage records included, is passed over and told, and the rebuild ends' '
	rm -rf hurt && mkdir hurt && cd hurt && store init . && mkdir d && echo one >d/one && store add -A && store commit -m one && echo two >two && store add -A && cd .. &&
	store -C hurt status --porcelain >want && : >told && : >fired &&
	for n in $(seq 1 $every 12) $(seq 25 $every 42); do
		STORE_FAULT=fsck.read:$n:EIO STORE_FAULT_LOG=$PWD/fired store -C hurt fsck --rebuild >out 2>err
		case $? in 0 | 4) ;; *) echo "read $n"; cat out err; return 1 ;; esac
		grep "what it staged is not all there" out >>told
		store -C hurt fsck --rebuild -q >out 2>err && store -C hurt status --porcelain >got && test_cmp want got || { echo "after read $n"; cat out err; return 1; }
	done &&
	test_line_count -eq $((30 / every)) fired && test_line_count -ge 2 told
'

test_expect_success 'a changed cipher byte in one block does not hide the stage record behind it' '
	fresh && flip 37 "$(tail -n 1 all.packs)" && test_expect_code 4 store -C hurt fsck --rebuild >out 2>err && test_grep "cipher" out &&
	store -C hurt status --porcelain >got && store -C good status --porcelain >want && test_cmp want got
'

test_expect_success 'a reset to a tree of 40 directories in each other, with files before and behind each, is done again' '
	rm -rf hurt && mkdir hurt && cd hurt && store init . && p=. && for i in $(seq 40); do
		mkdir $p/m && echo $i >$p/a && echo $i >$p/z && chmod $((600 + i % 8)) $p/z && p=$p/m || return 1
	done &&
	store add -A && store commit -m deep && store rm -r -q m && store commit -m flat && store reset --hard HEAD~1 && cd .. &&
	state hurt >want && rm -r hurt/.store/db && store -C hurt fsck --rebuild -q >out && test_grep "all is well" out && state hurt >got && test_cmp want got
'

test_expect_success 'a database map that begins small grows with the rebuild' '
	fresh && (STORE_TEST_MAP_SIZE=1048576 && export STORE_TEST_MAP_SIZE && store -C hurt fsck --rebuild -q) && is_as_before
'

test_done
