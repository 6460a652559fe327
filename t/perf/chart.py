"""The chart: horizontal bars, one group for each work, in SVG of our own making."""
import statistics
from xml.sax.saxutils import escape

from report import TOOLS, number

GROUPS = [
    ("A", "save", "keep"),
    ("A", "restore", "restore"),
    ("B", "save", "keep"),
    ("B", "restore", "restore"),
    ("C", "save", "keep"),
    ("C", "restore", "restore"),
    ("D", "save", "keep"),
    ("DIR", "save", "keep"),
    ("DIR", "restore", "restore"),
]
COLOURS = {"store": "#0b6e4f", "git": "#b0562a", "restic": "#56789a", "borg": "#8a6d9b", "casync": "#9a9a5b",
           "cp -r": "#999999", "tar | zstd -1": "#bbbbbb"}
WIDTH, LEFT, RIGHT, BAR, GAP = 760, 130, 110, 16, 30
STYLE = ("text{font-family:sans-serif;font-size:12px;fill:#222}.t{font-weight:bold}.n{fill:#555}"
         "@media(prefers-color-scheme:dark){text{fill:#ddd}.n{fill:#aaa}}")


def bars_of(data, key, work):
    """Pairs of a tool and its median; a copy is what a restore is compared with, too."""
    works = data["seconds"].get(key, {})
    bars = []
    for tool in TOOLS:
        values = works.get(work, {}).get(tool)
        if work == "restore" and tool == "cp -r":
            values = works.get("save", {}).get(tool)
        if values:
            bars.append((tool, statistics.median(values)))
    return bars


def group(data, key, work, text, y):
    """The lines of one group, and where the next one begins."""
    bars = bars_of(data, key, work)
    longest = max(value for _, value in bars) or 1
    ours = dict(bars).get("store")
    lines = [f'<text class="t" x="8" y="{y}">{escape(key)}: {text} {escape(data["inputs"][key]["title"])}</text>']
    y += 8
    for tool, value in bars:
        length = max(1, round((WIDTH - LEFT - RIGHT) * value / longest))
        ratio = f" ({value / ours:.1f} x)" if ours and tool != "store" else ""
        lines.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(tool)}</text>')
        lines.append(f'<rect x="{LEFT}" y="{y + 1}" width="{length}" height="{BAR - 3}" fill="{COLOURS[tool]}"/>')
        lines.append(f'<text class="n" x="{LEFT + length + 6}" y="{y + 12}">{number(value)} s{ratio}</text>')
        y += BAR
    return lines, y + GAP


def svg(data):
    """The text of the chart: well formed by itself, and readable on light and dark ground."""
    lines, y = [], 24
    for key, work, text in GROUPS:
        if key in data["inputs"] and any(tool == "store" for tool, _ in bars_of(data, key, work)):
            part, y = group(data, key, work, text, y)
            lines += part
    machine = data["machine"]
    foot = f"medians of {data['runs']} runs, shorter is better; {machine['cpu']}, {machine['cores']} cores, {data['date']}"
    if data["scale"] != 1:
        foot += f"; scale {data['scale']:g}"
    lines.append(f'<text class="n" x="8" y="{y}">{escape(foot)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 16}" width="{WIDTH}" height="{y + 16}" '
            f'role="img" aria-label="seconds of store and of other tools">\n<style>{STYLE}</style>\n'
            + "\n".join(lines) + "\n</svg>\n")
