"""The targets: what a ratio may be at most, and whether it is.

Everything here is computed from the data alone, so that it can be asked again of an old file of figures.  A target of
which a part was not measured is NOT RUN; it is never passed over.
"""
import statistics

MISSING = "NOT RUN"
FLUSHES_MAX = 8
CACHE_READS = 7e9  # bytes a second, as the targets were set
ANONYMOUS_MAX = 64 << 20


class Data:
    """Medians of what was measured; None of what was not."""

    def __init__(self, data):
        self.data = data

    def median(self, table, key, work, tool):
        values = self.data.get(table, {}).get(key, {}).get(work, {}).get(tool)
        return statistics.median(values) if values else None

    def seconds(self, key, work, tool="store"):
        return self.median("seconds", key, work, tool)

    def size(self, key, tool):
        return self.median("sizes", key, "save", tool)

    def limit(self, name):
        return self.data.get("limits", {}).get(name)


class Target:
    """One line of the table: a value, and what it may be at most (at_least: at least)."""

    def __init__(self, work, against, value, bound, unit="s", at_least=False, why=None):
        self.work = work
        self.against = against
        self.value = value
        self.bound = bound
        self.unit = unit
        self.at_least = at_least
        self.why = why

    def verdict(self):
        if self.value is None or self.bound is None:
            return MISSING
        good = self.value >= self.bound if self.at_least else self.value <= self.bound
        return "PASS" if good else "MISS"

    def as_dict(self):
        return {"work": self.work, "against": self.against, "value": self.value, "bound": self.bound,
                "unit": self.unit, "at_least": self.at_least, "verdict": self.verdict()}


def times(factor, value):
    return None if value is None else factor * value


def fastest(values):
    """The fastest of them, or None where none was measured."""
    there = [value for value in values if value is not None]
    return min(there) if there else None


def text_of(factor):
    return {0.5: "1/2", 1 / 3: "1/3", 0.25: "1/4", 0.2: "1/5", 1 / 6: "1/6", 0.1: "1/10", 0.05: "1/20",
            1: "1"}.get(factor, f"{factor:g}")


def beside(d, work, key, row, factor, tool, tool_row=None):
    """At most factor times what another tool took."""
    return Target(work, f"{text_of(factor)} x {tool}", d.seconds(key, row),
                  times(factor, d.seconds(key, tool_row or row, tool)))


def of_small_files(d):
    peers = fastest([d.seconds("A", "save", tool) for tool in ("git", "restic", "borg")])
    yield Target("A add + commit", "1/6 x fastest of git, restic, borg", d.seconds("A", "save"), times(1 / 6, peers))
    yield beside(d, "A add + commit", "A", "save", 2, "tar | zstd -1")
    yield beside(d, "C status, nothing changed", "C", "status", 0.7, "git")
    yield beside(d, "C add, nothing changed", "C", "again", 0.7, "git")
    yield beside(d, "A status, nothing changed", "A", "status", 1, "git")
    yield beside(d, "A add, nothing changed", "A", "again", 1, "git")
    for key in ("A", "C"):
        yield beside(d, f"{key} restore", key, "restore", 0.8, "cp -r", "save")
        yield beside(d, f"{key} restore", key, "restore", 0.5, "restic")
    yield beside(d, "C add + commit", "C", "save", 0.25, "git")
    yield beside(d, "D all commits", "D", "save", 0.5, "git")


def of_large_files(d):
    yield beside(d, "B add + commit", "B", "save", 0.5, "cp -r")
    yield beside(d, "B add + commit", "B", "save", 1 / 3, "borg")
    yield beside(d, "B add + commit", "B", "save", 0.2, "restic")
    yield beside(d, "B add + commit", "B", "save", 0.05, "git")
    yield beside(d, "B restore, verified", "B", "restore", 0.9, "cp -r", "save")
    yield beside(d, "B restore, verified, cold", "B", "cold restore", 0.9, "cp -r", "cold save")
    speed, size = d.limit("sha256 all cores"), d.data.get("inputs", {}).get("B", {}).get("bytes")
    bound = 1.2 * (size / speed + size / CACHE_READS) + 0.1 if speed and size else None
    yield Target("B again, one byte in front", "1.2 x (SHA-256 on all cores + 7 GB/s) + 0.1 s", d.seconds("B", "shifted"),
                 bound)


def of_one_change(d):
    flush = d.limit("fsync")
    bound = None if flush is None else 0.010 + FLUSHES_MAX * flush
    for step in ("add", "commit"):
        work = f"C one file changed: {step}"
        yield Target(work, "10 ms + 8 x fsync", d.seconds("C", "change " + step), bound)
        yield beside(d, work, "C", "change " + step, 0.1, "git")
        yield Target(work, "flushes", d.median("flushes", "C", "change " + step, "store"), FLUSHES_MAX, "count")


def of_sizes(d):
    for key in "ABCD":
        yield Target(f"{key} size of packs/", "1.06 x restic", d.size(key, "store"), times(1.06, d.size(key, "restic")),
                     "bytes")
        yield Target(f"{key} size of packs/", "1 x borg", d.size(key, "store"), d.size(key, "borg"), "bytes")


def of_memory(d):
    tables = d.data.get("anonymous", {})
    peaks = [max(values) for works in tables.values() for tools in works.values() for values in tools.values()]
    yield Target("peak anonymous memory, all works", "64 MiB", max(peaks) if peaks else None, ANONYMOUS_MAX, "bytes")


def of_parts(d):
    chunker = d.data.get("chunker") or {}
    yield Target("chunker, one core", "1.5 x SHA-256 on that core", chunker.get("speed"),
                 times(1.5, chunker.get("sha256")), "bytes/s", at_least=True)
    yield Target("duplicates found by prediction", "bytes scanned", chunker.get("predicted_scanned"), 0, "bytes")
    starts = d.data.get("starts", {})
    for name, bound in (("store version", 0.003), ("store status", 0.005)):
        files = ", 10 files" if name == "store status" else ""
        yield Target(f"start-up: {name}{files}", f"{bound * 1000:g} ms", starts.get(name, {}).get("median"), bound)


def evaluate(data):
    """All targets, in the order of the table.  The reader's own folder has none."""
    d = Data(data)
    found = []
    for group in (of_small_files, of_large_files, of_one_change, of_sizes, of_memory, of_parts):
        found.extend(group(d))
    return found
