#!/usr/bin/env python3
"""diff-beside-git.py SEED CASES: git and store watch one tree, and must name the same differences with the same letters.

Each case changes the tree at random (files, links, executable bits, directories, a file to a directory and back, odd
names), stages some of it in both, commits now and then, changes it again, and asks all forms of diff --name-status,
sometimes for some paths only, sometimes reversed.

Deliberate differences: store knows empty directories, whose entries end with a slash and are left out here; it looks for no
renames, nor does git under --no-renames; and its order is that of walking the tree, so sets are compared, and the order is
checked by its own rule.
"""
import os
import random
import shutil
import subprocess
import sys

seed, cases = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
env = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a",
           GIT_COMMITTER_EMAIL="a@b", STORE_TEST_FSYNC="0", GIT_OPTIONAL_LOCKS="0")
NAMES = ["a", "b", "c", "a.txt", "a-b", "a0", "Z", "x y", "\xe4\xf6", "n\nl", "q\"q", "\\s", "@", "a:b"]
done = []
asked = found = 0


def fail(why):
    print(f"seed {seed}: {why}\nthe last steps:\n" + "\n".join(done[-40:]))
    sys.exit(1)


def run(*argv, ok=(0,)):
    done.append(repr(argv))
    p = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False)
    if p.returncode not in ok:
        fail(f"{argv} ended with {p.returncode}: {p.stderr.decode(errors='replace')}")
    return p.stdout


# ---- the tree

def is_dir(path):
    return os.path.isdir(path) and not os.path.islink(path)


def listing():
    out = []
    for here, dirs, files in os.walk("."):
        if here == ".":
            dirs[:] = [d for d in dirs if d not in (".git", ".store")]
        out += [os.path.join(here, n)[2:] for n in files + dirs]
    return sorted(out)


def new_path():
    here = "."
    while rng.random() < 0.45:
        below = [n for n in os.listdir(here) if n not in (".git", ".store") and is_dir(os.path.join(here, n))]
        if not below:
            break
        here = os.path.join(here, rng.choice(below))
    return os.path.join(here, rng.choice(NAMES))


def remove(path):
    if is_dir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def change():
    path = new_path()
    what = rng.random()
    here = listing()
    if here and what < 0.35:
        path = rng.choice(here)
    if what < 0.12:
        remove(path)
    elif what < 0.2:
        if os.path.isfile(path) and not os.path.islink(path):
            os.chmod(path, os.stat(path).st_mode ^ 0o111)
    elif what < 0.35:
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "w") as f:
                f.write(f"{rng.random()}\n" * rng.randrange(1, 4))
    elif what < 0.5:
        remove(path)
        os.symlink(rng.choice(["a", "b", "nowhere", "../a", "."]), path)
    elif what < 0.7:
        if not is_dir(path):
            remove(path)
            os.mkdir(path)
        for name in rng.sample(NAMES, rng.randrange(0, 3)):
            if not os.path.lexists(os.path.join(path, name)):
                with open(os.path.join(path, name), "w") as f:
                    f.write(name)
    else:
        remove(path)
        with open(path, "w") as f:
            f.write(f"{rng.randrange(8)}\n")


# ---- asking

def pairs(out):
    parts = out.split(b"\0")
    return list(zip(parts[0::2], parts[1::2]))


def check_order(entries):
    """Names component by component; but what a file replaces comes before it."""
    def key(path):
        return [(n, 0) for n in path.rstrip(b"/").split(b"/")]
    last = None
    for letter, path in entries:
        if last is not None and key(path) < key(last):
            if not (letter == b"A" and last.startswith(path + b"/")):
                fail(f"{path} stands behind {last}")
        last = path


def ask(form, paths):
    global asked, found
    want = {(s, p) for s, p in pairs(run("git", "diff", "--no-renames", "--name-status", "-z", *form, "--", *paths))}
    got = pairs(run("store", "diff", "--name-status", "-z", *form, "--", *paths))
    if "-R" not in form:
        check_order(got)
    got = {(s, p) for s, p in got if not p.endswith(b"/")}
    asked += 1
    found += len(want)
    if got != want:
        fail(f"diff {form} {paths}:\n  git only: {sorted(want - got)}\n  store only: {sorted(got - want)}")


def stage():
    if rng.random() < 0.5:
        run("git", "add", "-A")
        run("store", "add", "-q", "-A")
        return
    paths = [p for p in listing() if rng.random() < 0.3 and not is_dir(p)][:5]
    if paths:
        run("git", "add", "-A", "--", *paths)
        run("store", "add", "-q", "--", *paths)


run("git", "init", "-q", ".")
with open(".git/info/exclude", "w") as f:
    f.write(".store\n")
run("store", "init", "-q", ".")
commits = 0
for case in range(cases):
    for _ in range(rng.randrange(1, 7)):
        change()
    stage()
    if commits == 0 or rng.random() < 0.3:
        run("git", "commit", "-q", "--allow-empty", "-m", "c")
        run("store", "commit", "-q", "--allow-empty", "-m", "c")
        commits += 1
    for _ in range(rng.randrange(0, 4)):
        change()
    old, new = (f"HEAD~{rng.randrange(min(commits, 8))}" for _ in range(2))
    forms = [[], ["--staged"], ["HEAD"], ["--staged", old], [old], [old, new], [f"{old}..{new}"], [f"{old}...{new}"]]
    here = listing()
    for form in rng.sample(forms, 3):
        paths = rng.sample(here, min(len(here), 2)) if rng.random() < 0.3 else []
        if rng.random() < 0.15:
            form = ["-R"] + form
        ask(form, paths)
if asked and not found:
    fail("no difference was found in any case")
print(f"{cases} cases, {asked} questions, {found} differences")
