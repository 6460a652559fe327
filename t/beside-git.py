#!/usr/bin/env python3
"""beside-git.py SEED STATES: git and store take the same random steps in two equal trees, and must say the same.

Changed at random: files, links, executable bits, directories, a file to a directory and back, odd names, rules of what is
ignored.  Then both add, commit or check out, and compared are status, what is committed, and the trees after a checkout.
Each state of the trees is asked about once by each, in one of the forms of status; new repositories are made, each of the next
seed, until so many states were compared.  How many of which kind there were is written to the file counted.

Deliberate differences of status stand in store-status(1), and what follows from them is worked out here from what git says of
each path: nothing is left out of the comparison but the order of lines, and lines of directories that git does not know.
One of the two may refuse a checkout that the other makes (git where an untracked directory stands in the place of a file
that goes, store where a staged deletion meets another kind, or an ignored file is in the way); the repository ends there.
What store does make loses nothing that was in no commit.
"""
import collections
import json
import os
import random
import re
import shutil
import sys

from beside import GIT, STORE, done, fail, is_dir, run, state, top

seed, wanted = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
NAMES = ["a", "b", "c", "d", "a.txt", "a-b", "a0", "Z", "x y", "\xe4\xf6", "n\nl", "q\"q", "\\s", "-dash", "@", "v@2", "a:b", "~1"]


def lines(*argv):
    return set(run(*argv).stdout.split(b"\0")) - {b""}


def take_turn():
    """What is random from here on depends on the seed alone, which is what a failure names."""
    global rng, seed
    rng = random.Random(seed)
    sys.argv[1] = str(seed)
    seed += 1


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


written = {}  # what the tree of store holds, which nothing but mirror and a checkout changes
at_head = None  # the commit of git
is_ruled = False  # something may be ignored


def mirror():
    """Make the tree of store that of git, by writing what differs and nothing else."""
    global written
    want, have = state(GIT), written
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
    written = want


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
    files = []
    for here, dirs, names in os.walk(GIT):
        if here == GIT:
            dirs.remove(".git")
        files += [os.path.join(here, name)[len(GIT) + 1:] for name in names + [d for d in dirs if os.path.islink(os.path.join(here, d))]]
    return sorted(files), sorted({os.path.dirname(f) for f in files} - {""})


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

# What git is asked of a state, and what store is: --ignored of store is --ignored=matching of git, and the other is another
# view of the same paths.  The last one tells most.
FORMS = [((), ()), (("-uno",), ("-uno",)), (("-uall",), ("-uall",)), (("-uno", "--ignored"), ("-uno", "--ignored")),
         (("--ignored",), ("--ignored",)), (("--ignored=matching",), ("--ignored",)),
         (("-uall", "--ignored"), ("-uall", "--ignored")), (("-uall", "--ignored=matching"), ("-uall", "--ignored"))]
counts = collections.Counter()


def rows(tool, *form):
    """What status says: the lines of tracked paths, the untracked paths, and the ignored ones."""
    said = run(tool, "status", "--porcelain", "-z", *form).stdout.split(b"\0")[:-1]
    if len(set(said)) != len(said):
        fail(f"{tool} says something twice: {said}")
    marks = (b"?? ", b"!! ")
    return [{x for x in said if x[:3] not in marks}] + [{x[3:] for x in said if x[:3] == m} for m in marks]


staged_dirs = []  # what tracked_dirs has found, until the stage changes


def tracked_dirs():
    if not staged_dirs:
        staged_dirs.append({x for x in run("store", "ls", "-r", "-z", ":").stdout.split(b"\0") if x.endswith(b"/")})
    return staged_dirs[0]


def on_disk(path):
    return os.path.join(os.fsencode(STORE), path)


def without_dirs(said, by_git):
    """Without lines of directories, but not of what is a file on disk or staged as one by git."""
    files = {x[3:] for x in by_git if x[:1] != b"D"}
    return {x for x in said if not x.endswith(b"/") or x[3:-1] in files or os.path.isfile(on_disk(x[3:-1]))}


def untracked(is_all, changed, leaves):
    """The untracked paths that store must tell: git's files and ignored paths, in the directories that store has.

    changed: what git has a line of; leaves: what it says with -uall --ignored=matching.
    """
    _, files, ignored = leaves
    out = set()

    def walk(above):
        entries = list(os.scandir(on_disk(above)))
        for e in entries:
            path = above + e.name
            if path == b".store" or path + b"/" in ignored:
                continue
            if not e.is_dir(follow_symlinks=False):
                out.update({path} & files)
            elif path in changed and os.listdir(e.path) and not any(x.startswith(path + b"/") for x in files | ignored):
                pass  # it is ignored itself, and git says nothing of a directory in place of a file
            elif path + b"/" in tracked_dirs() or is_all:
                walk(path + b"/")
            else:
                out.add(path + b"/")
        if not entries and above and above not in tracked_dirs():
            out.add(above)
    walk(b"")
    return out


def covers(a, b):
    """Each of a is one of b, in one of b, or has one of b in it."""
    def is_in(x, y):
        return x == y or y.endswith(b"/") and x.startswith(y)
    return all(any(is_in(x, y) or is_in(y, x) for y in b) for x in a)


def same_ignored(by_git, g, s, changed):
    in_place = {x for x in s if x.endswith(b"/") and x[:-1] in changed}
    if by_git[-1:] != ("--ignored",):
        # Where git has one line of a directory that store tracks, store has lines of what is in it.
        return g == s - in_place or g - s <= tracked_dirs() and covers(s - in_place - g, g - s)
    in_place = {x for x in s if any(x.startswith(path + b"/") for path in changed)}
    return covers(g, s) and covers(s - in_place, g)


def compare_status():
    by_git, by_store = form = rng.choice(FORMS)
    g, s = rows("git", "--no-renames", *by_git), rows("store", *by_store)
    counts["states"] += 1
    counts[" ".join(by_git) or "plain"] += 1
    counts["ignored"] += len(s[2])
    counts["collapsed"] += "-uall" not in by_git and sum(x.endswith(b"/") for x in s[1])
    counts["equal"] += g == s
    if g == s:
        return
    changed = {x[3:] for x in g[0]}
    tracked = without_dirs(s[0], g[0])
    if g[0] != tracked:
        fail(f"status {by_store}: git alone {sorted(g[0] - tracked)}, store alone {sorted(tracked - g[0])}")
    if g[1] != s[1]:
        leaves = g if form == FORMS[-1] else rows("git", "--no-renames", *FORMS[-1][0])
        wanted = untracked("-uall" in by_git, changed, leaves)
        if s[1] != wanted:
            fail(f"status {by_store}: untracked are {sorted(wanted)}, in git {sorted(g[1])}, in store {sorted(s[1])}")
    if not same_ignored(by_git, g[2], s[2], changed):
        fail(f"status {by_store}: ignored are {sorted(g[2])}, in store {sorted(s[2])}")


RULES = ["*.txt", "a-b", "/b", "c/", "d/*", "!d/a", "Z", "/a/**/b", "!a", "*\xf6", "/x y/"]


def rules():
    """Other rules of what is ignored, for both; a repository begins with none."""
    global is_ruled
    text = "".join(r + "\n" for r in rng.sample(RULES, rng.randrange(5)))
    for folder in (GIT + "/.git", STORE + "/.store"):
        os.makedirs(folder + "/info", exist_ok=True)
        with open(folder + "/info/exclude", "w") as f:
            f.write(text)
    is_ruled = text != ""
    done.append(f"rules {text!r}")


def add():
    k = rng.random()
    files, dirs = listing()
    staged_dirs.clear()
    if k < .5:
        run("git", "add", "-A", ".")
        run("store", "add", "-q", rng.choice(["-A", "."]))
    elif k < .75 and files:
        pick = rng.sample(files, min(len(files), rng.randrange(1, 4))) + rng.sample(dirs, min(len(dirs), rng.randrange(2)))
        run("git", "add", "-f", "-A", "--", *[":(literal)" + x for x in pick])
        run("store", "add", "-f", "-q", "--", *pick)
    else:
        # A directory of ignored files in place of a tracked file is an empty one to store, and takes that place.
        how = "-u" if k < .9 or is_ruled else "--ignore-removal"
        run("git", "add", how, ".")
        run("store", "add", "-q", how, ".")


def commit(revs):
    """By both, or by store alone where empty directories are all that there is to commit."""
    global at_head
    empty = [] if revs else ["--allow-empty"]
    by_git = run("git", "commit", "-m", "c", *empty, ok=(0,) if empty else (0, 1))
    by_store = run("store", "--json", "commit", "-m", "c", *empty, ok=(0, 1) if by_git.returncode else (0,))
    if by_store.returncode:
        return
    if not by_git.returncode:
        at_head = re.match(rb"\[[^]]* ([0-9a-f]+)\] c\n", by_git.stdout)[1].decode()
    revs.append((at_head, json.loads(by_store.stdout)["commit"]))


def checkout(revs):
    """True: both did it."""
    global written, at_head
    g, s = rng.choice(revs)
    old, before = committed(at_head), written
    by_git = run("git", "checkout", "-q", g, ok=(0, 1)).returncode == 0
    by_store = run("store", "checkout", "-q", s, ok=(0, 2)).returncode == 0
    after = written = state(STORE)
    staged_dirs.clear()
    if not by_store and after != before:
        fail("a refused checkout changed the tree")
    lost = [x for x in before if before[x] != old.get(x) and after.get(x) != before[x]]
    if lost:
        fail(f"checkout lost what was in no commit: {lost}")
    if by_git != by_store:
        return False
    at_head = g if by_git else at_head
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


def steps():
    """One repository of each, until enough states were compared or one has refused what the other did."""
    global written, at_head, is_ruled
    revs, written, at_head, is_ruled = [], {}, None, False
    staged_dirs.clear()
    for d in (GIT, STORE):
        shutil.rmtree(d, ignore_errors=True)
        os.mkdir(d)
    run("git", "init", "-q", "-b", "main")
    run("store", "init", "-q", "--chunk-average", "256")
    for step in range(25):
        if counts["states"] >= wanted:
            break
        if step % 5 == 4:
            rules()
        for _ in range(5):
            for _ in range(rng.randrange(1, 4)):
                change()
            mirror()
            compare_status()
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


while counts["states"] < wanted:
    take_turn()
    steps()
with open(os.path.join(top, "counted"), "w") as f:
    f.write("".join(f"{name}: {n}\n" for name, n in sorted(counts.items())))
