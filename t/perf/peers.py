"""The tools: how each of them keeps a folder, finds that nothing changed, and brings it back.

A tool tells the commands of its works.  A work is one row of the report:

	add, commit   store and git keep a folder in two steps; "save" is their sum, and the whole of the others
	status        what has changed
	again         keep the folder once more, with nothing changed
	restore       into an empty folder

Every command runs in the folder that is kept, but for those of "restore".  The repository of store and git lies in that
folder, where users have it; that of the others in the scratch folder.
"""
import os


class Place:
    """Where one repository comes to lie, and where its content is restored to."""

    def __init__(self, source, scratch):
        self.source = source
        self.repo = os.path.join(scratch, "repo")
        self.out = os.path.join(scratch, "out")


class Store:
    name = "store"
    command = "store"
    version = ["store", "version"]
    dot = ".store"

    def prepare(self, place):
        return [["store", "-q", "init"]]

    def save(self, place):
        return [("add", ["store", "add", "-r", "."]), ("commit", ["store", "commit", "-m", "one"])]

    def unchanged(self, place):
        return [("status", ["store", "status"]), ("again", ["store", "add", "-r", "."])]

    def restore(self, place):
        return [("restore", ["store", "checkout", "--to", place.out])]

    def change(self, place, path):
        return [("change add", ["store", "add", path]), ("change commit", ["store", "commit", "-m", "two"])]

    def kept(self, place):
        return [os.path.join(place.source, ".store", "packs")]


class Git:
    name = "git"
    command = "git"
    version = ["git", "--version"]
    dot = ".git"

    def prepare(self, place):
        return [["git", "init", "-q"]]

    def save(self, place):
        return [("add", ["git", "add", "-A"]), ("commit", ["git", "commit", "-q", "-m", "one"])]

    def unchanged(self, place):
        return [("status", ["git", "status"]), ("again", ["git", "add", "-A"])]

    def restore(self, place):
        return [("restore", ["git", "checkout-index", "-a", "-f", "--prefix=" + place.out + "/"])]

    def change(self, place, path):
        return [("change add", ["git", "add", path]), ("change commit", ["git", "commit", "-q", "-m", "two"])]

    def kept(self, place):
        return [os.path.join(place.source, ".git", "objects")]


class Restic:
    name = "restic"
    command = "restic"
    version = ["restic", "version"]
    dot = None

    def prepare(self, place):
        return [["restic", "-q", "-r", place.repo, "init"]]

    def backup(self, place):
        return ["restic", "-q", "-r", place.repo, "backup", "."]

    def save(self, place):
        return [("save", self.backup(place))]

    def unchanged(self, place):
        return [("again", self.backup(place))]

    def restore(self, place):
        return [("restore", ["restic", "-q", "-r", place.repo, "restore", "latest", "--target", place.out])]

    def kept(self, place):
        return [place.repo]


class Borg:
    name = "borg"
    command = "borg"
    version = ["borg", "--version"]
    dot = None

    def __init__(self):
        self.archives = 0

    def prepare(self, place):
        self.archives = 0
        return [["borg", "init", "-e", "none", place.repo]]

    def create(self, place):
        self.archives += 1
        return ["borg", "create", f"{place.repo}::{self.archives}", "."]

    def save(self, place):
        return [("save", self.create(place))]

    def unchanged(self, place):
        return [("again", self.create(place))]

    def restore(self, place):
        return [("restore", ["sh", "-c", 'mkdir "$1" && cd "$1" && exec borg extract "$2"', "sh", place.out,
                             place.repo + "::1"])]

    def kept(self, place):
        return [place.repo]


class Casync:
    name = "casync"
    command = "casync"
    version = ["casync", "--version"]
    dot = None

    def prepare(self, place):
        return [["mkdir", place.repo]]

    def save(self, place):
        return [("save", ["casync", "make", f"--store={place.repo}/default.castr", place.repo + "/one.caidx", "."])]

    def unchanged(self, place):
        return []

    def restore(self, place):
        return []

    def kept(self, place):
        return [place.repo]


class Copy:
    """What a copy costs is what a restore costs, too: it is measured once for both."""
    name = "cp -r"
    command = "cp"
    version = ["cp", "--version"]
    dot = None

    def prepare(self, place):
        return []

    def save(self, place):
        return [("save", ["cp", "-r", ".", place.repo])]

    def unchanged(self, place):
        return []

    def restore(self, place):
        return []

    def kept(self, place):
        return [place.repo]


class TarZstd:
    name = "tar | zstd -1"
    command = "zstd"
    version = ["zstd", "--version"]
    dot = None

    def prepare(self, place):
        return []

    def save(self, place):
        return [("save", ["sh", "-c", 'tar -cf - . | zstd -q -1 -o "$1"', "sh", place.repo])]

    def unchanged(self, place):
        return []

    def restore(self, place):
        return []

    def kept(self, place):
        return [place.repo]


ALL = [Store, Git, Restic, Borg, Casync, Copy, TarZstd]
# Of which tools an input tells something new; the rest is told by the other inputs at a fraction of the time.
TOOLS_OF = {
    "A": ["store", "git", "restic", "borg", "casync", "cp -r", "tar | zstd -1"],
    "B": ["store", "git", "restic", "borg", "casync", "cp -r", "tar | zstd -1"],
    "C": ["store", "git", "restic", "borg", "cp -r"],
    "D": ["store", "git", "restic", "borg"],
    "DIR": ["store", "git", "restic", "borg", "casync", "cp -r", "tar | zstd -1"],
}


def installed(measure):
    """The tools that are there, and what each of all tools says of its version; None of one that is not there."""
    tools, versions = [], {}
    for tool in ALL:
        versions[tool.name] = None
        if measure.find(tool.command):
            lines = measure.say(tool.version).splitlines()
            versions[tool.name] = lines[0].strip("* ") if lines else "unknown"
            tools.append(tool())
    # What a later borg understands is written otherwise.
    if versions["borg"] and not versions["borg"].startswith("borg 1."):
        tools = [tool for tool in tools if tool.name != "borg"]
        versions["borg"] = None
    return tools, versions
