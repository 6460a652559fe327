#!/bin/sh
# The programs of contrib/examples do what their first lines say, and each of them knows nothing of us but <store.h>.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC
examples=$STORE_BIN/examples

# What the Python programs below share: a server that runs as long as the block, and a client's socket.
cat >server.py <<'EOF'
import contextlib, os, signal, socket, subprocess, sys, threading, time

@contextlib.contextmanager
def server(program, top, path):
    p = subprocess.Popen([program, path], cwd=top)
    try:
        while not os.path.exists(path):
            assert p.poll() is None, "%s has ended" % program
            time.sleep(0.01)
        yield p
    finally:
        p.send_signal(signal.SIGTERM)
        code = p.wait()
    assert code == 0 and not os.path.exists(path), code

def client(path):
    s = socket.socket(socket.AF_UNIX)
    # The socket is there a moment before anybody listens.
    while s.connect_ex(path) != 0:
        time.sleep(0.01)
    return s
EOF
PYTHONPATH=$PWD PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE

test_expect_success 'the examples include <store.h> and their own header, and nothing else of ours' '
	(cd "$SRC_ROOT/contrib/examples" && grep -h "^#include \"" *.c *.h | sort -u) >got &&
	echo "#include \"listen.h\"" >want &&
	test_cmp want got &&
	grep -h "^#include <store" "$SRC_ROOT"/contrib/examples/*.[ch] | sort -u >got &&
	echo "#include <store.h>" >want &&
	test_cmp want got
'

test_expect_success 'a program that is no server says how it is called' '
	for program in ingest serve mirror
	do
		test_expect_code 2 "$examples/$program" 2>err && test_grep "usage: $program" err || return 1
	done
'

test_expect_success 'ingest stages what eight clients send at once, and a commit has all of it' '
	store init -q in && mkdir sent &&
	python3 - "$examples/ingest" "$PWD/sock" <<-\EOF &&
	import os, random, sys, threading
	from server import client, server
	rng, wrong = random.Random(4), []
	files = {b"d%d/f%d" % (n % 3, n): rng.randbytes(rng.choice([0, 1, 70000, 1 << 20, 1300000])) for n in range(24)}
	files[b"with blanks and \xff"] = b"odd"
	files[b"same"] = files[b"twice"] = rng.randbytes(300000)
	for name, data in files.items():
	    os.makedirs(os.path.dirname(b"sent/" + name), exist_ok=True)
	    with open(b"sent/" + name, "wb") as f:
	        f.write(data)
	def send(names):
	    with client(sys.argv[2]) as s, s.makefile("rb") as answers:
	        for name in names:
	            s.sendall(b"%d %s\n" % (len(files[name]), name) + files[name])
	            answer = answers.readline().split()
	            if answer[0] != b"ok" or len(answer[1]) != 64:
	                wrong.append((name, answer))
	with server(sys.argv[1], "in", sys.argv[2]):
	    threads = [threading.Thread(target=send, args=(sorted(files)[n::8],)) for n in range(8)]
	    [t.start() for t in threads]
	    [t.join() for t in threads]
	assert not wrong, wrong
	EOF
	store -C in commit -q -m sent && store -C in fsck -q && store -C in checkout -q --to "$PWD/taken" HEAD && diff -r sent taken
'

test_expect_success 'of a client that stops short ingest stages nothing, and it tells others what is wrong' '
	python3 - "$examples/ingest" "$PWD/sock" <<-\EOF &&
	import sys
	from server import client, server
	def ask(data, end=False):
	    with client(sys.argv[2]) as s, s.makefile("rb") as answers:
	        s.sendall(data)
	        if end:
	            s.shutdown(1)
	        return answers.readline()
	with server(sys.argv[1], "in", sys.argv[2]):
	    assert ask(b"3000000 short\n" + b"x" * 2000000, end=True).startswith(b"error ")
	    assert ask(b"nonsense\n") == b"error the first line is to be SIZE PATH\n"
	    assert ask(b"4 ../up\nfour").startswith(b"error ")
	    assert ask(b"4 same/below\nfour").startswith(b"error ")
	    # One that waits for more when the server is told to end.
	    late = client(sys.argv[2])
	    late.sendall(b"3000000 late\n" + b"x" * 2000000)
	EOF
	store -C in status --porcelain >got && test_grep ! "short\|late\|up\|below" got && store -C in fsck -q
'

test_expect_success 'serve hands out ranges of any revision at random as they are in the file, to several at once' '
	store init -q out-of && make_big() { random_bytes "$1" 2500000; } && make_big 1 >out-of/big && echo small >out-of/small &&
	store -C out-of add -q . && store -C out-of commit -q -m one && cp out-of/big old && make_big 2 >>out-of/big && cp out-of/big new &&
	store -C out-of add -q . && store -C out-of commit -q -m two &&
	python3 - "$examples/serve" "$PWD/sock" "$(test_cases 400)" <<-\EOF
	import random, sys, threading
	from server import client, server
	contents = {b"big@HEAD~1": open("old", "rb").read(), b"HEAD:big": open("new", "rb").read(), b":small": b"small\n"}
	wrong = []
	def ask(seed, cases):
	    rng = random.Random(seed)
	    with client(sys.argv[2]) as s, s.makefile("rb") as answers:
	        for _ in range(cases):
	            name, data = rng.choice(sorted(contents.items()))
	            off, n = rng.randrange(len(data) + 10), rng.choice([0, 1, 5000, 200000, 1 << 63])
	            s.sendall(b"%d %d %s\n" % (off, n, name))
	            want = data[off:off + n]
	            line = answers.readline()
	            if line != b"ok %d %d\n" % (len(want), len(data)) or answers.read(len(want)) != want:
	                return wrong.append((name, off, n, line))
	        for line in b"x 1 big\n", b"1 1\n", b"1 1 \n", b"-1 1 big\n", b"0 1 nope@HEAD\n", b"0 1 big@nope\n":
	            s.sendall(line)
	            if not answers.readline().startswith(b"error "):
	                wrong.append(line)
	with server(sys.argv[1], "out-of", sys.argv[2]):
	    threads = [threading.Thread(target=ask, args=(n, int(sys.argv[3]) // 4)) for n in range(4)]
	    [t.start() for t in threads]
	    [t.join() for t in threads]
	assert not wrong, wrong
	EOF
'

test_expect_success 'where stored bytes are damaged serve ends the connection short of what it announced' '
	cp -a out-of bad && pack=$(find bad/.store/packs -type f -size +1000k | head -n 1) && chmod u+w "$pack" &&
	printf XXXXXXXX | dd of="$pack" bs=1 seek=1000000 conv=notrunc 2>dd.err &&
	python3 - "$examples/serve" "$PWD/sock" <<-\EOF
	import sys
	from server import client, server
	new = open("new", "rb").read()
	with server(sys.argv[1], "bad", sys.argv[2]), client(sys.argv[2]) as s, s.makefile("rb") as answers:
	    s.sendall(b"0 %d big\n" % len(new))
	    assert answers.readline() == b"ok %d %d\n" % (len(new), len(new))
	    got = answers.read()
	    assert len(got) < len(new) and new.startswith(got), len(got)
	EOF
'

# The tree of the working tree $1, changed at random by the seed $2.
change()
{
	python3 - "$1" "$2" <<-\EOF
	import os, random, shutil, sys
	top, rng = sys.argv[1], random.Random(sys.argv[2])
	names = ["a", "b", "c", "d"]
	for _ in range(12):
	    path = os.path.join(top, *(rng.choice(names) for _ in range(rng.randrange(1, 4))))
	    parent = os.path.dirname(path)
	    while parent != top and os.path.lexists(parent) and (os.path.islink(parent) or not os.path.isdir(parent)):
	        os.unlink(parent)
	    above = top
	    for name in os.path.relpath(parent, top).split("/"):
	        above = os.path.normpath(os.path.join(above, name))
	        if os.path.islink(above) or os.path.isfile(above):
	            os.unlink(above)
	    os.makedirs(parent, exist_ok=True)
	    if os.path.islink(path) or os.path.isfile(path):
	        os.unlink(path)
	    elif os.path.isdir(path):
	        shutil.rmtree(path)
	    kind = rng.choice("fffxlded")
	    if kind in "fx":
	        with open(path, "wb") as f:
	            f.write(rng.randbytes(rng.choice([0, 10, 100000])))
	        os.chmod(path, 0o755 if kind == "x" else 0o644)
	    elif kind == "l":
	        os.symlink(rng.choice(["/etc", "../a", "nowhere", "."]), path)
	    elif kind == "d":
	        os.makedirs(path)
	EOF
}

test_expect_success 'mirror makes a directory what checkout --to makes of each revision, there and back' '
	store init -q m && mkdir plain && rm m/.store/ballast && for n in $(seq "$(test_cases 15)")
	do
		change m "$n" && store -C m add -q -A && store -C m commit -q --allow-empty -m "$n" &&
		(cd m && "$examples/mirror" ../plain/to) >said && rm -rf whole && store -C m checkout -q --to "$PWD/whole" HEAD &&
		diff -r --no-dereference whole plain/to && (cd whole && find . -printf "%y %m %p %l\n" | sort) >want &&
		(cd plain/to && find . -printf "%y %m %p %l\n" | sort) >got && test_cmp want got || return 1
	done &&
	(cd m && "$examples/mirror" ../plain/to HEAD~2) && rm -rf whole && store -C m checkout -q --to "$PWD/whole" HEAD~2 &&
	diff -r --no-dereference whole plain/to
'

test_expect_success 'mirror touches what differs only, and goes through no link that stands in its way' '
	(cd m && "$examples/mirror" ../plain/to HEAD && "$examples/mirror" ../plain/to) >said &&
	tail -n 1 said >got && echo "0 removed, 0 written, 0 bytes" >want && test_cmp want got &&
	mkdir m/way outside && echo one >m/way/file && store -C m add -q -A && store -C m commit -q -m way &&
	(cd m && "$examples/mirror" ../plain/to) && rm -r plain/to/way && ln -s "$PWD/outside" plain/to/way &&
	echo two >m/way/file && store -C m add -q -A && store -C m commit -q -m again &&
	! (cd m && "$examples/mirror" ../plain/to) 2>err && test_grep "cannot reach .way/file." err && test -z "$(ls outside)" &&
	rm plain/to/way && (cd m && "$examples/mirror" ../plain/to) && test "$(cat plain/to/way/file)" = two
'

test_done
