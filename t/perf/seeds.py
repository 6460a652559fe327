"""The figures that the seed systems gave for themselves, each beside what this store does here.

What is told of chunking, hashing and staging of small files is told of `add`, which does all three: each alone is at
least as fast.  Figures of single parts come from `store bench`, which measures them in memory.
"""
import json
import os
import random
import subprocess
import time

import inputs
from measure import Failed, can_drop_caches, drop_caches
from runs import progress
from targets import Target

MB = 10**6
SPARSE = 50 * 10**9
SIZES = [1, 10, 100, 1000]  # MB
COUNTS = [1000, 5000, 10000, 20000]


# --- parts, from store bench ---------------------------------------------------------------------------------
def parts(measure, subject, scale):
    """What `store bench SUBJECT` measured; nothing where the command is not there."""
    try:
        text = measure.say(["store", "--json", "bench", "--size", f"{max(1, round(64 * scale))}M", "--count",
                            str(max(100, round(20000 * scale))), "--scratch", measure.scratch, subject])
    except Failed:
        return []
    found = []
    for line in text.splitlines():
        if line.startswith('{"schema":"store/bench-entry/1"'):
            found.append(json.loads(line))
    return found


def chunker(measure, scale):
    """The kernel that is used, beside SHA-256 on the same core; None without the command."""
    found = parts(measure, "chunk", scale)
    if not found:
        return None
    sha256 = [limit["value"] for limit in found[0]["limits"] if limit["name"].startswith("SHA-256")]
    predicted = [e["value"] for e in found if e["subject"] == "chunk" and "scanned" in e["name"]]
    return {"name": found[0]["name"], "speed": found[0]["value"], "sha256": sha256[0] if sha256 else None,
            "predicted_scanned": predicted[0] if predicted else None}


def value_of(found, *words):
    """The value of the first part that has all the words in its name."""
    for entry in found:
        if all(word in entry["name"] for word in words):
            return entry["value"]
    return None


# --- the whole command ---------------------------------------------------------------------------------------
class Seeds:
    def __init__(self, measure, scale):
        self.measure = measure
        self.scale = scale
        self.found = []
        self.work = os.path.join(measure.scratch, "work")

    def bound(self, source, work, value, bound, unit, at_least):
        target = Target(work, source, value, bound, unit, at_least)
        self.found.append(target.as_dict())

    def least(self, source, work, value, bound, unit):
        self.bound(source, work, value, bound, unit, True)

    def most(self, source, work, value, bound, unit):
        self.bound(source, work, value, bound, unit, False)

    def fresh(self):
        self.measure.remove(self.work)
        os.makedirs(self.work)
        self.measure.say(["store", "-q", "init", self.work])

    def file(self, name, size, chance):
        with open(os.path.join(self.work, name), "wb") as f:
            for pos in range(0, size, 1 << 20):
                f.write(chance.randbytes(min(1 << 20, size - pos)))

    def timed(self, *argv):
        return self.measure.run(["store", *argv], self.work).seconds

    def one_size(self, megabytes):
        """One file of random bytes, added in each of three repositories: the middle one counts."""
        size, speeds = max(1 << 16, round(megabytes * MB * self.scale)), []
        for run in range(3):
            self.fresh()
            self.file("file", size, random.Random(f"{megabytes} {run}"))
            speeds.append(size / self.timed("add", "file"))
        return sorted(speeds)[1]

    def large(self):
        for megabytes in SIZES:
            progress(f"seeds: a file of {megabytes} MB")
            # An add waits for the disk a fixed time, which is most of what a small file takes: there the parts tell.
            least = 500 * MB if megabytes >= 100 else None
            speed = self.one_size(megabytes)
            self.least("1.1" if megabytes >= 1000 else "1.1, sizes", f"add of a file of {megabytes} MB, durable", speed,
                       least, "bytes/s")

    def device(self):
        """Reading: what add takes from the disk beside what the disk gives."""
        if not can_drop_caches():
            self.least("1.1", "add, cold: 80 % of the device", None, None, "bytes/s")
            return
        progress("seeds: reading from the disk")
        size = max(1 << 20, round(1000 * MB * self.scale))
        self.fresh()
        self.file("file", size, random.Random("device"))
        path = os.path.join(self.work, "file")
        drop_caches()
        raw = size / self.measure.run(["dd", "if=" + path, "of=/dev/null", "bs=1M"], flush=False).seconds
        drop_caches()
        self.least("1.1", "add, cold: 80 % of the device", size / self.timed("add", "file"), 0.8 * raw, "bytes/s")

    def sparse(self):
        """A file larger than memory: it is mostly a hole, so that it needs no disk."""
        progress("seeds: a file of 50 GB, mostly a hole")
        self.fresh()
        size = round(SPARSE * self.scale)
        path = os.path.join(self.work, "file")
        self.file("file", min(size, 1 << 20), random.Random("sparse"))
        os.truncate(path, size)
        begin = time.perf_counter()
        stats = self.measure.stats(["store", "add", "file"], self.work)
        speed = size / (time.perf_counter() - begin)
        self.most("1.1", "memory of an add of 50 GB, mapped pages included", stats["peak_rss"], 100 * MB, "bytes")
        self.least("1.1, more", "add of a file of 50 GB, mostly a hole", speed, 400 * MB, "bytes/s")

    def files(self, count):
        """So many files of 1-10 KB: added, committed, added again, listed, restored."""
        progress(f"seeds: {count} small files")
        count = max(20, round(count * self.scale))
        self.fresh()
        inputs.make_a(os.path.join(self.work, "files"), count, random.Random(count))
        return count, self.timed("add", "-r", "."), self.timed("commit", "-m", "one")

    def small(self):
        for wanted in COUNTS:
            count, add, commit = self.files(wanted)
            text = f"{wanted:,} files of 1-10 KB"
            self.least("1.1", f"chunking, in the add of {text}", count / add, 10000, "files/s")
            self.least("1.1", f"hashing, in the add of {text}", count / add, 2000, "files/s")
            self.least("1.1", f"staging, in the add of {text}", count / add, 5000, "files/s")
            self.least("1.1, more", f"commit of {text}", count / commit, 1000, "files/s")
            self.least("1.1", f"add and commit of {text}", count / (add + commit), 300, "files/s")
        self.most("1.1", f"commit of {text}", commit, 30, "s")
        self.most("1.1", f"add and commit of {text}", add + commit, 60, "s")
        self.after_small(count)

    def after_small(self, count):
        """The last repository goes on: it has the most files."""
        stats = self.measure.stats(["store", "add", "-r", "."], self.work)
        self.most("1.1, more", "memory of an add of 20,000 files", stats["peak_rss"], 500 * MB, "bytes")
        self.least("1.1", "scan", count / self.timed("status"), 1000, "files/s")
        seconds = self.timed("ls", "-r")
        self.least("1.1, more", "reading a layer", count / seconds, 2000, "files/s")
        self.most("1.1, more", "simple query: log -n 1", self.timed("log", "-n", "1"), 0.100, "s")
        self.most("1.1, more", "complex query: log of one path", self.timed("log", "--", "files/d0000"), 5, "s")
        self.most("1.1, more", "statistics: info", self.timed("info"), 30, "s")
        path = os.path.join(self.work, "files")
        os.rename(path, path + "-moved")
        begin = time.perf_counter()
        stats = self.measure.stats(["store", "add", "-A"], self.work)
        seconds = time.perf_counter() - begin
        known = stats["chunks"] - stats["new_chunks"]
        self.least("1.1, more", "chunks found to be known, a second", known / seconds, 1000, "count")

    def mixed(self):
        progress("seeds: 10,000 small files and five of 100 MB; 100,000 tiny files")
        self.fresh()
        chance = random.Random("mixed")
        inputs.make_a(os.path.join(self.work, "files"), max(20, round(10000 * self.scale)), chance)
        for i in range(5):
            self.file(f"large-{i}", max(1 << 16, round(100 * MB * self.scale)), chance)
        self.most("1.1, more", "add of 10,000 small files and 5 x 100 MB", self.timed("add", "-r", "."), None, "s")
        self.fresh()
        inputs.make_c(os.path.join(self.work, "files"), max(20, round(100000 * self.scale)), chance)
        begin = time.perf_counter()
        stats = self.measure.stats(["store", "add", "-r", "."], self.work)
        self.most("1.1, more", "add of 100,000 tiny files", time.perf_counter() - begin, 300, "s")
        self.most("1.1, more", "memory of an add of 100,000 tiny files", stats["peak_rss"], 1000 * MB, "bytes")

    def alone(self):
        """Parts by themselves."""
        progress("seeds: parts")
        cut, hashed, index = (parts(self.measure, subject, self.scale) for subject in ("chunk", "hash", "index"))
        self.least("1.1", "chunking, one core", cut[0]["value"] if cut else None, 500 * MB, "bytes/s")
        self.least("1.1", "SHA-256, objects of 64 KiB, one core", value_of(hashed, "64 KiB", " 1 thread"), 1e9, "bytes/s")
        self.least("1.1, more", "SHA-256, objects of 4 KiB, one core", value_of(hashed, "4 KiB", " 1 thread"), 2e9, "bytes/s")
        self.least("1.1, more", "SHA-256, objects of 64 KiB, one core", value_of(hashed, "64 KiB", " 1 thread"), 1.5e9,
                   "bytes/s")
        several = [e for e in hashed if e["threads"] > 1]
        self.least("1.1, more", "SHA-256, all cores", value_of(several, "64 KiB"), 4e9, "bytes/s")
        self.least("1.1, more", "index: look-ups a second", value_of(index, "found"), 10000, "count")

    # --- section 3: the walker ----------------------------------------------------------------------------
    def walker(self):
        """10,000 files in 500 folders: all of them a second, memory, and how soon the first is told."""
        progress("seeds: the walker")
        self.measure.remove(self.work)
        count = max(20, round(10000 * self.scale))
        inputs.write_files(self.work, count, 20, lambda: 1500, True)
        stats = self.measure.stats(["store", "walk", "."], self.work)
        self.least("3", "walk of 10,000 files in 500 directories", count / self.timed("walk", "."), 2800, "files/s")
        self.most("3", "anonymous memory of that walk", stats["peak_anon"], 8 * MB, "bytes")
        self.most("3", "its first result", self.first_result(), 0.1, "s")
        try:
            seconds = self.timed("dupes", ".")
        except Failed:
            seconds = None
        self.least("3", "dupes of 10,000 files in 500 directories", count / seconds if seconds else None, 3200, "files/s")

    def first_result(self):
        begin = time.perf_counter()
        with subprocess.Popen(["store", "walk", "."], cwd=self.work, env=self.measure.env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as child:
            child.stdout.read(1)
            seconds = time.perf_counter() - begin
            child.stdout.read()
        return seconds


def run(measure, scale):
    """All figures, as dictionaries of a Target."""
    if not measure.find("store"):
        raise Failed("there is no store in STORE_BIN or PATH")
    seeds = Seeds(measure, scale)
    for section in (seeds.alone, seeds.large, seeds.device, seeds.sparse, seeds.small, seeds.mixed, seeds.walker):
        section()
    return {"schema": "store/make-bench-seeds/1", "scale": scale, "figures": seeds.found}
