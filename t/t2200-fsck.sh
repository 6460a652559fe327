#!/bin/sh
# fsck: what is whole is found whole, and every kind of damage is found and named.
test_leaks=0
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# flip FILE OFFSET: change one byte.
flip()
{
	python3 - "$1" "$2" <<-\END
	import os, sys
	os.chmod(sys.argv[1], 0o644)
	f, at = open(sys.argv[1], "r+b"), int(sys.argv[2])
	f.seek(at)
	byte = f.read(1)[0]
	f.seek(at)
	f.write(bytes([byte ^ 0x5a]))
	f.close()
	END
}

# killed FAULT COMMAND...: it died at that point.
killed()
{
	(STORE_FAULT=$1:kill && export STORE_FAULT && shift && exec "$@")
	test $? -eq 137
}

# A copy of the good repository to do harm to.
fresh()
{
	rm -rf hurt && cp -a good hurt
}

# largest: the pack with the content.
largest()
{
	find "$1/.store/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-
}

smallest()
{
	find "$1/.store/packs" -type f -printf '%s %p\n' | sort -n | head -n 1 | cut -d' ' -f2-
}

test_expect_success 'a repository with every kind of entry is found whole, phase by phase' '
	mkdir good && cd good && store init . &&
	mkdir -p a/b c/empty && echo one >a/x && echo two >a/b/y && ln -s x a/l && echo "#!/bin/sh" >a/run &&
	chmod +x a/run && : >c/nothing && python3 -c "
import random
random.seed(7)
open(\"c/big\", \"wb\").write(random.randbytes(1500000))" &&
	store add -A && store commit -m first && echo three >>a/x && rm c/nothing && rm a/l && mkdir a/l &&
	echo four >a/l/z && store add -A && store commit -m second && echo staged >staged && store add staged &&
	store fsck >../out && cd .. &&
	grep -c "^[1-6]/6 [a-z]*: " out >count && echo 6 >want && test_cmp want count &&
	tail -n 1 out >last && test_grep "2 commits" last && test_grep "all is well" last
'

test_expect_success 'with -q only the totals are said, with --json each phase is an object' '
	store -C good fsck -q >out && test_line_count -eq 1 out &&
	store -C good fsck --json >out && test_line_count -eq 7 out &&
	grep -c "store/fsck-entry/1" out >count && echo 6 >want && test_cmp want count &&
	tail -n 1 out | python3 -c "
import json, sys
o = json.load(sys.stdin)
assert o[\"schema\"] == \"store/fsck/1\" and o[\"damaged\"] == 0 and o[\"commits\"] == 2, o"
'

test_expect_success 'an operand is refused' '
	test_expect_code 2 store -C good fsck something
'

# Every 37th byte, and a third of those where the program is slow.
step=37
[ -z "${STORE_TEST_LIGHT-}" ] || step=111
test_expect_success 'any changed byte of a pack is found, and the pack is named' '
	fresh && pack=$(smallest hurt) && cp "$pack" whole && chmod u+w "$pack" && python3 - whole $step >ats <<-\END &&
	import sys
	data = open(sys.argv[1], "rb").read()
	for at in range(0, len(data), int(sys.argv[2])):
	    open("changed-%d" % at, "wb").write(data[:at] + bytes([data[at] ^ 0x5a]) + data[at + 1:])
	    print(at)
	END
	test_line_count -gt 10 ats && while read -r at; do
		cat "changed-$at" >"$pack" && test_expect_code 4 store -C hurt fsck -q >"said-$at" 2>err || { echo "offset $at" >&2; return 1; }
	done <ats &&
	{ grep -L "^damaged: packs/${pack##*/} at offset" said-* >silent || :; } && test_must_be_empty silent &&
	ls said-* >said && test_line_count -eq "$(wc -l <ats)" said && rm changed-* said-* &&
	cat whole >"$pack" && store -C hurt fsck -q >out
'

# harm.py REPO PLACE BYTE: change one byte of the first pack that has the place: a block of class 1, 2 or 3 (BYTE counts from its
# header, or "stored": in its stored bytes), "footer" or "digest".  Prints the pack and the offset fsck should name.
cat >harm.py <<'EOT'
import os, struct, sys

packs = os.path.join(sys.argv[1], ".store", "packs")
for name in sorted(os.listdir(packs)):
	path = os.path.join(packs, name)
	data = bytearray(open(path, "rb").read())
	at, places = 32, {"digest": (len(data), len(data) - 40)}
	while data[at:at + 4] == b"STBK":
		stored, _, table = struct.unpack_from("<III", data, at + 12)
		byte = 32 + table + stored // 2 if sys.argv[3] == "stored" else int(sys.argv[3])
		places.setdefault(str(data[at + 6]), (at, at + byte))
		at += 32 + table + stored
	places["footer"] = (len(data), at + 40)
	if sys.argv[2] in places:
		told, byte = places[sys.argv[2]]
		data[byte] ^= 0x10
		os.chmod(path, 0o644)
		open(path, "wb").write(data)
		print(name, told)
		break
EOT

# told_of PLACE BYTE WORDS [PATH]: harm is told with pack, offset and words; of a block with an object, and with the path.
told_of()
{
	fresh && python3 harm.py hurt "$1" "$2" >harmed && read -r told_pack told_at <harmed && told="packs/$told_pack at offset $told_at" &&
		test_expect_code 4 store -C hurt fsck >out 2>err || return 1
	case $1 in
	[123]) test_grep -E "^damaged: $told: object [0-9a-f]{64}: $3" out || return 1 ;;
	*) test_grep -E "^damaged: $told: $3" out || return 1 ;;
	esac
	[ -z "$4" ] ||
		{ test_grep -E "^damaged: $told: object [0-9a-f]{64} is needed by: $4$" out &&
			test_expect_code 4 store -C hurt fsck --json >out 2>err && grep "\"path\":\"$4\"" out; }
}

while IFS='|' read -r what place byte words path; do
	test_expect_success "one changed byte in $what is told with pack, offset${path:+, object and path}, exit 4" '
		told_of "$place" "$byte" "$words" "$path"
	'
done <<'EOF'
a block of chunks|1|stored|block checksum is wrong|a/b/y
a block of nodes|2|stored|block checksum is wrong|c/big
a block of stage records|3|stored|block checksum is wrong|
the magic of a block of chunks|1|1|.*block|a/b/y
the header of a block of chunks|1|9|.*block|a/b/y
the header of a block of nodes|2|20|.*block|c/big
the checksum of a block of nodes|2|28|block header is not what the footer says|c/big
a footer|footer|0|.*footer|
the digest of a pack|digest|0|.*footer|
EOF

test_expect_success 'one changed byte in a record of refs.log is told with its place, exit 4' '
	fresh && at=$(grep -abo "refs/heads/main -" hurt/.store/refs.log | head -n 1 | cut -d: -f1) && flip hurt/.store/refs.log "$at" &&
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "^damaged: refs.log: .* is damaged at byte [0-9]*: " out
'

test_expect_success 'one changed byte in a row of the stage is told with the object it names now and its path, exit 4' '
	fresh && sha256sum hurt/staged | cut -d" " -f1 >id && python3 - hurt/.store/db/data.mdb "$(cat id)" <<-\END &&
	import sys
	data, oid = open(sys.argv[1], "rb").read(), bytes.fromhex(sys.argv[2])
	row = b"\1\0\0" + oid
	assert row in data
	open(sys.argv[1], "wb").write(data.replace(row, row[:-1] + bytes([row[-1] ^ 1])))
	END
	test_expect_code 4 store -C hurt fsck >out 2>err &&
	lost=$(sed -n "s/^damaged: object \([0-9a-f]*\): it is missing; the stage names it$/\1/p" out) && test -n "$lost" &&
	test "$(echo "$lost" | cut -c1-60)" = "$(cut -c1-60 id)" && test_grep "^damaged: object $lost is needed by: staged$" out
'

test_expect_success 'damaged content is named with pack, offset, object and path, and exits 4' '
	fresh && pack=$(largest hurt) && flip "$pack" 700000 &&
	test_expect_code 4 store -C hurt fsck >out 2>err &&
	test_grep -E "^damaged: packs/${pack##*/} at offset [0-9]+: object [0-9a-f]{64}: block checksum is wrong$" out &&
	test_grep -E "object [0-9a-f]{64} is needed by: c/big$" out &&
	test_grep "damaged$" out && test_grep "is damaged" err &&
	test_expect_code 4 store -C hurt fsck --json >out && grep "\"path\":\"c/big\"" out
'

# old: a repository whose content of `file` is needed by the first commit and its parent only; random, so that its pack is the largest.
test_expect_success 'content that only older commits need is named with a path of the newest of them' '
	mkdir old && cd old && store init . && mkdir in && python3 -c "
import random
random.seed(9)
open(\"in/file\", \"wb\").write(random.randbytes(100000))" &&
	store add -A && store commit -m one && echo 2 >other && store add -A && store commit -m two && second=$(store log --oneline -n 1 | cut -d" " -f1) &&
	echo new >in/file && store add -A && store commit -m three && store add -A && cd .. &&
	flip "$(largest old)" 50000 && test_expect_code 4 store -C old fsck >out 2>err &&
	sed -n "s/^damaged: packs.*: object [0-9a-f]\{64\} is needed by: //p" out | sort -u >got && echo "in/file@$(echo "$second" | cut -c1-12)" >want && test_cmp want got &&
	test_expect_code 4 store -C old cat "$(cat got)" >out 2>err && test_grep "checksum" err
'

test_expect_success 'content that only another ref needs is named with its commit' '
	rm -rf old && mkdir old && cd old && store init . && echo 1 >file && store add -A && store commit -m one && python3 -c "
import random
random.seed(9)
open(\"file\", \"wb\").write(random.randbytes(100000))" &&
	store add -A && store commit -m two && second=$(store log --oneline -n 1 | cut -d" " -f1) && store checkout HEAD~1 && cd .. &&
	flip "$(largest old)" 50000 && test_expect_code 4 store -C old fsck >out 2>err &&
	sed -n "s/^damaged: packs.*: object [0-9a-f]\{64\} is needed by: //p" out | sort -u >got && echo "file@$(echo "$second" | cut -c1-12)" >want && test_cmp want got
'

test_expect_success 'the content that is damaged is not handed out' '
	test_expect_code 4 store -C hurt cat c/big >got 2>err && test_grep "checksum\|other bytes" err
'

test_expect_success 'a missing pack is named, with all that went with it' '
	fresh && pack=$(largest hurt) && rm -f "$pack" && test_expect_code 4 store -C hurt fsck >out 2>err &&
	test_grep "^damaged: packs/${pack##*/} at offset 0: the pack is missing" out &&
	test_grep "it went with its pack" out && test_grep "is needed by: c/big" out && test_grep "is needed by: a/b/y" out
'

test_expect_success 'a pack that was cut is damaged, but what it still holds is read' '
	fresh && pack=$(largest hurt) && chmod u+w "$pack" && truncate -s -9 "$pack" &&
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "pack has no footer" out &&
	test_grep "1 damaged$" out && store -C hurt cat c/big >got && cmp got good/c/big
'

test_expect_success 'a pack cut within a block loses only what lay behind the cut' '
	fresh && pack=$(largest hurt) && chmod u+w "$pack" && truncate -s 900000 "$pack" &&
	test_expect_code 4 store -C hurt fsck >out 2>err &&
	test_grep "block ends early; what follows cannot be found" out
'

test_expect_success 'a file that is no pack at all under the name of one is damage' '
	fresh && pack=$(largest hurt) && chmod u+w "$pack" && echo hello >"$pack" &&
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "pack header is damaged" out
'

test_expect_success 'refs.log that lost its last record is behind the database' '
	fresh && python3 - hurt/.store/refs.log <<-\END &&
	import sys
	text = open(sys.argv[1]).read()
	open(sys.argv[1], "w").write(text[:text.rindex("record ")])
	END
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "refs.log has lost record .*writes it anew" out
'

test_expect_success 'refs.log with a changed byte within is damage' '
	fresh && flip hurt/.store/refs.log 40 && test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "refs.log" out
'

test_expect_success 'a torn end of refs.log is none: the next writer cuts it' '
	fresh && printf "record 99 17" >>hurt/.store/refs.log && store -C hurt fsck -q >out && test_grep "all is well" out
'

test_expect_success 'a publication that was killed before it committed is no damage' '
	fresh && echo more >hurt/more &&
	for n in 1 2 3; do
		{ killed env.commit:$n store -C hurt add more || :; } &&
		store -C hurt fsck -q >out 2>err || { cat out err >&2; return 1; }
	done &&
	store -C hurt add -A && store -C hurt commit -m more && store -C hurt fsck -q >out 2>err && ! test -s err
'

test_expect_success 'an unknown pack above the next number: db/ is older than packs, exit 4, and nobody removes the pack' '
	fresh && rm -rf then && cp -a hurt/.store/db then && echo one >hurt/later && store -C hurt add later &&
	echo two >hurt/later && store -C hurt add later && cp -a hurt newer && rm -rf hurt/.store/db && mv then hurt/.store/db &&
	last=$(ls hurt/.store/packs | tail -n 1) && test_expect_code 4 store -C hurt fsck >out 2>err &&
	test_grep "^damaged: packs/$last: db/ is older than packs: run .store fsck --rebuild.$" out &&
	test_expect_code 4 store -C hurt add -A 2>err && test_grep "db/ is older than packs" err &&
	test -f "hurt/.store/packs/$last" && store -C hurt fsck --rebuild -q && store -C hurt fsck -q &&
	store -C newer ls : >want && store -C hurt ls : >got && test_cmp want got && test_grep later got
'

test_expect_success 'a held gate is exit 5, and nothing is said to be damaged' '
	fresh && python3 - hurt <<-\END
	import fcntl, struct, subprocess, sys
	f = open(sys.argv[1] + "/.store/gate", "r+b")
	fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
	p = subprocess.run(["store", "-C", sys.argv[1], "-c", "core.lockTimeout=100ms", "fsck"], capture_output=True)
	sys.exit(0 if p.returncode == 5 and b"damaged" not in p.stdout else 1)
	END
'

test_expect_success 'one, two and seven threads find the same' '
	fresh && flip "$(largest hurt)" 300000 && flip "$(largest hurt)" 900000 &&
	for n in 1 2 7; do
		test_expect_code 4 store -C hurt --threads $n fsck >out.$n 2>err || return 1
	done &&
	test_cmp out.1 out.2 && test_cmp out.1 out.7
'

test_expect_success 'stage content that went is told' '
	fresh && echo only-staged >hurt/only && store -C hurt add only && pack=$(find hurt/.store/packs -type f | sort | tail -n 1) &&
	rm -f "$pack" && test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "^damaged: packs/${pack##*/} at offset 0: the pack is missing" out &&
	id=$(sha256sum hurt/only | cut -d" " -f1) && test_grep "^damaged: packs/${pack##*/} at offset 32: object $id: it went with its pack$" out &&
	test_grep "^damaged: packs/${pack##*/} at offset 32: object $id is needed by: only$" out
'

test_expect_success 'staged content of many chunks that is damaged is named by its path' '
	fresh && python3 -c "
import random
random.seed(8)
open(\"hurt/large\", \"wb\").write(random.randbytes(900000))" && mkdir hurt/in && mv hurt/large hurt/in/ && store -C hurt add in &&
	pack=$(find hurt/.store/packs -type f | sort | tail -n 1) && flip "$pack" 400000 &&
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep -E "^damaged: packs/${pack##*/} at offset [0-9]+: object [0-9a-f]{64} is needed by: in/large$" out &&
	grep -c "is needed by" out >count && echo 1 >want && test_cmp want count
'

test_done
