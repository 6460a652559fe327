#!/usr/bin/env python3
"""config-cases.py CASES [SEED]: random configuration files, read and changed by store, with git as the judge.

Files hold sections, pairs, comments, blanks, quotes, escapes, continued lines and CR LF.  What store lists of one must be
what git lists, and it may refuse only what git refuses.  Then eight times, which are as many cases, store sets or unsets a
key: of the bytes only those of the value, or a whole line, may change, and in the end git reads what was set, and all else
as before.

Deliberate differences, which no file here has: names with '_' (git refuses them), and a tab inside of a value without
quotes (git before 2.45 reads a blank).
"""
import os
import random
import subprocess
import sys

cases = int(sys.argv[1])
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("SEED", "20261130"))
rng = random.Random(seed)
FILE = os.path.join(os.getcwd(), "xdg", "store", "config")
os.makedirs(os.path.dirname(FILE))
env = dict(os.environ, XDG_CONFIG_HOME=os.path.join(os.getcwd(), "xdg"), GIT_CONFIG_NOSYSTEM="1")
SECTIONS = [b"user", b"x-a", b"X-B", b'x-a "Sub"', b'x-a "sub"', b'x-b "q\\"u\\\\o] te#"', b"x-c.dotted", b'x-a\t "two  blanks"', b"x-long" + b"g" * 90]
NAMES = {b"user": [b"name", b"Email"]}
OTHERS = [b"k", b"key-2", b"CamelCase", b"z9", b"a" * 70]
PIECES = [b"word", b"a", b" ", b"  ", b'"', b'"quoted # ; "', b"\\n", b"\\t", b"\\\\", b'\\"', b"\\b", b"=", b"[", b"]", b"\xc3\xa9", b"\xff", b"x" * 150, b":",
          b"\\\n", b"\\\n  "]
VALUES = [b"", b"plain", b" lead", b"trail ", b"a;b", b"a # b", b'q"q', b"back\\slash", b"line\nline", b"tab\ttab", b"cr\rcr\r", b"\xff\xfe", b"x" * 500, b"a=b [c]",
          b'"', b"\\", b"two  blanks", b"\b"]


def fail(case, why, *texts):
    print(f"case {case} of seed {seed}: {why}")
    for text in texts:
        print(repr(text))
    sys.exit(1)


def run(*words):
    p = subprocess.run(words, env=env, capture_output=True)
    return p.returncode, p.stdout, p.stderr


def git_list():
    code, out, err = run("git", "config", "-z", "--list", "--file", FILE)
    pairs = []
    for row in out.split(b"\0")[:-1]:
        key, nl, value = row.partition(b"\n")
        pairs.append((key, value if nl else b"true"))
    return code, pairs


def store_list():
    code, out, err = run("store", "config", "-z", "--list", "--global")
    pairs = [row.partition(b"\n") for row in out.split(b"\0")[:-1]]
    return code, [(small(key), value) for key, _, value in pairs], err


def small(key):
    """As git lists it: all but the middle in small letters."""
    first, dot, rest = key.partition(b".")
    middle, dot2, last = rest.rpartition(b".")
    return first.lower() + b"." + middle + dot2 + last.lower()


def random_value():
    text = b"".join(rng.choice(PIECES) for _ in range(rng.randrange(6)))
    return text


def random_file():
    eol = b"\r\n" if rng.random() < 0.2 else b"\n"
    out = b"\xef\xbb\xbf" if rng.random() < 0.05 else b""
    section = None
    for _ in range(rng.randrange(1, 14)):
        kind = rng.random()
        indent = rng.choice([b"", b"\t", b"  ", b" \t"])
        end = rng.choice([b"", b"", b" ", b"\t", b" # why", b";why \"not", b" # back\\"]) + eol
        if section is None or kind < 0.25:
            section = rng.choice(SECTIONS)
            out += indent + b"[" + section + b"]"
            if rng.random() < 0.7:
                out += end
            elif rng.random() < 0.3:
                section = rng.choice(SECTIONS)
                out += b"[" + section + b"]" + end
        elif kind < 0.35:
            out += indent + rng.choice([b"# note = \"", b"; [x]", b""]) + eol
        else:
            name = rng.choice(NAMES.get(section, OTHERS))
            if rng.random() < 0.1:
                out += indent + name + rng.choice([b"", b" "]) + eol
            else:
                out += indent + name + rng.choice([b"=", b" = ", b" =", b"\t=  "]) + random_value().replace(b"\n", eol) + end
    if rng.random() < 0.2 and out.endswith(eol):
        out = out[:-len(eol)]
    return out


def write(data):
    with open(FILE, "wb") as f:
        f.write(data)


def read():
    with open(FILE, "rb") as f:
        return f.read()


def common(a, b):
    """Bytes that a and b share at the front, and at the end behind these."""
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    m = 0
    while m < min(len(a), len(b)) - n and a[-1 - m] == b[-1 - m]:
        m += 1
    return n, m


class Change:
    """What a row of changes should have made of a file: pairs in their order, and keys that came anew, wherever they stand."""

    def __init__(self, data, pairs):
        self.steps = [data]
        self.pairs = list(pairs)
        self.fresh = {}
        self.told = any(b"why" in value for _, value in pairs)

    def set(self, case):
        """Set a key that stands there, or another."""
        before = read()
        if self.pairs and rng.random() < 0.6:
            key = rng.choice(self.pairs)[0]
        else:
            key = rng.choice([b"user.name", b"x-a.k", b"x-a.Sub.new", b"x-new.k", b'x-new.a"b\\c.k', b"x-c.dotted.k"])
        value = rng.choice(VALUES)
        code, _, err = run(b"store", b"config", b"--global", key, value)
        after = read()
        self.steps += [(key, value), after]
        if code != 0:
            fail(case, f"{key} was not set: {err}", *self.steps)
        places = [i for i, pair in enumerate(self.pairs) if pair[0] == small(key)]
        stood = bool(places) or small(key) in self.fresh
        if places:
            self.pairs[places[-1]] = (small(key), value)
        else:
            self.fresh[small(key)] = value
        n, m = common(before, after)
        n -= before[:n].endswith(b"\\")  # of an escape, or the end of a line, that became another one
        gone = before[n:len(before) - m]
        if not stood and gone.strip(b"\\"):
            fail(case, "a new line took bytes away", *self.steps)
        if stood and b"\n" in gone.replace(b"\\\r\n", b"").replace(b"\\\n", b""):
            fail(case, "more than a value was changed", *self.steps)
        if not self.told and before.count(b"why") > after.count(b"why"):
            fail(case, "a comment is gone", *self.steps)

    def unset(self, case):
        before = read()
        key = rng.choice(self.pairs)[0]
        code, _, err = run(b"store", b"config", b"--global", b"--unset", key)
        after = read()
        self.steps += [key, after]
        if code != 0:
            fail(case, f"{key} was not unset: {err}", *self.steps)
        self.pairs = [p for p in self.pairs if p[0] != key]
        lines = iter(before.splitlines(True))
        for line in after.splitlines(True):
            # Each line left is one of before, in order; a line with its section on it keeps that.
            if not any(line == old or (b"]" in line and old.startswith(line.rstrip(b"\r\n"))) for old in lines):
                fail(case, "a line is new", *self.steps, line)

    def judge(self, case):
        _, now = git_list()
        if [p for p in now if p[0] not in self.fresh] != self.pairs or dict(p for p in now if p[0] in self.fresh) != self.fresh:
            fail(case, "git reads otherwise", *self.steps, now, self.pairs, self.fresh)
        if os.listdir(os.path.dirname(FILE)) != ["config"]:
            fail(case, "something lies beside the file", os.listdir(os.path.dirname(FILE)))


case = files = refused = 0
while case < cases:
    data = random_file()
    write(data)
    code, pairs = git_list()
    ours, listed, err = store_list()
    files += 1
    if (code == 0) != (ours == 0):
        fail(case, f"git ends with {code}, store with {ours}: {err}", data)
    if code != 0:
        refused += 1
        if run("store", "config", "--global", "x-a.k", "v")[0] != 2 or read() != data:
            fail(case, "a file that cannot be read was changed", data)
        continue
    if pairs != listed:
        fail(case, "store reads otherwise than git", data, pairs, listed)
    change = Change(data, pairs)
    for _ in range(8):
        case += 1
        if change.pairs and rng.random() < 0.3:
            change.unset(case)
        else:
            change.set(case)
    change.judge(case)
print(f"{case} changes to {files} files, {refused} of them refused")
