# Files of the same content beside hashlib: dupes-beside-sha256.py SEED TREES makes so many small random trees below the
# current directory, with names in bytes, hard links, symbolic links, files that are none or cannot be read, contents that
# differ at one byte only, and folders of repositories; a model reads them all, and the command tells what it finds of all
# of them and of some, by tiny buffers, too.  Then plans are told and carried out on trees of their own.
# AS_USER: what the searches are run by, so that permissions count; STORE: the command.
import base64, collections, hashlib, json, os, random, stat, subprocess, sys

seed, trees = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
prefix = os.environ.get("AS_USER", "").split()
SIZES = [0, 1, 5, 4096, 8191, 8192, 8193, 9000, 20000]


def content(size):
    data = bytearray(random.Random(size).randbytes(size))
    # Another byte, or none: in the head, the tail, or between.
    for _ in range(rng.choice([0, 0, 1]) if size else 0):
        data[rng.choice([0, size // 2, size - 1, min(4095, size - 1), min(4096, size - 1)])] ^= 1
    return bytes(data)


def name():
    if rng.randrange(4) == 0:
        return bytes(rng.choice([b for b in range(1, 256) if b not in (46, 47)]) for _ in range(rng.randint(1, 12)))
    return bytes(rng.choices(b"abcdef", k=rng.randint(1, 4))) + rng.choice([b"", b".jpg", b".JPG"])


def make(path, depth, files):
    for _ in range(rng.randint(1, 6)):
        entry = path + b"/" + name()
        if os.path.lexists(entry):
            continue
        kind = rng.randrange(12)
        if kind < 3 and depth < 3:
            if rng.randrange(6) == 0 and not os.path.exists(path + b"/.store"):
                entry = path + b"/.store"
            os.mkdir(entry)
            make(entry, depth + 1, files)
        elif kind < 4 and files:
            os.link(rng.choice(files), entry, follow_symlinks=False)
            files.append(entry)
        elif kind < 5:
            os.symlink(rng.choice([b".", b"..", b"nowhere"] + files[:1]), entry)
        elif kind < 6:
            os.mkfifo(entry)
        else:
            with open(entry, "wb") as f:
                f.write(content(rng.choice(SIZES)))
            mode = rng.choice([0o644, 0o644, 0o644, 0o600, 0o644 if depth else 0])
            os.chmod(entry, mode if mode != 0o600 or not prefix else 0o644)
            files.append(entry)


def find(roots):
    for root in roots:
        if os.path.isfile(root):
            yield root, b""
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f != b".store"]
            for n in names:
                path = folder + b"/" + n
                if stat.S_ISREG(os.lstat(path).st_mode):
                    yield root, path[len(root) + 1:]


def joined(root, path):
    return root + b"/" + path if path else root


digests = {}


def digest(path):
    s = os.lstat(path)
    key = s.st_ino, s.st_mtime_ns
    if key not in digests:
        with open(path, "rb") as f:
            digests[key] = hashlib.sha256(f.read()).hexdigest()
    return digests[key]


def is_closed(path):
    return bool(prefix) and os.lstat(path).st_mode & 0o777 == 0


def model(roots, least=1, end=1 << 40):
    groups, closed, sizes = collections.defaultdict(list), set(), collections.defaultdict(set)
    order = {r: i for i, r in reversed(list(enumerate(roots)))}
    found = [(r, p) for r, p in find(roots) if least <= os.lstat(joined(r, p)).st_size < end]
    for r, p in found:
        s = os.lstat(joined(r, p))
        sizes[s.st_size].add(s.st_ino)
    for r, p in found:
        path = joined(r, p)
        if is_closed(path):
            if len(sizes[os.lstat(path).st_size]) > 1:
                closed.add(path)
        else:
            groups[digest(path)].append((order[r], p, path))
    lists = {}
    for d, members in groups.items():
        copies = {os.lstat(m[2]).st_ino for m in members}
        if len(copies) > 1:
            lists[d] = [m[2] for m in sorted(members)], len(copies)
    return lists, closed


def run(*words, code=(0,), as_user=True):
    p = subprocess.run((prefix if as_user else []) + [os.environ["STORE"], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode in code, (words, p.returncode, p.stderr[-400:])
    return p.stdout, p.stderr


def member(o, key):
    return os.fsencode(o[key]) if key in o else base64.b64decode(o[key + "_b64"])


def check_json(roots, words, least=1, end=1 << 40):
    want, closed = model(roots, least, end)
    out, err = run("dupes", "--json", *words, *roots, code=(3,) if closed else (0,))
    *lines, last = [json.loads(line) for line in out.splitlines()]
    got, sizes = collections.OrderedDict(), []
    for o in lines:
        path = joined(member(o, "root"), member(o, "path"))
        s = os.lstat(path)
        assert o["group"] == len(got) - (o["id"] in got), o
        assert (o["size"], o["mode"], o["inode"], o["device"]) == (s.st_size, s.st_mode & 0o7777, s.st_ino, s.st_dev), o
        assert o["mtime"] * 10**9 + o["mtime_ns"] == s.st_mtime_ns and o["copies"] == want[o["id"]][1] and o["names"] == len(want[o["id"]][0]), o
        got.setdefault(o["id"], []).append(path)
        sizes.append(o["size"])
    assert {d: paths for d, (paths, copies) in want.items()} == got, (words, set(want) ^ set(got))
    assert sizes == sorted(sizes, reverse=True)
    notices = [json.loads(line) for line in err.splitlines()]
    assert {member(o, "path") for o in notices} == closed and len(notices) == len(closed) == last["errors"], (closed, notices)
    free = sum((copies - 1) * os.lstat(paths[0]).st_size for paths, copies in want.values())
    assert (last["groups"], last["free_bytes"]) == (len(want), free), last
    # Each file is opened twice at most; what is alone in its size never is.
    assert last["opened"] <= 2 * last["found"], last
    return last


roots = [b"t%d" % i for i in range(trees)]
for r in roots:
    os.mkdir(r)
    make(r, 0, [])
whole = check_json(roots, [])
assert (whole["groups"] > 20 or trees < 100) and whole["spilled_bytes"] == 0, whole
tiny = check_json(roots, ["--sort-buffer", "4K", "-t", "1"])
assert tiny["spilled_bytes"] > 10 * 4096 or trees < 100, tiny
check_json(roots, ["--empty"], least=0)
for case in range(8):
    some = rng.sample(roots, min(rng.randint(1, 20), trees))
    least, most = rng.choice([0, 5, 8193]), rng.choice([5, 8192, 1 << 30])
    check_json(some, ["--min-size", str(least), "--max-size", str(most)], max(least, 1), most + 1)

# The other forms tell the same.
want, closed = model(roots)
out, err = run("dupes", "-q", "-z", *roots, code=(0, 3))
assert sorted(sorted(g.split(b"\0")) for g in out.split(b"\0\0")[:-1]) == sorted(sorted(paths) for paths, copies in want.values())
out, err = run("dupes", "-q", "--format", "csv", *roots, code=(0, 3))
assert out.count(b"\r\n") == 1 + sum(len(paths) for paths, copies in want.values())
out, err = run("dupes", "-q", *roots, code=(0, 3))
assert out.count(b"\n\t") == sum(len(paths) for paths, copies in want.values()) and out.count(b" copies of ") == len(want)


def everything(root):
    return {joined(r, p): (os.lstat(joined(r, p)), digest(joined(r, p))) for r, p in find([root])}


# Plans: what was shown is done, and nothing else; no content is lost.  These are root's or the user's own.
prefix = []
for case in range(12):
    root = b"p%d" % case
    os.mkdir(root)
    files = []
    for _ in range(4):
        make(root, 0, files)
    for f in files:
        os.chmod(f, rng.choice([0o644, 0o644, 0o600]))
    act = "--link" if case % 2 else "--delete"
    words = ["--json", act] + (["--force"] if case % 4 == 1 else [])
    before = everything(root)
    out, err = run("dupes", *words, "--dry-run", root, code=(0, 3))
    assert everything(root) == before
    *shown, last = [json.loads(line) for line in out.splitlines()]
    want, closed = model([root])
    acted = {}
    for paths, copies in want.values():
        for p in paths:
            if os.lstat(p).st_ino != os.lstat(paths[0]).st_ino:
                is_alike = os.lstat(p).st_mode == os.lstat(paths[0]).st_mode
                acted[p] = paths[0], act == "--delete" or "--force" in words or is_alike
    assert {member(o, "path"): (member(o, "keep"), o["state"] == "planned") for o in shown} == acted
    planned = [p for p, (k, ok) in acted.items() if ok]
    if planned and case % 3 == 0:
        # Another file of the same content is another plan; the same file with another time is not.
        extra = root + b"/zzz"
        with open(extra, "wb") as f:
            f.write(open(planned[0], "rb").read())
        os.chmod(extra, os.lstat(acted[planned[0]][0]).st_mode & 0o777)
        out, err = run("dupes", *words, "--plan", last["plan"], root, code=(2,))
        assert out == b"" or all(json.loads(l)["state"] == "refused" for l in out.splitlines()), out
        os.unlink(extra)
        assert everything(root) == before
    out, err = run("dupes", *words, "--plan", last["plan"][:12], root, code=(0, 3))
    *told, last = [json.loads(line) for line in out.splitlines()]
    after = everything(root)
    assert {member(o, "path"): o["state"] == "done" for o in told} == {p: ok for p, (k, ok) in acted.items()}, told
    assert {d for s, d in after.values()} == {d for s, d in before.values()}
    for path, (s, d) in before.items():
        keep, ok = acted.get(path, (None, False))
        if not ok:
            assert after[path][1] == d and (after[path][0].st_ino, after[path][0].st_mtime_ns, after[path][0].st_mode) == (s.st_ino, s.st_mtime_ns, s.st_mode)
        elif act == "--link":
            assert after[path][1] == d and after[path][0].st_ino == before[keep][0].st_ino
        else:
            assert path not in after
    assert last["done"] == sum(ok for k, ok in acted.values()), last
print(whole["found"], whole["groups"])
