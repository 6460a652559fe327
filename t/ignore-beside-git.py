#!/usr/bin/env python3
"""Ask git and store about the same paths under the same random rules: python3 ignore-beside-git.py SEED CASES

The current directory becomes a repository of both.  Cases are directories of their own, CASES_A_BATCH of them in one
question, so that thousands cost few processes; the rules of the repository and of the user change with the batch."""

import os
import random
import subprocess
import sys

CASES_A_BATCH = 50
NAMES = [b"a", b"b", b"ab", b"abc", b"foo", b"foo.c", b"foo.o", b"bar", b"build", b"A", b"-", b"]", b"x y", b"x ", b"#n", b"!n", b"a*",
         b"a\\b", b"\xc3\xa4", b"\xff", b"[x]", b"a\tb", b"0", b".h", b"a.b.c"]
PIECES = [b"*", b"*", b"**", b"?", b"[ab]", b"[!a]", b"[^b]", b"[a-c]", b"[]x]", b"[[:alpha:]]", b"[[:digit:]x]", b"[![:upper:]]",
          b"[[:punct:][:space:]]", b"[\\]]", b"[a\\-c]", b"[--0]", b"[a-]", b"[[:nope:]]", b"[ab", b"[[:alpha]", b"[[:]", b"\\", b"\\a",
          b"\\*", b"\\ ", b".", b"a", b"b", b"foo", b"o", b" ", b"***", b"[", b"]", b"[/]", b"\\/"]
SHAPES = [b"**/", b"/**", b"/**/", b"/", b"*/", b"/*", b"/*/", b"**", b"a**/", b"/**b", b"a/**"]


def pattern(r):
    kind = r.randrange(10)
    if kind < 3:
        p = r.choice(NAMES)
    elif kind < 5:
        p = b"/".join(r.choice(NAMES) for _ in range(r.randrange(2, 4)))
    elif kind < 7:
        p = b"".join(r.choice(PIECES) for _ in range(r.randrange(1, 4)))
    else:
        p = b"".join(r.choice(r.choice([NAMES, PIECES, SHAPES])) for _ in range(r.randrange(1, 6)))
    if r.random() < .3:
        p = r.choice([b"*.", b"*", b"**/", b"/", b"*/"]) + p
    if r.random() < .3:
        p += r.choice([b"/", b"/*", b"/**", b"*", b"?"])
    return p


def line(r):
    p = pattern(r)
    if r.random() < .3:
        p = b"!" + p
    if r.random() < .05:
        p = r.choice([b"#", b"\\#", b"\\!", b"!!", b"", b"  ", b"!", b"/"]) + (p if r.random() < .7 else b"")
    if r.random() < .1:
        p += r.choice([b" ", b"  ", b"\\ ", b"\\  ", b" \\", b"\t", b"\r", b"\0x"])
    return p + (b"\r\n" if r.random() < .05 else b"\n")


def rules(r, most):
    text = b"".join(line(r) for _ in range(r.randrange(1, most)))
    if r.random() < .05:
        text = b"\xef\xbb\xbf" + text
    return text[:-1] if r.random() < .1 else text


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def both(folder, text):
    write(os.path.join(folder, b".gitignore"), text)
    write(os.path.join(folder, b".storeignore"), text)


def tree(r, folder, depth, asked):
    """Random names below folder, rules in some directories; every path, and some that are not there, into asked."""
    if depth == 0 or r.random() < .25:
        both(folder, rules(r, 9 if depth == 0 else 5))
    for name in r.sample(NAMES, r.randrange(2, 5)):
        path = os.path.join(folder, name)
        asked.append(path)
        kind = r.random()
        if depth < 3 and kind < .5:
            os.mkdir(path)
            tree(r, path, depth + 1, asked)
        elif kind < .55:
            os.symlink(b"nowhere", path)
        else:
            write(path, b"")
            if r.random() < .05:
                asked.append(path + b"/" + r.choice(NAMES))
    if r.random() < .3:
        asked.append(folder + b"/" + b"/".join(r.choice(NAMES) + b"0" for _ in range(r.randrange(1, 3))))


def ask(program, asked):
    p = subprocess.run([program, "check-ignore", "-v", "-n", "--stdin", "-z", "--no-index"], input=b"".join(a + b"\0" for a in asked),
                       stdout=subprocess.PIPE, check=False)
    if p.returncode not in (0, 1):
        sys.exit("%s ended with %d" % (program, p.returncode))
    fields = p.stdout.split(b"\0")
    answers = [tuple(fields[i:i + 4]) for i in range(0, len(fields) - 1, 4)]
    return answers, p.returncode


def batch(seed, number, count):
    r = random.Random("%s-%d" % (seed, number))
    asked = []
    for name in (b".git/info/exclude", b".store/info/exclude", b"../user-rules"):
        write(name, b"")
    if number % 2:
        text = rules(r, 3)
        write(b".git/info/exclude", text)
        write(b".store/info/exclude", text)
        write(b"../user-rules", rules(r, 3))
    for i in range(count):
        folder = b"batch%d-%d" % (number, i)
        os.mkdir(folder)
        tree(r, folder, 0, asked)
    git, _ = ask("git", asked)
    store, code = ask("store", asked)
    bad = 0
    if len(git) != len(asked) or len(store) != len(asked):
        sys.exit("asked about %d paths, git told of %d, store of %d" % (len(asked), len(git), len(store)))
    for g, s in zip(git, store):
        g = (g[0].replace(b".gitignore", b".storeignore").replace(b".git/info", b".store/info"),) + g[1:]
        if g != s:
            bad += 1
            print("differs in batch %d of seed %s:\n  git   %r\n  store %r" % (number, seed, g, s))
    left = sum(1 for s in store if s[2] and not s[2].startswith(b"!"))
    if code != (0 if left else 1):
        sys.exit("store ended with %d, and %d paths are ignored" % (code, left))
    return len(asked), left, bad


def main():
    seed, cases = sys.argv[1], int(sys.argv[2])
    env = os.environ
    env.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.excludesFile", GIT_CONFIG_VALUE_0=os.path.abspath("../user-rules"))
    for name in ("XDG_CONFIG_HOME", "HOME"):
        os.makedirs(env[name], exist_ok=True)
    subprocess.run(["git", "init", "-q", "."], check=True)
    subprocess.run(["store", "init", "-q", "."], check=True)
    os.mkdir(".store/info")
    os.makedirs(".git/info", exist_ok=True)
    with open(".store/config", "a", encoding="ascii") as f:
        f.write("\n[core]\nexcludesFile = " + os.path.abspath("../user-rules") + "\n")
    paths = left = bad = 0
    for number in range((cases + CASES_A_BATCH - 1) // CASES_A_BATCH):
        n, l, b = batch(seed, number, min(CASES_A_BATCH, cases - number * CASES_A_BATCH))
        paths, left, bad = paths + n, left + l, bad + b
    print("%d cases, %d paths, %d ignored, %d differ" % (cases, paths, left, bad))
    # A comparison in which nothing, or all, is ignored tells nothing.
    sys.exit(bad > 0 or not paths / 20 < left < paths * 19 / 20)


main()
