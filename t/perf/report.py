"""The tables, from the data alone."""
import statistics

from targets import MISSING, evaluate

WORKS = [
    ("save", "add + commit"),
    ("add", "  add"),
    ("commit", "  commit"),
    ("status", "status, nothing changed"),
    ("again", "add again, nothing changed"),
    ("restore", "restore"),
    ("shifted", "again, one byte in front"),
    ("change add", "one file changed: add"),
    ("change commit", "one file changed: commit"),
    ("cold save", "cold: add + commit"),
    ("cold restore", "cold: restore"),
]
TOOLS = ["store", "git", "restic", "borg", "casync", "cp -r", "tar | zstd -1"]


def median_of(data, table, key, work, tool):
    values = data.get(table, {}).get(key, {}).get(work, {}).get(tool)
    return statistics.median(values) if values else None


def number(value, digits=3):
    """Three digits that mean something, and no more than three behind the point."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.{digits}f}"


def amount(value, unit):
    """A value of a target in the unit that is read most easily."""
    if value is None:
        return "-"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 0.1 else f"{number(value)} s"
    if unit == "bytes":
        return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value:,.0f} B"
    if unit == "bytes/s":
        return f"{value / 1e6:,.0f} MB/s"
    if unit == "files/s":
        return f"{value:,.0f} files/s"
    return f"{value:,.0f}"


def head(data):
    m = data["machine"]
    yield f"store, measured {data['date']}: {data['runs']} runs, interleaved; medians of seconds, warm unless said otherwise"
    if data["scale"] != 1:
        yield f"THE INPUTS ARE SMALLER THAN THE TARGETS SPEAK OF: scale {data['scale']:g}"
    yield (f"machine: {m['cpu']}, {m['cores']} cores, {m['memory'] / 2**30:.0f} GiB, {m['kernel']}, "
           f"{data.get('file_system', 'unknown')}")
    yield ""
    yield "versions"
    for tool in TOOLS:
        version = data["versions"].get(tool)
        yield f"  {tool:<14} {version if version else 'not installed: ' + MISSING}"


def limits(data):
    yield "limits of this machine, in the same run"
    for name, value in data.get("limits", {}).items():
        shown = amount(value, "s" if name == "fsync" else "bytes/s") if value is not None else MISSING
        yield f"  {name:<24} {shown:>12}"
    for name, start in data.get("starts", {}).items():
        yield (f"  {name:<24} {amount(start['median'], 's'):>12}   ({amount(start['min'], 's')} to "
               f"{amount(start['max'], 's')} in {start['starts']} starts)")


def overview(data):
    """One line for each work and one column for each tool: medians of seconds, then MB."""
    yield f"{'work':<46}" + "".join(f"{tool:>14}" for tool in TOOLS)
    for key, made in data["inputs"].items():
        yield f"{key}. {made['title']}"
        for work, text in WORKS:
            tools = data["seconds"].get(key, {}).get(work, {})
            if tools and work not in ("add", "commit"):
                yield f"  {text:<44}" + "".join(f"{number(median_of(data, 'seconds', key, work, t)):>14}" for t in TOOLS)
        sizes = [median_of(data, "sizes", key, "save", tool) for tool in TOOLS]
        if any(size is not None for size in sizes):
            yield f"  {'size in MB':<44}" + "".join(f"{number(s / 1e6 if s is not None else None):>14}" for s in sizes)
        peaks = [peak_of(data, key, tool) for tool in TOOLS]
        if any(peak is not None for peak in peaks):
            yield f"  {'peak memory in MB':<44}" + "".join(f"{number(p / 1e6 if p else None):>14}" for p in peaks)
    yield "peak memory: of the largest process, mapped pages included; never below what the measuring program takes"


def peak_of(data, key, tool):
    peaks = [max(tools[tool]) for tools in data.get("peak", {}).get(key, {}).values() if tool in tools]
    return max(peaks) if peaks else None


def details(data):
    """Spread, ratio and flushes of every work of every tool."""
    for key, made in data["inputs"].items():
        yield f"{key}. {made['title']}"
        yield (f"  {'work':<28}{'tool':<15}{'median':>9}{'min':>9}{'max':>9}{'runs':>6}{'x store':>9}"
               f"{'flushes':>9}")
        for work, text in WORKS:
            for tool in TOOLS:
                values = data["seconds"].get(key, {}).get(work, {}).get(tool)
                if not values:
                    continue
                ours = median_of(data, "seconds", key, work, "store")
                middle = statistics.median(values)
                ratio = f"{middle / ours:.2f}" if ours else "-"
                flushes = flushes_of(data, key, work, tool)
                yield (f"  {text.strip():<28}{tool:<15}{number(middle):>9}{number(min(values)):>9}"
                       f"{number(max(values)):>9}{len(values):>6}{ratio:>9}"
                       f"{'-' if flushes is None else format(flushes, ','):>9}")
        yield ""


def flushes_of(data, key, work, tool):
    """How often a tool flushed; of a save in two steps, both."""
    works = data.get("flushes", {}).get(key, {})
    if work == "save" and tool not in works.get("save", {}):
        parts = [works.get(part, {}).get(tool) for part in ("add", "commit")]
        return sum(part[-1] for part in parts) if all(parts) else None
    counts = works.get(work, {}).get(tool)
    return counts[-1] if counts else None


def verdicts(found):
    """The targets, and how many of each verdict."""
    yield f"{'target':<36}{'measured':>14}  {'may be at':>10} {'bound':>14}  verdict  what bounds it"
    counts = {"PASS": 0, "MISS": 0, MISSING: 0}
    for target in found:
        counts[target["verdict"]] += 1
        most = "least" if target["at_least"] else "most"
        yield (f"{target['work']:<36}{amount(target['value'], target['unit']):>14}  {most:>10} "
               f"{amount(target['bound'], target['unit']):>14}  {target['verdict']:<7}  {target['against']}")
    yield ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def not_run(data):
    if data["not_run"]:
        yield "not run"
        for entry in data["not_run"]:
            yield f"  {entry['what']}: {entry['why']}"


def text(data):
    """The whole report."""
    parts = [head(data), overview(data), details(data)]
    if data["limits"]:
        parts.insert(1, limits(data))
    if data["targets"]:
        parts.append(verdicts([target.as_dict() for target in evaluate(data)]))
    parts.append(not_run(data))
    return "\n".join("\n".join(part) + "\n" for part in parts)


def seeds(figures):
    """The seed figures, each beside its bound."""
    if figures["scale"] != 1:
        yield f"THE INPUTS ARE SMALLER THAN THE FIGURES SPEAK OF: scale {figures['scale']:g}"
    yield f"{'seed':<11}{'figure':<52}{'measured':>16}  {'may be at':>9}{'bound':>16}  verdict"
    counts = {"PASS": 0, "MISS": 0, MISSING: 0, "told": 0}
    for figure in figures["figures"]:
        verdict = figure["verdict"]
        if figure["bound"] is None and figure["value"] is not None:
            verdict = "told"
        counts[verdict] += 1
        yield (f"{figure['against']:<11}{figure['work']:<52}{amount(figure['value'], figure['unit']):>16}  "
               f"{'least' if figure['at_least'] else 'most':>9}{amount(figure['bound'], figure['unit']):>16}  {verdict}")
    yield ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    yield "told: the seeds name the size and no bound for it"
