#!/usr/bin/env python3
"""patch-beside-git.py SEED CASES: patches that store diff prints, applied by git apply and by patch, give the new tree.

Ten trees at a time are made at random, side by side, and a second state of each by edits: lines, new, deleted and empty files, executable bits, links,
a file to a directory and back, no newline at the end, odd names.  Both are committed; the patch from one to the other is
applied to a copy of the first, forward and (to the second) with sides reversed.

What patch(1) cannot do is left out of its turn, not of git's: it puts deletions off to its end, and so refuses what comes in
the place of something else (a file to a directory and back); nor does it change a link's target.
"""
import os
import random
import shutil
import subprocess
import sys

seed, cases = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
env = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C", STORE_TEST_FSYNC="0", GIT_CEILING_DIRECTORIES=os.getcwd())
NAMES = ["a", "b", "c", "d", "a b", "\xe4", "q\"q", "\\s", "-x", "t\tt", "a.c", " lead", "trail "]


def fail(why):
    print(f"seed {seed}, case {case}: {why}")
    sys.exit(1)


def run(*argv, cwd=None, data=None, ok=(0,)):
    p = subprocess.run(argv, cwd=cwd, env=env, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False)
    if p.returncode not in ok:
        with open("failed.patch", "wb") as f:
            f.write(data or b"")
        fail(f"{argv} ended with {p.returncode}: {(p.stdout + p.stderr).decode(errors='replace')}")
    return p.stdout


# ---- trees: path -> (kind, bytes), kind one of file, exec, link

def lines():
    text = "".join(f"line {rng.randrange(12)}\n" for _ in range(rng.choice([0, 1, 3, 30])))
    if text and rng.random() < 0.2:
        text = text[:-1]
    return text.encode()


def edit(data):
    rows = data.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(rows))
        rows[at:at + rng.randrange(0, 3)] = [b"edit %d" % rng.randrange(99) for _ in range(rng.randrange(0, 3))]
        rows = rows or [b""]
    return b"\n".join(rows)


def in_the_way(tree, path):
    return [p for p in tree if p == path or p.startswith(path + "/") or path.startswith(p + "/")]


def add(tree, is_for_git, old=()):
    path = f"s{rng.randrange(10)}/" + "/".join(rng.choice(NAMES) for _ in range(rng.randrange(1, 4)))
    if not is_for_git and in_the_way({**dict(old), **tree}, path):
        return
    for p in in_the_way(tree, path):
        del tree[p]
    if rng.random() < 0.15:
        tree[path] = ("link", rng.choice([b"a", b"../b", b"no where"]))
    else:
        tree[path] = (rng.choice(["file", "file", "exec"]), lines())


def changed(tree, is_for_git):
    new = dict(tree)
    for _ in range(rng.randrange(10, 50)):
        what = rng.random()
        path = rng.choice(sorted(new)) if new else None
        if path is None or what < 0.25:
            add(new, is_for_git, tree)
        elif what < 0.4:
            del new[path]
        elif new[path][0] == "link":
            new[path] = ("link", b"other") if is_for_git else new[path]
        elif what < 0.5:
            new[path] = ("exec" if new[path][0] == "file" else "file", new[path][1])
        elif what < 0.6 and is_for_git:
            new[path] = ("link", b"was a file")
        else:
            new[path] = (new[path][0], edit(new[path][1]))
    return new


def write(tree, top):
    os.mkdir(top)
    for path, (kind, data) in tree.items():
        full = os.path.join(top, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if kind == "link":
            os.symlink(data, full)
        else:
            with open(full, "wb") as f:
                f.write(data)
            if kind == "exec":
                os.chmod(full, 0o755)


def read(top):
    out = {}
    for here, _, files in os.walk(top):
        for n in files + [d for d in _ if os.path.islink(os.path.join(here, d))]:
            full = os.path.join(here, n)
            if os.path.islink(full):
                out[os.path.relpath(full, top)] = ("link", os.readlink(full).encode())
            else:
                with open(full, "rb") as f:
                    out[os.path.relpath(full, top)] = ("exec" if os.stat(full).st_mode & 0o100 else "file", f.read())
    return out


def replace_all(top):
    for n in os.listdir(top):
        full = os.path.join(top, n)
        if n != ".store":
            shutil.rmtree(full) if os.path.isdir(full) and not os.path.islink(full) else os.unlink(full)


def commit(tree):
    replace_all("repo")
    write(tree, "side")
    for n in os.listdir("side"):
        os.rename(os.path.join("side", n), os.path.join("repo", n))
    os.rmdir("side")
    run("store", "add", "-q", "-A", cwd="repo")
    run("store", "commit", "-q", "--allow-empty", "-m", "c", cwd="repo")


def check(tool, patch, old, new):
    write(old, "at")
    if patch:
        run(*tool, cwd="at", data=patch)
    got = read("at")
    shutil.rmtree("at")
    if got != new:
        with open("failed.patch", "wb") as f:
            f.write(patch)
        fail(f"{tool} gave another tree:\n  wanted {sorted(new.items())}\n  got    {sorted(got.items())}")


GIT = ("git", "apply", "-p1", "--whitespace=nowarn", "-")
PATCH = ("patch", "-p1", "-s", "-f", "--no-backup-if-mismatch")
case = 0
run("store", "init", "-q", "repo")
tree = {}
commit(tree)
for case in range(0, cases, 10):
    is_for_git = case % 20 == 0
    for _ in range(rng.randrange(40, 80)):
        add(tree, True)
    commit(tree)
    new = changed(tree, is_for_git)
    commit(new)
    text = run("store", "diff", "-U", str(rng.choice([3, 3, 1, 5])), "HEAD~1", "HEAD", cwd="repo")
    check(GIT, text, tree, new)
    if is_for_git:
        text = run("store", "diff", "-R", "HEAD~1", "HEAD", cwd="repo")
        check(GIT, text, new, tree)
    else:
        check(PATCH, text, tree, new)
    tree = {p: v for p, v in new.items() if rng.random() < 0.3}
print(f"{cases} cases")
