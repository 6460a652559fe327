#!/bin/sh
# fsck: what is whole is found whole, and every kind of damage is found and named.
. "${0%/*}/test-lib.sh"

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

test_expect_success 'any changed byte of a pack is found, and the pack is named' '
	fresh && pack=$(smallest hurt) && size=$(stat -c %s "$pack") && cp "$pack" whole && at=0 &&
	while [ $at -lt "$size" ]; do
		flip "$pack" $at && test_expect_code 4 store -C hurt fsck -q >out 2>err &&
		test_grep "^damaged: packs/${pack##*/} at offset" out && cat whole >"$pack" || { echo "offset $at" >&2; return 1; }
		at=$((at + 37))
	done &&
	store -C hurt fsck -q >out
'

test_expect_success 'damaged content is named with pack, offset, object and path, and exits 4' '
	fresh && pack=$(largest hurt) && flip "$pack" 700000 &&
	test_expect_code 4 store -C hurt fsck >out 2>err &&
	test_grep -E "^damaged: packs/${pack##*/} at offset [0-9]+: object [0-9a-f]{64}: block checksum is wrong$" out &&
	test_grep -E "object [0-9a-f]{64} is needed by: c/big$" out &&
	test_grep "damaged$" out && test_grep "is damaged" err &&
	test_expect_code 4 store -C hurt fsck --json >out && grep "\"path\":\"c/big\"" out
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
	test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "the reflog has" out
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
	rm -f "$pack" && test_expect_code 4 store -C hurt fsck >out 2>err && test_grep "the pack is missing" out
'

test_done
