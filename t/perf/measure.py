"""One command at a time: how long it took, how much memory it had, how often it flushed.

A command runs in an environment of its own: nothing of the caller's settings reaches it, its home is the scratch folder,
and every name and date it may ask for is there.  Before each timed command the kernel writes out what earlier ones left; where
BENCH_GENTLE is set it does not, and no cache is dropped, for whoever else works on the machine.
"""
import json
import os
import re
import shutil
import subprocess
import time

GENTLE = bool(os.environ.get("BENCH_GENTLE"))
FLUSHES = "fsync,fdatasync,syncfs,sync"


class Failed(Exception):
    """A command that did not do what was asked."""


class Result:
    """Of one command: seconds, and peak memory in bytes as the kernel tells it.

    The kernel counts the memory of whoever started the command, too, so that no figure is below that of this program."""

    def __init__(self, seconds, peak):
        self.seconds = seconds
        self.peak = peak


class Measure:
    """Runs commands in one scratch folder."""

    def __init__(self, scratch, store_bin=None):
        self.scratch = scratch
        self.home = os.path.join(scratch, "home")
        os.makedirs(self.home, exist_ok=True)
        self.errors = os.path.join(scratch, "errors")
        self.env = self.make_environment(store_bin)

    def make_environment(self, store_bin):
        path = os.environ.get("PATH", "/usr/bin:/bin")
        if store_bin:
            path = os.path.abspath(store_bin) + ":" + path
        env = {"PATH": path, "HOME": self.home, "LC_ALL": "C", "TZ": "UTC", "TMPDIR": self.scratch}
        for who in ("AUTHOR", "COMMITTER"):
            for tool in ("STORE", "GIT"):
                env[f"{tool}_{who}_NAME"] = "Bench"
                env[f"{tool}_{who}_EMAIL"] = "bench@example.com"
        # Git packs behind its own back, beside whatever is measured next: that is switched off.
        env.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_COUNT="2",
                   GIT_CONFIG_KEY_0="gc.auto", GIT_CONFIG_VALUE_0="0",
                   GIT_CONFIG_KEY_1="init.defaultBranch", GIT_CONFIG_VALUE_1="main")
        env.update(RESTIC_PASSWORD="bench", RESTIC_CACHE_DIR=os.path.join(self.home, "restic"))
        env.update(BORG_BASE_DIR=os.path.join(self.home, "borg"),
                   BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes", BORG_RELOCATED_REPO_ACCESS_IS_OK="yes")
        return env

    def find(self, name):
        return shutil.which(name, path=self.env["PATH"])

    def say(self, argv, cwd=None, ok=(0,)):
        """Run a command that is not measured; return what it printed."""
        done = subprocess.run(argv, cwd=cwd or self.scratch, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode("utf-8", "replace")
        if done.returncode not in ok:
            raise Failed(f"exit code {done.returncode} of {' '.join(argv)}: {last_line(text)}")
        return text

    def run(self, argv, cwd=None, flush=True):
        """Run a command and measure it."""
        if flush:
            settle()
        with open(self.errors, "wb") as errors:
            begin = time.perf_counter()
            child = subprocess.Popen(argv, cwd=cwd or self.scratch, env=self.env, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            with open(self.errors, "rb") as errors:
                text = errors.read().decode("utf-8", "replace")
            raise Failed(f"exit code {child.returncode} of {' '.join(argv)}: {last_line(text)}")
        return Result(seconds, usage.ru_maxrss * 1024)

    def has_strace(self):
        return self.find("strace") is not None

    def count_flushes(self, argv, cwd=None):
        """Run a command under strace; return how many times it asked the disk to write."""
        trace = os.path.join(self.scratch, "trace")
        self.run(["strace", "-f", "-qq", "--seccomp-bpf", "-o", trace, "-e", "trace=" + FLUSHES] + argv, cwd)
        with open(trace, encoding="utf-8", errors="replace") as lines:
            return sum(1 for line in lines if re.match(r"\d+ +(fsync|fdatasync|syncfs|sync)\(", line))

    def stats(self, argv, cwd=None):
        """Run a command of store with --stats; return what it counted."""
        done = subprocess.run(["store", "--json", "--stats"] + argv[1:], cwd=cwd or self.scratch, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        for line in done.stderr.decode("utf-8", "replace").splitlines():
            if line.startswith('{"schema":"store/stats/1"'):
                return json.loads(line)
        raise Failed(f"no figures of {' '.join(argv)}, exit code {done.returncode}")

    def remove(self, *paths):
        """Remove folders and files, whatever their modes."""
        paths = [p for p in paths if os.path.lexists(p)]
        if paths:
            subprocess.run(["rm", "-rf", "--"] + paths, check=False)
            for path in [p for p in paths if os.path.lexists(p)]:
                subprocess.run(["chmod", "-R", "u+rwX", path], check=False)
                subprocess.run(["rm", "-rf", "--", path], check=True)


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def settle():
    """Let the kernel write out what is dirty."""
    if not GENTLE:
        os.sync()


def can_drop_caches():
    return not GENTLE and os.access("/proc/sys/vm/drop_caches", os.W_OK)


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("3\n")


def warm(path):
    """Read all of a folder, so that it lies in the page cache."""
    buffer = bytearray(1 << 20)
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if not os.path.islink(full) and os.path.isfile(full):
                with open(full, "rb", buffering=0) as f:
                    while f.readinto(buffer):
                        pass


def tree_size(*paths):
    """Files and bytes below the folders, as their lengths add up."""
    files = total = 0
    for path in paths:
        if os.path.isfile(path):
            files, total = files + 1, total + os.path.getsize(path)
        for folder, _, names in os.walk(path):
            for name in names:
                files += 1
                total += os.lstat(os.path.join(folder, name)).st_size
    return files, total
