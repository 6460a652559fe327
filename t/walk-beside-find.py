# Walks beside find(1): walk-beside-find.py SEED TREES makes so many small random trees below the current directory, with
# names in bytes, links that make loops, files that are none, and directories that cannot be read or entered; one find
# lists them all, and the command does, in each preset and order, with queues and batches of one.  Then random filters
# beside a plain model of them.  AS_USER: what both are run by, so that permissions count; STORE: the command.
import json, base64, fnmatch, os, random, subprocess, sys

seed, trees = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
prefix = os.environ.get("AS_USER", "").split()
environment = dict(os.environ, LC_ALL="C")
here = os.fsencode(os.getcwd())


def name():
    kind = rng.randrange(6)
    if kind == 0:
        return bytes(rng.choice([b for b in range(1, 256) if b != 47]) for _ in range(rng.randint(1, 12))).replace(b".", b"_")
    if kind == 1:
        return b"." + bytes(rng.choices(b"abc", k=2))
    if kind == 2:
        return bytes(rng.choices(b"abc,\"\n \xc3\xa4", k=5))
    return bytes(rng.choices(b"abcdef", k=rng.randint(1, 3))) + rng.choice([b"", b".jpg", b".JPG", b".o", b".o.txt"])


modes, unreadable = [], []


def make(path, depth):
    for _ in range(rng.randint(0, 5 if depth else 6)):
        entry = path + b"/" + name()
        if os.path.lexists(entry):
            continue
        kind = rng.randrange(10)
        if kind < 4 and depth < 4:
            os.mkdir(entry)
            make(entry, depth + 1)
            if rng.randrange(12) == 0:
                modes.append((entry, rng.choice([0, 0o111, 0o311])))
        elif kind < 8:
            fd = os.open(entry, os.O_CREAT | os.O_WRONLY, rng.choice([0o644, 0o755, 0]))
            os.ftruncate(fd, rng.choice([0, 1, 1000, 5000, 1 << 20]))
            os.close(fd)
            os.utime(entry, ns=(0, rng.choice([-1500000001, 1234567890123456789, 0])))
        elif kind == 8:
            os.symlink(rng.choice([b".", b"..", here, b"nowhere", path]), entry)
        else:
            os.mkfifo(entry)


def run(*words, code=None):
    p = subprocess.run(prefix + [os.environ["STORE"]] + list(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert p.returncode == code, (words, p.returncode, p.stderr[-400:])
    return p.stdout, p.stderr


def member(o, key):
    return os.fsencode(o[key]) if key in o else base64.b64decode(o[key + "_b64"])


roots = [b"t%d" % i for i in range(trees)]
for r in roots:
    os.mkdir(r)
    make(r, 0)
# What lies below one that is closed is closed itself, and nobody meets it.  Root meets no closed door.
for path, mode in modes:
    os.chmod(path, mode)
closed = {path for path, mode in modes if not any(path.startswith(p + b"/") for p, m in modes)}

p = subprocess.run(prefix + ["find"] + roots + ["-printf", r"%H\0%P\0%y\0%s\0%m\0%T@\0%i\0%D\0%d\0"], stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, env=environment)
fields = p.stdout.split(b"\0")[:-1]
assert len(fields) % 9 == 0
want = {}
for i in range(0, len(fields), 9):
    root, path, y, size, mode, mtime, inode, device, depth = fields[i:i + 9]
    seconds, ns = mtime.split(b".")
    # find writes -1.5 as -1.4999...: seconds and nanoseconds of the record are compared where time goes forward.
    at = (int(seconds), int(ns[:9])) if int(seconds) >= 0 else None
    kind = {b"f": "file", b"d": "directory", b"l": "symlink"}.get(y, "other")
    want[root, path] = (kind, int(size), int(mode, 8), at, int(inode), int(device), int(depth))
errors = p.stderr.count(b"Permission denied")
is_root = os.getuid() == 0 and not prefix
if is_root:
    closed = set()
assert errors == len(closed) and (is_root or trees < 100 or errors > 10), (errors, len(closed))

out, err = run("walk", "--json", "--type", "fdlo", *roots, code=3 if errors else 0)
got = {}
for line in out.splitlines():
    o = json.loads(line)
    key = member(o, "root"), member(o, "path")
    assert key not in got, key
    at = (o["mtime"], o["mtime_ns"]) if want[key][3] else None
    got[key] = (o["type"], o["size"], o["mode"], at, o["inode"], o["device"], o["depth"])
    assert want[key][3] or o["mtime"] < 0
assert got == want, (set(got.items()) ^ set(want.items()))
notices = [json.loads(line) for line in err.splitlines()]
assert {member(o, "path") for o in notices} == closed and len(notices) == errors


def joined(root, path):
    return root + b"/" + path if path else root


# All trees by one of the forms with a queue of one, a quarter by each of the others.
forms = []
for preset in "default", "simple", "high", "ultra":
    for order in "breadth", "depth":
        forms.append(["--preset", preset, "--order", order])
for order in "breadth", "depth":
    forms.append(["--order", order, "--queue", "1", "--batch-size", "1", "--discovery-buffer", "1", "--pipeline-buffer", "1", "-t", "3"])
    forms.append(["--order", order, "--queue", "2", "-t", "1"])
for i, form in enumerate(forms):
    some = set(roots if i == 8 else rng.sample(roots, (len(roots) + 3) // 4))
    doors = sum(path.split(b"/")[0] in some for path in closed)
    out, err = run("walk", "-z", "--type", "fdlo", *form, *some, code=3 if doors else 0)
    model = sorted(joined(*key) for key in want if key[0] in some)
    assert sorted(out.split(b"\0")[:-1]) == model, (form, set(out.split(b"\0")) ^ set(model + [b""]))
    assert err.count(b"\n") == doors, form


def passes(key, o):
    kind, size = want[key][0], want[key][1]
    names = key[1].split(b"/") if key[1] else []
    if len(names) > o["depth"]:
        return False
    if o["hidden"] == "--no-hidden" and any(n.startswith(b".") for n in names):
        return False
    if any(fnmatch.fnmatchcase(n, os.fsencode(o["exclude"])) for n in names):
        return False
    if {"file": "f", "directory": "d", "symlink": "l", "other": "o"}[kind] not in o["type"]:
        return False
    if kind != "file":
        return True
    last = (key[1] or key[0]).split(b"/")[-1].lower()
    if o["ext"] and not any(last.endswith(b"." + os.fsencode(e)) and len(last) > len(e) + 1 for e in o["ext"].split(",")):
        return False
    return o["min"] <= size <= o["max"]


for case in range(30):
    o = {"depth": rng.choice([0, 1, 2, 3, 99]), "hidden": rng.choice(["--hidden", "--no-hidden"]),
         "exclude": rng.choice(["*.o", "a*", "[a-c]", "nothing"]), "type": rng.choice(["f", "d", "fd", "fdlo", "lo"]),
         "ext": rng.choice(["", "jpg", "o,txt"]), "min": rng.choice([0, 1, 1000]), "max": rng.choice([0, 4999, 1 << 40])}
    words = ["-d", str(o["depth"]), o["hidden"], "--exclude", o["exclude"], "--type", o["type"], "--min-size", str(o["min"]),
             "--max-size", str(o["max"])] + (["--ext", o["ext"].upper()] if o["ext"] else [])
    some = set(rng.sample(roots, min(len(roots), 40)))
    p = subprocess.run(prefix + [os.environ["STORE"], "walk", "-q", "-z"] + words + list(some), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=environment)
    assert p.returncode in (0, 3), (words, p)
    got = sorted(p.stdout.split(b"\0")[:-1])
    model = sorted(joined(*key) for key in want if key[0] in some and passes(key, o))
    assert got == model, (o, set(got) ^ set(model))

for path, mode in modes:
    os.chmod(path, 0o755)
print(len(want), errors)
