"""What the machine can do at best, and what a start costs: measured in the same run as what is compared with it."""
import mmap
import os
import re
import statistics
import time

from measure import Failed, settle

BLOCK = 1 << 20


def machine():
    """What the figures were measured on."""
    model = "unknown"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = re.search(r"^model name\s*:\s*(.*)$", f.read(), re.M).group(1)
    except (OSError, AttributeError):
        pass
    system = os.uname()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory": memory,
            "kernel": f"{system.sysname} {system.release}"}


def file_system(path):
    """The type of the file system that a folder lies on."""
    best, kind = "", "unknown"
    with open("/proc/mounts", encoding="utf-8", errors="replace") as f:
        for line in f:
            _, point, name = line.split()[:3]
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, name
    return kind


def sha256_speed(measure, cores):
    """Bytes a second of the libcrypto that everybody here uses; None without openssl."""
    if not measure.find("openssl"):
        return None
    several = ["-multi", str(cores)] if cores > 1 else []
    text = measure.say(["openssl", "speed", "-mr", *several, "-seconds", "1", "-bytes", "65536", "-evp", "sha256"])
    found = re.findall(r"^\+F:\d+:sha256:([\d.]+)", text, re.M)
    if not found:
        raise Failed("openssl speed told no figure")
    return float(found[-1])


def write_speed(path, size, direct):
    """Bytes a second of writing a fresh file; None where O_DIRECT is refused."""
    buffer = mmap.mmap(-1, BLOCK)
    buffer.write(os.urandom(BLOCK))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (os.O_DIRECT if direct else 0))
    except OSError:
        return None
    try:
        begin = time.perf_counter()
        for _ in range(size // BLOCK):
            os.write(fd, buffer)
        return size / (time.perf_counter() - begin)
    except OSError:
        return None
    finally:
        os.close(fd)


def read_speed(path, size):
    buffer = bytearray(BLOCK)
    with open(path, "rb", buffering=0) as f:
        begin = time.perf_counter()
        while f.readinto(buffer):
            pass
        return size / (time.perf_counter() - begin)


def flush_time(path):
    """Seconds of one fsync after 4 KiB were added to a file, the middle one of many."""
    times = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        for _ in range(41):
            os.write(fd, b"x" * 4096)
            begin = time.perf_counter()
            os.fsync(fd)
            times.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
    return statistics.median(times)


def measure_limits(measure, scale):
    """All limits, in bytes a second, but for fsync, which is in seconds."""
    cores = len(os.sched_getaffinity(0))
    path = os.path.join(measure.scratch, "limit")
    size = max(8, round(1024 * scale)) * BLOCK
    found = {"sha256 one core": sha256_speed(measure, 1), "sha256 all cores": sha256_speed(measure, cores)}
    settle()
    found["page cache writes"] = write_speed(path, size, False)
    found["page cache reads"] = read_speed(path, size)
    os.unlink(path)
    settle()
    found["direct writes"] = write_speed(path, size, True)
    found["fsync"] = flush_time(path)
    os.unlink(path)
    return found


def start(argv, cwd, env):
    """Seconds from the start of a program to its end."""
    path = argv[0]
    null = os.open(os.devnull, os.O_RDWR)
    os.chdir(cwd)
    begin = time.perf_counter()
    child = os.posix_spawn(path, argv, env, file_actions=[
        (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - begin
    os.close(null)
    if status != 0:
        raise Failed(f"{' '.join(argv)} did not end well")
    return seconds


def measure_starts(measure, times):
    """`store version`, and `store status` where ten files are: the middle one of many starts, and the same of git."""
    folder = os.path.join(measure.scratch, "ten")
    measure.remove(folder)
    os.makedirs(folder)
    for i in range(10):
        with open(os.path.join(folder, f"file-{i}"), "w", encoding="ascii") as f:
            f.write(f"content {i}\n")
    asked = [("store version", ["store", "version"]), ("store status", ["store", "status"])]
    prepared = [["store", "-q", "init"], ["store", "-q", "add", "."], ["store", "-q", "commit", "-m", "ten"]]
    if measure.find("git"):
        asked += [("git version", ["git", "version"]), ("git status", ["git", "status"])]
        prepared += [["git", "init", "-q"], ["git", "add", "file-1"], ["git", "commit", "-q", "-m", "ten"]]
    here = os.getcwd()
    found = {name: [] for name, _ in asked}
    try:
        for argv in prepared:
            measure.say(argv, folder)
        for _ in range(times):
            for name, argv in asked:
                found[name].append(start([measure.find(argv[0]), *argv[1:]], folder, measure.env))
    finally:
        os.chdir(here)
        measure.remove(folder)
    return {name: {"median": statistics.median(all_of), "min": min(all_of), "max": max(all_of), "starts": times}
            for name, all_of in found.items()}
