#!/usr/bin/env python3
"""reset-beside-git.py WHAT SEED CASES: reset, restore, rm and mv by store and by git, from the same random states.

WHAT is reset (reset and restore), rm, or mv.  A history of four commits is made in two equal trees; before each case both get
the same random changes, some of them staged.  Compared are the files on disk, and the stage: paths, kinds and contents as both have
them, and now and then the letters that both give.

A case in which both refuse, or both do it, must leave the same.  Deliberate differences, which a case may meet and which end it,
with both put back to the last commit:
  - store refuses where an untracked file or directory would be overwritten; git overwrites it (reset, restore).  What it names must
    be there before, not tracked, and not the same in what git leaves
  - store refuses a new name that is tracked though nothing stands there; git drops what was staged (mv)
  - store refuses to reset a path that is neither tracked nor in the revision; git passes over it: such a path must be among those given
  - store moves a directory of which tracked files, or all, are gone from disk; git refuses it (mv).  Nothing may be lost by that
A refusal of store leaves its files and its stage as they were.  Any other case in which one refuses alone is a failure.
"""
import base64
import collections
import json
import os
import random
import re
import shutil
import struct
import sys

import beside
from beside import GIT, STORE, done, fail, is_dir, run, state

what, seed, cases = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(f"{what} {seed}")
beside.env.update(STORE_CHECK_CLOSURE="0", STORE_TEST_FSYNC="0")
NAMES = ["a", "b", "c", "d", "a-b", "x y", "\xe4"]
gone = []  # paths that were deleted of late: most of them are tracked
count = collections.Counter()
ids, names = {}, {}  # store's id of a content that git has an id of, and the reverse


def statuses():
    """What both say, without directories: store shows empty ones."""
    g = run("git", "status", "--porcelain", "-z", "-uall", "--no-renames").stdout.split(b"\0")
    s = run("store", "-z", "status", "--porcelain", "-uall").stdout.split(b"\0")
    return sorted(x for x in g if x), sorted(x for x in s if x and not x.endswith(b"/"))


def git_stage():
    """What git's index holds, read from the file itself: kind and id of each path."""
    kinds = {0o100644: "file", 0o100755: "executable", 0o120000: "symlink"}
    with open(os.path.join(GIT, ".git", "index"), "rb") as f:
        data = f.read()
    magic, version, count = struct.unpack_from(">4sII", data)
    assert magic == b"DIRC" and version in (2, 3), (magic, version)
    out, at = {}, 12
    for _ in range(count):
        mode, = struct.unpack_from(">I", data, at + 24)
        flags, = struct.unpack_from(">H", data, at + 60)
        name = at + (64 if flags & 0x4000 else 62)
        end = data.index(b"\0", name)
        assert not flags & 0x3000, "a path is not merged"
        out[data[name:end]] = (kinds[mode], data[at + 40:at + 60].hex())
        at += (end - at + 8) // 8 * 8
    return out


def store_stage():
    rows = map(json.loads, run("store", "--json", "ls", "-r", ":").stdout.splitlines())
    return {os.fsencode(r["path"]) if "path" in r else base64.b64decode(r["path_b64"]): (r["node"]["kind"], r["node"]["id"])
            for r in rows if r["node"]["kind"] != "directory"}


def compare_stages(command, g=None):
    """g: what git's holds, now if it is not given.  The same paths and kinds; and of each content git has one id and store one, so that what is equal there is so here."""
    g, s = g or git_stage(), store_stage()
    odd = sorted(p for p in g.keys() | s.keys() if g.get(p, "?")[0] != s.get(p, "?")[0])
    odd += [p for p in g if p not in odd and (ids.setdefault(g[p][1], s[p][1]) != s[p][1] or names.setdefault(s[p][1], g[p][1]) != g[p][1])]
    if odd:
        fail(f"after {command} the stages differ: {[(p, g.get(p), s.get(p)) for p in odd]}")


def check_refusal(command, s, was, tracked):
    """git does it and store does not: for one of the reasons above?  was: the files before, tracked: git's stage before."""
    said = s.stderr.decode(errors="surrogateescape")
    if "is tracked already" in said:
        return
    if "would lose content" in said:
        named = re.findall(r"^store: would be lost: '(.*?)'(?:: .*)?$", said, re.M)
        left = state(GIT)
        for path in named:
            below = [p for p in was if p == path.rstrip("/") or p.startswith(path.rstrip("/") + "/")]
            fresh = [p for p in below if os.fsencode(p) not in tracked and left.get(p) != was[p]]
            if path.isascii() and '\\' not in path and not fresh:
                fail(f"store refuses {command} for {path}, of which git loses nothing that is not tracked: {said}")
        if not named:
            fail(f"store refuses {command} and names nothing: {said}")
        return
    if "not tracked" in said or "neither tracked nor" in said:
        paths = command[command.index("--") + 1:]
        if all(any(t == os.fsencode(p) or t.startswith(os.fsencode(p) + b"/") for t in tracked) for p in paths if p != "."):
            fail(f"store refuses {command}, and all paths are tracked: {said}")
        return
    fail(f"git does {command}, store does not: {said}")


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
        was, tracked = state(STORE), git_stage()
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
            if ends or n % 2 == 1 or s.returncode == 2:
                compare_stages(command)
            compare(command, ends and n % 2 == 1)
            if ends:
                back()
        elif both[0]:
            check_refusal(command, s, was, tracked)
            compare_stages(command, tracked)
            back()
        elif what == "mv":
            if sorted(was.values(), key=repr) != sorted(state(STORE).values(), key=repr):
                fail(f"store does {command}, and files are lost or new")
            back()
        else:
            fail(f"store does {command}, git does not: {g.stderr.decode(errors='replace')}")
    print(f"{what}: {dict(count)}")
    if count[(True, True)] * (2 if what == "reset" else 10) < cases:
        fail("too few cases in which both did it")


main()
