#!/usr/bin/env python3
"""beside-git.py SEED STEPS: git and store take the same random steps in two equal trees, and must say the same.

Changed at random: files, links, executable bits, directories, a file to a directory and back, odd names.  Then both add,
commit or check out, and compared are status in its three forms, what is committed, and the trees after a checkout.

Deliberate differences: store tracks empty directories, so lines of directories and collapsed untracked ones are not
compared.  One of the two may refuse a checkout that the other makes (git where an untracked directory stands in the place
of a file that goes, store where a staged deletion meets another kind); the run ends there.  What store does make loses
nothing that was in no commit.
"""
import json
import os
import random
import re
import shutil
import sys

from beside import GIT, STORE, done, fail, is_dir, run, state, top

seed, steps = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
NAMES = ["a", "b", "c", "d", "a.txt", "a-b", "a0", "Z", "x y", "\xe4\xf6", "n\nl", "q\"q", "\\s", "-dash", "@", "v@2", "a:b", "~1"]


def lines(*argv):
    return set(run(*argv).stdout.split(b"\0")) - {b""}


# ---- trees

def at(path):
    return os.path.join(GIT, path)


blobs, trees = {}, {}


def load_blobs(oids):
    """The content of those that were not read before, by one start of git."""
    oids = sorted(set(oids) - blobs.keys())
    data, at = run("git", "cat-file", "--batch", said="".join(o + "\n" for o in oids).encode()).stdout if oids else b"", 0
    for oid in oids:
        head, _, _ = data[at:at + 100].partition(b"\n")
        size = int(head.split()[2])
        blobs[oid] = data[at + len(head) + 1:at + len(head) + 1 + size]
        at += len(head) + size + 2


def committed(rev):
    """As state, of a commit of git, of which the name never changes."""
    if rev not in trees:
        rows = [row.split(b"\t", 1) for row in lines("git", "ls-tree", "-rz", rev)]
        rows = [meta.decode().split()[::2] + [os.fsdecode(name)] for meta, name in rows]
        load_blobs(oid for _, oid, _ in rows)
        trees[rev] = {name: ("link", os.fsdecode(blobs[oid])) if mode == "120000" else (mode == "100755", blobs[oid])
                      for mode, oid, name in rows}
    return trees[rev]


def prune(root, path):
    path = os.path.dirname(path)
    while path and os.path.isdir(os.path.join(root, path)) and not os.listdir(os.path.join(root, path)):
        os.rmdir(os.path.join(root, path))
        path = os.path.dirname(path)


def mirror():
    """Make the tree of store that of git, by writing what differs and nothing else."""
    want, have = state(GIT), state(STORE)
    for path in have:
        if want.get(path) != have[path]:
            os.unlink(os.path.join(STORE, path))
            prune(STORE, path)
    for path, what in want.items():
        f = os.path.join(STORE, path)
        if what == have.get(path):
            continue
        os.makedirs(os.path.dirname(f), exist_ok=True)
        if what[0] == "link":
            os.symlink(what[1], f)
        else:
            with open(f, "wb") as out:
                out.write(what[1])
            os.chmod(f, 0o755 if what[0] else 0o644)


# ---- random changes

def remove(path):
    if is_dir(at(path)):
        shutil.rmtree(at(path))
    else:
        os.unlink(at(path))


def content():
    k = rng.random()
    if k < .1:
        return b""
    if k < .7:
        return b"%d\n" % rng.randrange(40) * rng.randrange(1, 50)
    if k < .85:
        return rng.randbytes(rng.randrange(1, 5000))
    return bytes(rng.randrange(1, 3000)) + rng.randbytes(rng.randrange(100)) + bytes(rng.randrange(3000))


def put(path):
    parent = path
    while parent:
        if os.path.lexists(at(parent)) and (parent == path or not is_dir(at(parent))):
            remove(parent)
        parent = os.path.dirname(parent)
    os.makedirs(os.path.dirname(at(path)), exist_ok=True)
    if rng.random() < .12:
        os.symlink(rng.choice(["a", "nowhere", "../a", "d"]), at(path))
        return
    with open(at(path), "wb") as f:
        f.write(content())
    os.chmod(at(path), 0o755 if rng.random() < .2 else 0o644)


def listing():
    files = sorted(state(GIT))
    dirs = sorted({os.path.dirname(f) for f in files} - {""})
    return files, dirs


def change():
    files, dirs = listing()
    k = rng.random()
    if k < .4 or not files:
        above = rng.choice(dirs + [""]) if rng.random() < .7 else "/".join(rng.choice(NAMES) for _ in range(rng.randrange(1, 4)))
        path = os.path.join(above, rng.choice(NAMES))
        put(path)
    elif k < .65:
        path = rng.choice(files)
        put(path)
    elif k < .8:
        path = rng.choice(files if k < .75 else dirs or files)
        remove(path)
        prune(GIT, path)
    elif k < .9:
        path = rng.choice(files)
        if not os.path.islink(at(path)):
            os.chmod(at(path), 0o755 if k < .85 else 0o644)
    else:
        path = rng.choice(files)
        remove(path)
        put(path + "/" + rng.choice(NAMES))
    done.append(f"changed {path!r}")


# ---- what must be the same

def without_dirs(said):
    """Without the lines of directories, but not of something that git tracks as a file."""
    odd = {x for x in said if x.endswith(b"/")}
    files = lines("git", "ls-files", "-z") if any(not x.startswith(b"?? ") for x in odd) else set()
    return said - {x for x in odd if x.startswith(b"?? ") or x[3:-1] not in files}


# The three forms of status.  What git says of tracked files is the same in all, so it is asked once; store is asked for
# untracked files each time, and for the other two forms in turn.
FORMS = ((), ("-uno",), ("-uall",))
compared = [0]


def compare_status():
    compared[0] += 1
    whole = lines("git", "status", "--porcelain", "-z", "--no-renames", "-uall")
    tracked = {x for x in whole if not x.startswith(b"?? ")}
    for more in (FORMS[compared[0] % 2], FORMS[2]):
        g, s = whole if more == ("-uall",) else tracked, without_dirs(lines("store", "status", "--porcelain", "-z", *more))
        if not more:
            s = {x for x in s if not x.startswith(b"?? ")}
        if g != s:
            fail(f"status {more}: git alone {sorted(g - s)}, store alone {sorted(s - g)}")


def add():
    k = rng.random()
    files, dirs = listing()
    if k < .5:
        run("git", "add", "-A", ".")
        run("store", "add", "-q", rng.choice(["-A", "."]))
    elif k < .75 and files:
        pick = rng.sample(files, min(len(files), rng.randrange(1, 4))) + rng.sample(dirs, min(len(dirs), rng.randrange(2)))
        run("git", "add", "-A", "--", *[":(literal)" + x for x in pick])
        run("store", "add", "-q", "--", *pick)
    else:
        how = "-u" if k < .9 else "--ignore-removal"
        run("git", "add", how, ".")
        run("store", "add", "-q", how, ".")


def commit(revs):
    """By both, or by store alone where empty directories are all that there is to commit."""
    empty = [] if revs else ["--allow-empty"]
    by_git = run("git", "commit", "-m", "c", *empty, ok=(0,) if empty else (0, 1))
    by_store = run("store", "--json", "commit", "-m", "c", *empty, ok=(0, 1) if by_git.returncode else (0,))
    if by_store.returncode:
        return
    if by_git.returncode:
        at_git = run("git", "rev-parse", "HEAD").stdout.decode().strip()
    else:
        at_git = re.match(rb"\[[^]]* ([0-9a-f]+)\] c\n", by_git.stdout)[1].decode()
    revs.append((at_git, json.loads(by_store.stdout)["commit"]))


def checkout(revs):
    """True: both did it."""
    g, s = rng.choice(revs)
    old, before = committed(run("git", "rev-parse", "HEAD").stdout.decode().strip()), state(STORE)
    by_git = run("git", "checkout", "-q", g, ok=(0, 1)).returncode == 0
    by_store = run("store", "checkout", "-q", s, ok=(0, 2)).returncode == 0
    after = state(STORE)
    if not by_store and after != before:
        fail("a refused checkout changed the tree")
    lost = [x for x in before if before[x] != old.get(x) and after.get(x) != before[x]]
    if lost:
        fail(f"checkout lost what was in no commit: {lost}")
    if by_git != by_store:
        return False
    if state(GIT) != after:
        fail("checkout left other trees")
    return True


def checkout_to(revs):
    g, s = rng.choice(revs)
    out = os.path.join(top, "out")
    shutil.rmtree(out, ignore_errors=True)
    run("store", "checkout", "-q", "--to", out, s)
    if state(out) != committed(g):
        fail(f"checkout --to of {s} is not what git has at {g}")


def main():
    revs = []
    for d in (GIT, STORE):
        os.mkdir(d)
    run("git", "init", "-q", "-b", "main")
    run("store", "init", "-q", "--chunk-average", "256")
    for _ in range(steps):
        for _ in range(rng.randrange(1, 6)):
            change()
        mirror()
        if rng.random() < .6:
            add()
        compare_status()
        if rng.random() < .4:
            commit(revs)
            compare_status()
        if revs and rng.random() < .15:
            checkout_to(revs)
        if len(revs) > 1 and rng.random() < .15:
            if not checkout(revs):
                break
            compare_status()
    run("store", "fsck", "-q")


main()
