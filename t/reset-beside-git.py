#!/usr/bin/env python3
"""reset-beside-git.py WHAT SEED CASES: reset, restore, rm and mv by store and by git, from the same random states.

WHAT is reset (reset and restore), rm, or mv.  A history of four commits is made in two equal trees; before each case both get
the same random changes, some of them staged.  Compared are the files on disk, and what is staged, as store writes it and
git does.

Deliberate differences, which a case may meet and which end it, with both put back to the last commit:
  - store refuses where an untracked file or directory would be overwritten; git overwrites it (reset, restore)
  - store refuses a new name that is tracked though nothing stands there; git drops what was staged (mv)
  - store refuses to reset a path that is neither tracked nor in the revision; git passes over it
A case in which both refuse, or both do it, must leave the same.
"""
import collections
import os
import random
import shutil
import sys

import beside
from beside import GIT, STORE, done, fail, is_dir, run, state

what, seed, cases = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(f"{what} {seed}")
beside.env.update(STORE_CHECK_CLOSURE="0", STORE_TEST_FSYNC="0")
NAMES = ["a", "b", "c", "d", "a-b", "x y", "\xe4"]
gone = []  # paths that were deleted of late: most of them are tracked
count = collections.Counter()


def statuses():
    """What both say, without directories: store shows empty ones."""
    g = run("git", "status", "--porcelain", "-z", "-uall", "--no-renames").stdout.split(b"\0")
    s = run("store", "-z", "status", "--porcelain", "-uall").stdout.split(b"\0")
    return sorted(x for x in g if x), sorted(x for x in s if x and not x.endswith(b"/"))


def each(fn):
    for root in (GIT, STORE):
        fn(root)


def drop(root, path):
    f = os.path.join(root, path)
    if is_dir(f):
        shutil.rmtree(f)
    elif os.path.lexists(f):
        os.unlink(f)


def put(root, path, data, kind):
    part = ""
    for name in path.split("/")[:-1]:
        part = os.path.join(part, name)
        f = os.path.join(root, part)
        if os.path.lexists(f) and not is_dir(f):
            os.unlink(f)
    drop(root, path)
    f = os.path.join(root, path)
    os.makedirs(os.path.dirname(f), exist_ok=True)
    if kind == "link":
        os.symlink(data.decode(), f)
        return
    with open(f, "wb") as out:
        out.write(data)
    os.chmod(f, 0o755 if kind == "exec" else 0o644)


def random_path():
    return "/".join(rng.choice(NAMES) for _ in range(rng.choice((1, 1, 2, 2, 3))))


def change(n):
    for _ in range(n):
        paths = sorted(state(GIT))
        path = rng.choice(paths) if paths and rng.random() < .6 else random_path()
        r = rng.random()
        if r < .25:
            gone.append(path)
            each(lambda root, p=path: drop(root, p))
            done.append(f"drop {path}")
            continue
        kind = "link" if r < .32 else "exec" if r < .4 else "file"
        data = b"target" if kind == "link" else b"%d\n" % rng.randrange(8)
        each(lambda root, p=path, d=data, k=kind: put(root, p, d, k))
        done.append(f"put {path} {kind} {data!r}")
    # git knows no empty directories, so there are none.
    for root in (GIT, STORE):
        for here, _, _ in os.walk(root, topdown=False):
            rel = os.path.relpath(here, root)
            if rel != "." and not rel.startswith((".git", ".store")) and not os.listdir(here):
                os.rmdir(here)


def stage_some():
    r = rng.random()
    if r < .3:
        return
    if r < .6:
        run("git", "add", "-A")
        run("store", "add", "-q", "-A")
        return
    paths = [p for p in sorted(state(GIT)) if rng.random() < .5]
    if paths:
        run("git", "add", "--", *paths, ok=None)
        run("store", "add", "-q", "--", *paths, ok=None)


def compare(command, thorough):
    if state(GIT) != state(STORE):
        g, s = state(GIT), state(STORE)
        fail(f"after {command} the trees differ: {sorted((k, g.get(k), s.get(k)) for k in g.keys() | s.keys() if g.get(k) != s.get(k))}")
    if not thorough:
        return
    g, s = statuses()
    if g != s:
        fail(f"after {command} status differs: git alone {[x for x in g if x not in s]}, store alone {[x for x in s if x not in g]}")


def back():
    """Both are what the newest commit is, and nothing else is there."""
    for root in (GIT, STORE):
        for name in os.listdir(root):
            if name not in (".git", ".store"):
                drop(root, name)
    gone.clear()
    run("git", "reset", "-q", "--hard", "top")
    run("store", "reset", "-q", "--hard", "top")
    if state(GIT) != state(STORE):
        fail("going back does not give the same")


def make():
    for root in (GIT, STORE):
        os.mkdir(root)
    run("git", "init", "-q", "-b", "main")
    run("store", "init", "-q", "--chunk-average", "256")
    for n in range(4):
        change(8 if n == 0 else 5)
        run("git", "add", "-A")
        run("store", "add", "-q", "-A")
        run("git", "commit", "-q", "--allow-empty", "-m", str(n))
        run("store", "commit", "-q", "--allow-empty", "-m", str(n))
    run("git", "branch", "top")
    run("store", "checkout", "-q", "-b", "top")
    run("store", "checkout", "-q", "main")


def some_paths():
    paths = list(state(GIT)) + gone
    paths += [os.path.dirname(p) for p in paths if "/" in p]
    return sorted({rng.choice(paths) for _ in range(rng.choice((1, 1, 2, 3)))}) if paths else []


def choose():
    if what == "reset":
        rev = rng.choice(["HEAD", "HEAD", "top", "top~1", "top~2", "top~3"])
        r = rng.random()
        if r < .6:
            return ("reset", "-q", rng.choice(["--soft", "--mixed", "--hard", "--hard"]), rev)
        paths = some_paths() or ["."]
        if r < .7:
            return ("reset", "-q", rev, "--", *paths)
        flags = rng.choice([(), (), ("--staged",), ("--staged", "--worktree"), ("-s", rev), ("-s", rev, "--staged"),
                            ("-s", rev, "--staged", "--worktree")])
        return ("restore", *flags, "--", *(paths if rng.random() < .7 else ["."]))
    if what == "rm":
        flags = [f for f in ("-f", "--cached", "-r", "-r", "-n") if rng.random() < (.6 if f == "-r" else .25)]
        return ("rm", "-q", *sorted(set(flags)), "--", *(some_paths() or ["none"]))
    flags = [f for f in ("-f",) if rng.random() < .2]
    paths = [p for p in some_paths() if rng.random() < .1 or os.path.lexists(os.path.join(GIT, p))][:rng.choice((1, 1, 3))] or ["none"]
    return ("mv", *flags, "--", *paths, random_path() if rng.random() < .7 else rng.choice(some_paths() or ["b"]))


def main():
    make()
    for n in range(cases):
        # Several commands in a row from one change, so that few processes make many cases.
        if n % (4 if what == "reset" else 2) == 0:
            change(rng.randrange(0, 4))
            stage_some()
            change(rng.randrange(0, 3))
        was = state(STORE)
        command = choose()
        s = run("store", *command, ok=None)
        if s.returncode not in (0, 2):
            fail(f"{command} ended with {s.returncode}: {s.stderr.decode()}")
        if s.returncode == 2 and state(STORE) != was:
            fail(f"{command} was refused, and yet files changed")
        g = run("git", *command, ok=None)
        both = (g.returncode == 0, s.returncode == 0)
        count[both] += 1
        if both[0] == both[1] and b"is tracked already" not in s.stderr:
            # What is wrong in the stage stays wrong until a hard reset, so not every case has to ask.
            ends = rng.random() < (.1 if what == "reset" else .2)
            compare(command, ends or n % (8 if what == "reset" else 2) == 1)
            if ends:
                back()
        elif both[0]:
            if not any(t in s.stderr for t in (b"is not tracked", b"not tracked", b"would lose content", b"is tracked already", b"neither tracked nor")):
                fail(f"git does {command}, store does not: {s.stderr.decode()}")
            back()
        else:
            count["store alone: " + g.stderr.decode(errors="replace").split("\n")[0][:60]] += 1
            back()
    print(f"{what}: {dict(count)}")
    if count[(True, True)] * (2 if what == "reset" else 10) < cases:
        fail("too few cases in which both did it")


main()
