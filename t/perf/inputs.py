"""What is stored: four inputs, made once from the machine's own files, and kept in the cache folder.

	A   many small text files
	B   one large file, half of it random and half of it programs; and the same again with a byte in front
	C   very many tiny files in many folders
	D   releases of one source tree, which `make bench-peers` brings

The choice of pieces is seeded: two runs on one machine store the same bytes.
"""
import json
import os
import random
import shutil
import subprocess
import tarfile

from measure import Failed, tree_size

MAKER = 1  # of another number: made anew
TEXT_ROOTS = ["/usr/share", "/usr/include", "/usr/lib"]
PROGRAM_ROOTS = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local"]
# The npm command line is a tree of two thousand source files, and all of its releases are to be had.
RELEASED = "npm"
RELEASES = """
8.16.0 8.17.0 8.18.0 8.19.0 8.19.1 8.19.2 8.19.3 9.0.0 9.0.1 9.1.0 9.1.1 9.1.2 9.1.3 9.2.0 9.3.0 9.3.1 9.4.0 9.4.1 9.4.2 9.5.0 9.5.1
9.6.0 9.6.1 9.6.2 9.6.3 9.6.4 9.6.5 9.6.6 9.6.7 9.7.0 9.7.1 9.7.2 9.8.0 9.8.1 9.9.0 9.9.1 10.0.0 10.1.0 10.2.0 10.2.1 10.2.2 10.2.3
10.2.4 10.2.5 10.3.0 10.4.0 10.5.0 10.5.1 10.5.2 10.6.0 10.7.0 10.8.0 10.8.1 10.8.2 10.8.3 10.9.0 10.9.1 10.9.2 10.9.3 10.9.4 10.9.5
10.9.6 10.9.7
""".split()


class Input:
    """A folder that is stored, or several in turn."""

    def __init__(self, key, path, title, files, size):
        self.key = key
        self.path = path
        self.title = title
        self.files = files
        self.bytes = size
        self.shifted = None  # the same with one byte in front of each file
        self.releases = []

    def describe(self):
        return {"title": self.title, "files": self.files, "bytes": self.bytes, "releases": len(self.releases)}


def files_below(roots):
    """Regular files, in the order of their names."""
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not os.path.islink(path) and os.path.isfile(path):
                    yield path


def text_of_machine():
    """The bytes of the machine's text files, without end: the second time round they begin elsewhere."""
    round_number = 0
    while True:
        found = False
        for path in files_below(TEXT_ROOTS):
            try:
                with open(path, "rb") as f:
                    data = f.read(1 << 20)
            except OSError:
                continue
            if b"\0" not in data[:8000] and len(data) > 64 and not path.endswith((".gz", ".xz")):
                found = True
                yield data[round_number * 37 % len(data):]
        if not found:
            raise Failed("there is no text below " + " ".join(TEXT_ROOTS))
        round_number += 1


class Pieces:
    """Cuts text into pieces of asked lengths."""

    def __init__(self):
        self.source = text_of_machine()
        self.text, self.pos = b"", 0

    def take(self, length):
        while len(self.text) - self.pos < length:
            self.text, self.pos = self.text[self.pos:] + next(self.source), 0
        self.pos += length
        return self.text[self.pos - length:self.pos]


def write_files(path, count, per_folder, length_of, numbered):
    pieces = Pieces()
    for i in range(count):
        folder = os.path.join(path, f"d{i // per_folder:04d}")
        if i % per_folder == 0:
            os.makedirs(folder)
        head = b"%d " % i if numbered else b""
        with open(os.path.join(folder, f"file-{i}.txt"), "wb") as f:
            f.write(head + pieces.take(length_of() - len(head)))


def make_a(path, count, chance):
    write_files(path, count, 100, lambda: chance.randint(1024, 10240), False)


def make_c(path, count, chance):
    write_files(path, count, 100, lambda: chance.randint(60, 80), True)


def programs(limit):
    """Paths of programs and libraries, until their bytes reach the limit."""
    total = 0
    for path in files_below(PROGRAM_ROOTS):
        try:
            with open(path, "rb") as f:
                is_program = f.read(4) == b"\x7fELF"
        except OSError:
            continue
        if is_program:
            yield path
            total += os.path.getsize(path)
            if total >= limit:
                return


class RandomFile:
    """A file of random bytes, as tarfile reads it."""

    def __init__(self, chance):
        self.chance = chance

    def read(self, length):
        return self.chance.randbytes(length)


def make_b(path, unit, chance):
    with tarfile.open(os.path.join(path, "data.tar"), "w") as tar:
        head = tarfile.TarInfo("random")
        head.size = unit
        tar.addfile(head, RandomFile(chance))
        for program in programs(unit * 10**9 // 2**30):
            tar.add(program, recursive=False)


def shift(path, shifted):
    """The same files with one byte more at the front."""
    os.makedirs(shifted)
    for name in os.listdir(path):
        with open(os.path.join(path, name), "rb") as old, open(os.path.join(shifted, name), "wb") as new:
            new.write(b"+")
            shutil.copyfileobj(old, new, 1 << 20)


def cached(cache, key, amount, make):
    """The folder of an input, made if it is not there; it is whole or absent."""
    name = f"{key}-{amount}"
    path, note = os.path.join(cache, name), os.path.join(cache, name + ".json")
    try:
        with open(note, encoding="utf-8") as f:
            known = json.load(f)
        if known["maker"] == MAKER and os.path.isdir(path):
            return path, known["files"], known["bytes"]
    except (OSError, ValueError, KeyError):
        pass
    part = path + ".part"
    for old in (path, part, path + ".shifted"):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(part)
    make(part, amount, random.Random(f"{key} {amount}"))
    os.rename(part, path)
    files, size = tree_size(path)
    with open(note, "w", encoding="utf-8") as f:
        json.dump({"maker": MAKER, "files": files, "bytes": size}, f)
    return path, files, size


def megabytes(size):
    return f"{size / 1e6:,.0f} MB" if size >= 10e6 else f"{size / 1e6:,.1f} MB"


def get_a(cache, scale):
    path, files, size = cached(cache, "A", max(20, round(20000 * scale)), make_a)
    return Input("A", path, f"{files:,} files of 1-10 KB ({megabytes(size)})", files, size)


def get_b(cache, scale):
    unit = max(1 << 18, round(2**30 * scale))
    path, files, size = cached(cache, "B", unit, make_b)
    title = f"{megabytes(unit)} random + {megabytes(size - unit)} of real binaries in one tar"
    made = Input("B", path, title, files, size)
    made.shifted = path + ".shifted"
    if not os.path.isdir(made.shifted):
        shutil.rmtree(made.shifted + ".part", ignore_errors=True)
        shift(path, made.shifted + ".part")
        os.rename(made.shifted + ".part", made.shifted)
    return made


def get_c(cache, scale):
    path, files, size = cached(cache, "C", max(40, round(200000 * scale)), make_c)
    title = f"{files:,} files of 60-80 bytes in {-(-files // 100):,} directories"
    return Input("C", path, title, files, size)


def get_d(cache, scale):
    top = os.path.join(cache, "D")
    names = sorted(n for n in (os.listdir(top) if os.path.isdir(top) else []) if n[:3].isdigit())
    names = names[:max(2, round(len(RELEASES) * scale))]
    if len(names) < 2:
        raise Failed("there are no releases of a source tree: make bench-peers brings them")
    paths = [os.path.join(top, name) for name in names]
    files, size = tree_size(*paths)
    title = f"{len(paths)} releases of a source tree ({megabytes(size)} in all), one commit each"
    made = Input("D", top, title, files, size)
    made.releases = paths
    return made


def bring_d(cache, scale, find):
    """Fetch the releases of D with the client of their registry, and unpack each."""
    if not find("npm"):
        raise Failed("there is no npm to fetch the releases of D with")
    top = os.path.join(cache, "D")
    os.makedirs(top, exist_ok=True)
    for i, version in enumerate(RELEASES[:max(2, round(len(RELEASES) * scale))], 1):
        path = os.path.join(top, f"{i:03d}-{version}")
        if os.path.isdir(path):
            continue
        part = os.path.join(top, "part")
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        subprocess.run(["npm", "pack", "--silent", f"{RELEASED}@{version}"], cwd=part, check=True,
                       stdout=subprocess.DEVNULL)
        archive = os.listdir(part)[0]
        subprocess.run(["tar", "xzf", archive], cwd=part, check=True)
        os.rename(os.path.join(part, "package"), path)
        shutil.rmtree(part)


MAKERS = {"A": get_a, "B": get_b, "C": get_c, "D": get_d}
