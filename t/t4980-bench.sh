#!/bin/sh
# store bench: each subject tells figures that add up, and whatever happens nothing is left in the scratch folder.  How fast
# anything is, is not looked at.
. "${0%/*}/test-lib.sh"

STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

mkdir scratch || exit 1

# bench WORD...: on as little as there can be, in a scratch folder of its own.
bench()
{
	store bench --size 200K --count 250 --threads 2 --scratch scratch "$@"
}
is_gone()
{
	ls -A scratch >left && test_must_be_empty left
}

cat >read.py <<'EOT'
# Objects of bench --json: every member, numbers above 0, percentages that are what they are of.
import json, sys

ENTRY = "schema subject name unit threads rounds value min max ratio target_percent limits".split()
HEAD = "schema version processors cpu kernel openssl lmdb zlib isa-l libdeflate zstd size count rounds threads seed".split()
head, *entries = map(json.loads, open(sys.argv[1]))
assert list(head) == HEAD and head["schema"] == "store/bench/1", head
assert (head["size"], head["count"], head["rounds"], head["threads"]) == (200 << 10, 250, 5, 2) and head["processors"] > 0, head
assert all(isinstance(head[name], str) and head[name] for name in HEAD[4:11]), head
seen = {}
for e in entries:
    assert list(e) == ENTRY and e["schema"] == "store/bench-entry/1", e
    assert e["unit"] == ("ops/s" if e["subject"] in ("walk", "index") else "bytes/s"), e
    assert 0 < e["min"] <= e["value"] <= e["max"] and e["rounds"] == 5 and e["threads"] in (1, 2), e
    assert (e["ratio"] is not None) == e["name"].endswith("written"), e
    assert e["ratio"] is None or 1.2 < e["ratio"] < 10, e
    assert 1 <= len(e["limits"]) <= 2, e
    for limit in e["limits"]:
        assert list(limit) == "name value min max percent".split() and limit["name"], limit
        assert 0 < limit["min"] <= limit["value"] <= limit["max"], limit
        want = e["value"] / limit["value"] * 100
        assert abs(limit["percent"] - want) <= 0.001 + want * 1e-6, (limit, want)
    names = seen.setdefault(e["subject"], [])
    assert e["name"] not in names, e
    names.append(e["name"])
assert list(seen) == sys.argv[2:], list(seen)
targets = [e["name"] for e in entries if e["target_percent"]]
assert targets == ([n for n in seen["chunk"] if n.startswith(seen["chunk"][0].split()[0]) and "average" not in n] if "chunk" in seen else []), targets
assert "codec" not in seen or all(any(n.startswith(c) for n in seen["codec"]) for c in ("zlib 1,", "zlib 9,", "zstd 3,", "random")), seen
EOT

test_expect_success 'without a subject all are measured; each result has every member, and its percentages are value by limit' '
	bench --json >out && python3 read.py out chunk hash codec walk index io && is_gone
'

test_expect_success 'subjects that are named are measured, in that order' '
	bench hash chunk --json >out && python3 read.py out hash chunk && is_gone
'

test_expect_success 'as text each result is a line with its spread, its limit and the part of it; chunk tells its target' '
	bench chunk codec io -n 6 --seed 3 >out && test_grep "^store [0-9.]*, [0-9]* processor" out &&
	test_grep "^6 rounds of 200.* KiB, 250 files and rows" out && test_grep "^chunk\$" out && test_grep "^codec\$" out && test_grep "^io\$" out &&
	test_grep "^  unrolled kernel, random  .* [0-9.]* [kMG]B/s  .* [0-9]* % of [0-9.]* [kMG]B/s, SHA-256, one thread; target 150 %: \(reached\|missed\)\$" out &&
	test_grep "^  plain kernel, text  .* % of .*, SHA-256, one thread\$" out && test_grep "^  zstd 3, text, written .*; ratio [0-9.]*\$" out &&
	test_grep "^   .* % of .*, read from the cache\$" out && is_gone
'

test_expect_success 'no subject of another name, no rounds too few for a median, no numbers that are none' '
	for words in nothing "hash nothing" "--rounds 4" "-n 0" "--size 0" "--size x" "--count 200001" "-t 65" "--seed -1" "--scratch= hash" "-z"; do
		test_expect_code 2 store bench $words >out 2>err && test_must_be_empty out && test_line_count -eq 1 err || { echo "$words" && return 1; }
	done && test_expect_code 2 store bench nothing 2>err && test_grep "no bench of .nothing.; there is chunk, hash, codec, walk, index, io" err &&
	test_expect_code 2 store bench --scratch nowhere hash >out 2>err && test_grep "cannot open .nowhere.: No such file" err
'

test_expect_success 'a full disk is told in one line, whatever was being written, and nothing is left' '
	for at in pack.write:1 pack.write:3 env.commit:2 fsync:3 write:4; do
		STORE_FAULT=$at:ENOSPC test_expect_code 2 bench index io >out 2>err && test_line_count -eq 1 err && test_grep "No space left on device" err && is_gone ||
			{ echo "$at" && return 1; }
	done
'

cat >interrupt.py <<'EOT'
# Stops bench at fault points, sees that there is a scratch folder then, and lets it go on with a signal that waits.
import os, signal, subprocess

for at, number in ("getdents:2", signal.SIGINT), ("env.commit:3", signal.SIGTERM), ("pack.write:2", signal.SIGINT), ("tmp.create:2", signal.SIGHUP):
    p = subprocess.Popen("store bench --size 200K --count 250 --scratch scratch walk index io".split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env={**os.environ, "STORE_FAULT": at + ":stop"},
                         # What runs tests in the background may have told them to ignore it.
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    os.waitid(os.P_PID, p.pid, os.WSTOPPED)
    assert len(os.listdir("scratch")) == 1, at
    p.send_signal(number)
    p.send_signal(signal.SIGCONT)
    err = p.stderr.read()
    assert p.wait() == -number, (at, p.returncode, err)
    assert b"interrupted after " in err and b" rounds; nothing of it is left" in err and err.count(b"\n") == 1, (at, err)
    assert os.listdir("scratch") == [], at
EOT

test_expect_success 'after a signal nothing is left, it is told how far it came, and the command has died by the signal' '
	python3 interrupt.py
'

# Under the sanitizers, which set STORE_TEST_LIGHT, memory is theirs.
test_expect_success 'memory stays under 64 MiB with as much input as it ever makes up' '
	store bench --stats --size 16M --count 20000 --scratch scratch io index >out 2>stats && peak=$(sed -n "s/^peak anon: //p" stats) &&
	test "$peak" -gt 33554432 && { test -n "${STORE_TEST_LIGHT-}" || test "$peak" -lt 67108864; } && is_gone
'

test_expect_success 'TMPDIR is the scratch folder, and another user may not look into what lies there' '
	mkdir tmp && { STORE_FAULT=getdents:1:stop TMPDIR=$PWD/tmp store bench --count 100 --size 1K walk >out 2>err & } && pid=$! &&
	until grep -q "^State:.T" "/proc/$pid/status"; do :; done && stat -c %a tmp/store-bench-* >mode && echo 700 >want && test_cmp want mode &&
	kill -CONT $pid && wait $pid && rmdir tmp
'

test_done
