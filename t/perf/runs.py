"""Who runs when: every tool in turn, as often as asked, each time into a fresh repository.

A session is all that one tool does with one input in one run; the tool that begins is another one in every run.  Each
session ends with its repository removed, and with the input as it was.
"""
import os
import sys

from measure import Failed, can_drop_caches, drop_caches, tree_size, warm
from peers import TOOLS_OF, Place

LONG_RUNS = 3  # of a peer whose session takes longer than the limit
COLD_RUNS = 3


class Bench:
    """Collects what was measured in `data`, which is what the report is made of."""

    def __init__(self, measure, tools, runs, long_limit, data):
        self.measure = measure
        self.tools = tools
        self.runs = runs
        self.long_limit = long_limit
        self.data = data
        self.broken = set()  # (input, tool)

    # --- what goes into the data -------------------------------------------------------------------------
    def note(self, table, key, work, tool, value):
        self.data[table].setdefault(key, {}).setdefault(work, {}).setdefault(tool, []).append(value)

    def not_run(self, what, why):
        if {"what": what, "why": why} not in self.data["not_run"]:
            self.data["not_run"].append({"what": what, "why": why})
        progress(f"{what}: NOT RUN: {why}")

    # --- the parts of a session --------------------------------------------------------------------------
    def clean(self, place):
        self.measure.remove(place.repo, place.out, os.path.join(place.source, ".store"),
                            os.path.join(place.source, ".git"), *self.measure_home())

    def measure_home(self):
        home = self.measure.home
        return [os.path.join(home, name) for name in os.listdir(home)]

    def prepare(self, tool, place):
        for argv in tool.prepare(place):
            self.measure.say(argv, place.source)

    def steps(self, key, tool, steps, place, prefix=""):
        """Run and measure some steps; return the seconds of all."""
        total = 0
        for work, argv in steps:
            result = self.measure.run(argv, place.source)
            self.note("seconds", key, prefix + work, tool.name, result.seconds)
            self.note("peak", key, prefix + work, tool.name, result.peak)
            total += result.seconds
        return total

    def save(self, key, tool, place):
        steps = tool.save(place)
        total = self.steps(key, tool, steps, place)
        if [work for work, _ in steps] != ["save"]:
            self.note("seconds", key, "save", tool.name, total)
        return total

    def compare(self, tool, made):
        """Is what was restored what was kept?  Asked of store, once."""
        self.measure.say(["diff", "-r", "-q", "--no-dereference", "--exclude=.store", "--exclude=.git", made.path, self.place(made).out])

    def place(self, made, path=None):
        return Place(path or made.path, self.measure.scratch)

    # --- sessions ----------------------------------------------------------------------------------------
    def session(self, tool, made, is_first):
        """All that one tool does with A, B, C or a reader's folder; return the seconds it took."""
        key, place = made.key, self.place(made)
        self.prepare(tool, place)
        total = self.save(key, tool, place)
        _, size = tree_size(*tool.kept(place))
        self.note("sizes", key, "save", tool.name, size)
        # Of C and borg only the size is asked for.
        if key == "C" and tool.name == "borg":
            return total
        total += self.steps(key, tool, tool.unchanged(place), place)
        total += self.steps(key, tool, tool.restore(place), place)
        if tool.name == "store" and is_first:
            self.compare(tool, made)
        if key == "C" and tool.dot:
            self.change_one(tool, made, place)
        if made.shifted and tool.name == "store":
            self.shifted(tool, made)
        return total

    def change_one(self, tool, made, place, count=False):
        """One file of all is changed, kept and put back as it was."""
        folder = sorted(n for n in os.listdir(made.path) if n.startswith("d"))[-1]
        path = os.path.join(folder, sorted(os.listdir(os.path.join(made.path, folder)))[0])
        full = os.path.join(made.path, path)
        before = os.stat(full)
        with open(full, "ab") as f:
            f.write(b"changed\n")
        try:
            if count:
                self.count(made.key, tool, tool.change(place, path), place)
            else:
                self.steps(made.key, tool, tool.change(place, path), place)
        finally:
            os.truncate(full, before.st_size)
            os.utime(full, ns=(before.st_atime_ns, before.st_mtime_ns))

    def shifted(self, tool, made):
        """The repository goes on in the folder where every file has one byte more at its front."""
        moved = os.path.join(made.shifted, tool.dot)
        self.measure.remove(moved)
        warm(made.shifted)
        os.rename(os.path.join(made.path, tool.dot), moved)
        try:
            place = self.place(made, made.shifted)
            steps = [("add", ["store", "add", "-r", "."]), ("commit", ["store", "commit", "-m", "shifted"])]
            total = self.steps(made.key, tool, steps, place, "shifted ")
            self.note("seconds", made.key, "shifted", tool.name, total)
        finally:
            self.measure.remove(moved)

    def session_of_releases(self, tool, made):
        """Each release is a folder of its own: a repository inside goes from one to the next."""
        total, last = 0, None
        for path in made.releases:
            place = self.place(made, path)
            if last is None:
                self.prepare(tool, place)
            elif tool.dot:
                os.rename(os.path.join(last, tool.dot), os.path.join(path, tool.dot))
            last = path
            for _, argv in tool.save(place):
                result = self.measure.run(argv, path, flush=False)
                total += result.seconds
                self.note("peak", made.key, "save", tool.name, result.peak)
        self.note("seconds", made.key, "save", tool.name, total)
        _, size = tree_size(*tool.kept(self.place(made, last)))
        self.note("sizes", made.key, "save", tool.name, size)
        return total

    def run_once(self, tool, made, is_first):
        for path in made.releases or [made.path]:
            self.clean(self.place(made, path))
        try:
            warm(made.path)
            if made.releases:
                return self.session_of_releases(tool, made)
            return self.session(tool, made, is_first)
        finally:
            for path in made.releases or [made.path]:
                self.clean(self.place(made, path))

    def run_all(self, made):
        """All runs of all tools with one input."""
        names = TOOLS_OF[made.key]
        tools = [tool for tool in self.tools if tool.name in names]
        wanted = {tool.name: self.runs for tool in tools}
        for run in range(self.runs):
            turn = run % len(tools)
            for tool in tools[turn:] + tools[:turn]:
                if run >= wanted[tool.name] or (made.key, tool.name) in self.broken:
                    continue
                progress(f"{made.key}: run {run + 1} of {wanted[tool.name]}: {tool.name}")
                try:
                    seconds = self.run_once(tool, made, run == 0)
                except Failed as e:
                    if tool.name == "store":
                        raise
                    self.broken.add((made.key, tool.name))
                    self.not_run(f"{made.key}, {tool.name}", str(e))
                    continue
                if tool.name != "store" and seconds > self.long_limit:
                    wanted[tool.name] = min(self.runs, LONG_RUNS)
        self.count_all(made, tools)
        self.cold_all(made, tools)

    # --- flushes and memory, not timed -------------------------------------------------------------------
    def count(self, key, tool, steps, place):
        for work, argv in steps:
            self.note("flushes", key, work, tool.name, self.measure.count_flushes(argv, place.source))

    def count_all(self, made, tools):
        """How often each tool flushes, and what store itself says of its memory."""
        if not self.measure.has_strace():
            self.not_run(f"{made.key}, flushes", "strace is not installed")
            return
        counted = {"A": TOOLS_OF["A"], "DIR": TOOLS_OF["DIR"], "C": ["store", "git"]}.get(made.key, ["store"])
        for tool in [tool for tool in tools if tool.name in counted and (made.key, tool.name) not in self.broken]:
            progress(f"{made.key}: flushes of {tool.name}")
            place = self.place(made, made.releases[0] if made.releases else None)
            self.clean(place)
            try:
                self.prepare(tool, place)
                self.count(made.key, tool, tool.save(place), place)
                if made.key == "C":
                    self.change_one(tool, made, place, count=True)
                if tool.name == "store":
                    self.memory_of_store(made, tool, place)
            except Failed as e:
                self.not_run(f"{made.key}, flushes of {tool.name}", str(e))
            finally:
                self.clean(place)

    def memory_of_store(self, made, tool, place):
        self.clean(place)
        self.prepare(tool, place)
        for work, argv in tool.save(place) + tool.unchanged(place) + tool.restore(place):
            self.note("anonymous", made.key, work, tool.name, self.measure.stats(argv, place.source)["peak_anon"])

    # --- with nothing in the page cache ------------------------------------------------------------------
    def cold_all(self, made, tools):
        if made.releases:
            return
        if not can_drop_caches():
            self.not_run(f"{made.key}, cold", "/proc/sys/vm/drop_caches is not writable, or BENCH_GENTLE is set")
            return
        place = self.place(made)
        for run in range(min(COLD_RUNS, self.runs)):
            for tool in [tool for tool in tools if tool.name in ("store", "cp -r")]:
                progress(f"{made.key}: cold run {run + 1} of {min(COLD_RUNS, self.runs)}: {tool.name}")
                self.clean(place)
                try:
                    self.cold(made.key, tool, place)
                finally:
                    self.clean(place)

    def cold(self, key, tool, place):
        """Saving and restoring, and in the time of cp -r and of restoring the writing to the disk."""
        self.prepare(tool, place)
        total = 0
        for _, argv in tool.save(place):
            drop_caches()
            if tool.name == "cp -r":
                argv = and_sync(argv)
            total += self.measure.run(argv, place.source).seconds
        self.note("seconds", key, "cold save", tool.name, total)
        for _, argv in tool.restore(place):
            drop_caches()
            self.note("seconds", key, "cold restore", tool.name, self.measure.run(and_sync(argv), place.source).seconds)


def and_sync(argv):
    return ["sh", "-c", '"$@" && sync', "sh"] + argv


def progress(text):
    print("bench: " + text, file=sys.stderr, flush=True)
