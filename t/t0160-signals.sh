#!/bin/sh
# A signal ends a command between two steps of it: the command is stopped at a fault point, so that the signal comes at
# that very place however fast the machine is, and goes on with the signal waiting.
. "${0%/*}/test-lib.sh"
STORE_TEST_FSYNC=0 PYTHONDONTWRITEBYTECODE=1
export STORE_TEST_FSYNC PYTHONDONTWRITEBYTECODE

cat >held.py <<'EOF'
import os, shutil, signal, subprocess

NUMBERS = {'INT': signal.SIGINT, 'TERM': signal.SIGTERM, 'HUP': signal.SIGHUP}

def as_if_typed():
    # What runs tests in the background may have told them to ignore SIGINT.
    for number in NUMBERS.values():
        signal.signal(number, signal.SIG_DFL)

def held(at, point, name, words):
    """Run store WORDS in folder at, stopped at the fault point, with the signal sent meanwhile: its code, and what it said."""
    # Into files: a pipe would be full before the point is reached.
    with open('out', 'wb') as out, open('err', 'wb') as err:
        p = subprocess.Popen(['store'] + words, cwd=at, env={**os.environ, 'STORE_FAULT': point + ':stop'}, stdout=out, stderr=err,
                             preexec_fn=as_if_typed)
    state = os.waitid(os.P_PID, p.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert state.si_code == os.CLD_STOPPED, ('it never came to', point, words, open('err').read())
    p.send_signal(NUMBERS[name])
    p.send_signal(signal.SIGCONT)
    p.wait()
    with open('out', 'rb') as out, open('err', 'rb') as err:
        return p.returncode, out.read(), err.read()

def store(at, *words):
    return subprocess.run(['store', *words], cwd=at, check=True, stdout=subprocess.PIPE).stdout

def refs(at):
    with open(at + '/.store/refs.log', 'rb') as f:
        return f.read()

def again(base, at):
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(base, at)
EOF

test_expect_success 'setup: a repository with something staged, and one with much to tell' '
	store init -q base && rm base/.store/ballast && cd base && mkdir d && echo 1 >f && echo 1 >d/g && store add -q . && store commit -q -m one &&
	echo 2 >f && echo 2 >d/new && rm d/g && store add -q -A && cd .. &&
	store init -q much && cd much && python3 - <<-\EOT && store add -q . && store commit -q -m one && store commit -q --allow-empty -m two && python3 - two <<-\EOT
	import os
	for d in range(20):
	    os.mkdir("d%d" % d)
	    for n in range(20):
	        with open("d%d/f%d" % (d, n), "w") as f:
	            f.write("line of %d %d\n" % (d, n) * 20)
	EOT
	for d in range(20):
	    for n in range(20):
	        with open("d%d/f%d" % (d, n), "a") as f:
	            f.write("one more\n")
	    with open("d%d/new" % d, "w") as f:
	        f.write("new\n")
	EOT
'

test_expect_success 'a commit ends by the signal before its pack is written, and nothing has changed; the next one works' '
	python3 - <<-\EOT
	from held import *
	staged, before = store("base", "status", "--porcelain"), refs("base")
	assert staged == b"D  d/g\nA  d/new\nM  f\n", staged
	for point, name in ("tmp.create:1", "INT"), ("env.commit:1", "TERM"), ("env.committed:1", "HUP"), ("read:4", "INT"):
	    again("base", "r")
	    code, out, err = held("r", point, name, ["commit", "-m", "two"])
	    assert code == -NUMBERS[name] and out == err == b"", (point, code, out, err)
	    assert refs("r") == before and store("r", "status", "--porcelain") == staged, point
	    assert not os.listdir("r/.store/tmp"), point
	    store("r", "commit", "-q", "-m", "two")
	    assert refs("r") != before
	    store("r", "fsck", "-q")
	EOT
'

test_expect_success 'a commit whose pack is being written is completed, and says so' '
	python3 - <<-\EOT
	from held import *
	before = refs("base")
	for point, name in (("pack.write:1", "INT"), ("pack.sync:1", "TERM"), ("publish.rename:1", "INT"), ("env.commit:2", "HUP"),
	                    ("refslog.write:1", "INT")):
	    again("base", "r")
	    code, out, err = held("r", point, name, ["commit", "-m", "two"])
	    assert code == 0 and out.startswith(b"[main ") and b"1 added, 1 modified, 1 deleted" in out, (point, code, out, err)
	    assert refs("r") != before and store("r", "status", "--porcelain") == b"" and not os.listdir("r/.store/tmp"), point
	    store("r", "fsck", "-q")
	EOT
'

test_expect_success 'commit -a that is ended while it reads files commits nothing, and says so' '
	python3 - <<-\EOT
	from held import *
	again("base", "r")
	with open("r/f", "w") as f:
	    f.write("changed once more\n")
	before = refs("r")
	code, out, err = held("r", "ingest.read:1", "INT", ["commit", "-a", "-m", "two"])
	assert code == -signal.SIGINT and out == b"" and b"nothing was committed" in err, (code, out, err)
	assert refs("r") == before, (before, refs("r"))
	# As after an add that was ended: what it had taken by then is staged.
	now = store("r", "status", "--porcelain")
	assert now == b"D  d/g\nA  d/new\nM  f\n", now
	assert not os.listdir("r/.store/tmp")
	store("r", "commit", "-q", "-a", "-m", "two")
	store("r", "fsck", "-q")
	EOT
'

test_expect_success 'status, diff and log end by the signal too: what they have told is whole lines, and nothing is left behind' '
	mkdir tmp && TMPDIR=$TRASH/tmp && export TMPDIR && python3 - <<-\EOT
	from held import *
	told = 0
	for point, name, words in (
	        ("getdents:9", "INT", ["status"]), ("getdents:15", "TERM", ["status", "-uall"]), ("getdents:9", "INT", ["status", "--porcelain"]),
	        ("patch.read:300", "INT", ["diff"]), ("getdents:9", "TERM", ["diff", "--name-status"]), ("patch.read:300", "HUP", ["diff", "--stat"]),
	        ("pack.read:2", "INT", ["log", "-p", "HEAD~1"]), ("pack.read:1", "INT", ["log"])):
	    again("much", "m")
	    whole = store("m", *words)
	    again("much", "m")
	    code, out, err = held("m", point, name, ["--threads", "1"] + words)
	    assert code == -NUMBERS[name] and err == b"", (point, words, code, err)
	    assert whole.startswith(out) and len(out) < len(whole), (words, out)
	    assert out == b"" or out.endswith(b"\n"), (words, out[-80:])
	    assert not os.listdir("tmp") and not os.listdir("m/.store/tmp"), (words, os.listdir("tmp"))
	    told += len(out)
	assert told > 0
	EOT
'

test_done
