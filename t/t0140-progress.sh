#!/bin/sh
# Progress on a terminal: what it shows, how often, how wide; and silence everywhere else.  The work is slowed down by a
# fault point that waits, so that nothing depends on how fast the machine is, and all cases run at once.
. "$(dirname "$0")/test-lib.sh"
STORE_TEST_FSYNC=0 STORE_PAGER=cat PYTHONPATH=$SRC_ROOT/t PYTHONDONTWRITEBYTECODE=1
export STORE_TEST_FSYNC STORE_PAGER PYTHONPATH PYTHONDONTWRITEBYTECODE

cat >cases.py <<'EOF'
# Runs every case on a terminal of its own, in a repository of its own if it changes it; writes cases.pickle.
import os, pickle, shlex, shutil, subprocess, threading, terminal

SIZES = {'one': 9, 'two': 6}

def make(place):
    subprocess.run(['store', 'init', '-q', place], check=True)
    for name in SIZES:
        # A link counts as a change of the file, so there is none to the one that is to change once only.
        (shutil.copy if place == 'again' else os.link)(name, place + '/' + name)
    os.mkfifo(place + '/fifo')

for name, size in (*SIZES.items(), ('mib', 1)):
    with open(name, 'wb') as f:
        f.write(os.urandom(size << 20))
make('done')
# Directories of like files: what has been walked tells of what has not.
subprocess.run(['store', 'init', '-q', 'early'], check=True)
for d in range(3):
    os.mkdir('early/d%d' % d)
    for f in range(4):
        os.link('mib', 'early/d%d/%d' % (d, f))
subprocess.run('store add -q . && store commit -q -m all', shell=True, cwd='done', check=True)
# A commit that switch and diff have something to do from, and files whose attributes cannot tell in a copy.
os.mkdir('small')
for name, size in ('one', 3), ('two', 1):
    with open('small/' + name, 'wb') as f:
        f.write(os.urandom(size << 19))
subprocess.run('store init -q . && store commit -q --allow-empty -m none && store branch -q less && store add -q . && store commit -q -m all',
               shell=True, cwd='small', check=True)
os.mkdir('many')
for n in range(40):
    os.mkdir('many/%d' % n)
    with open('many/%d/f' % n, 'w') as f:
        f.write(str(n))
subprocess.run('store init -q . && store add -q .', shell=True, cwd='many', check=True)

def narrow(fd, run):
    # After the third line the window is made narrower.
    if len(terminal.frames(run.out)) == 3:
        terminal.resize(fd, 24)

def again(fd, run):
    # The second file changes while it is read, so it is read once more.
    if b'/2 files, 12' in run.out and not os.path.exists('again.touched'):
        os.chmod('again/two', 0o600)
        open('again.touched', 'w').close()

READ = 'ingest.read:1+:250ms'
ADD = ['store', '--threads', '1', 'add', 'one', 'two']
CASES = {
    'add': (None, READ, ADD, {}),
    'threads': (None, READ, ['store', '--threads', '3', 'add', 'one', 'two'], {}),
    'checkout': ('done', 'pack.read:1+:100ms', ['store', '--threads', '1', 'checkout', '--to', '../out', 'HEAD'], {}),
    'fsck': ('done', 'read:1+:16ms', ['store', '--threads', '1', 'fsck'], {}),
    'commit -a': ('small', 'ingest.read:1+:1200ms', ['sh', '-c', 'echo x >>one && store --threads 1 commit -a -m more'], {}),
    'commit': ('many', 'malloc:1+:4ms', ['store', 'commit', '-m', 'many'], {}),
    'switch': ('small', 'pack.read:1+:200ms', ['sh', '-c', 'store switch -q less && store --threads 1 switch main'], {}),
    'reset': ('small', 'pack.read:1+:200ms', ['sh', '-c', 'rm one two && store --threads 1 reset --hard'], {}),
    'reset, mixed': ('small', 'compare.read:1+:100ms', ['store', '--threads', '1', 'reset'], {}),
    'restore': ('small', 'pack.read:1+:200ms', ['sh', '-c', 'rm one two && store --threads 1 restore .'], {}),
    'status': ('small', 'compare.read:1+:100ms', ['store', '--threads', '1', 'status'], {}),
    'rm': ('small', 'compare.read:1+:100ms', ['store', '--threads', '1', 'rm', 'one', 'two'], {}),
    'put': ('small', 'pack.write:1+:400ms', ['sh', '-c', 'store --threads 1 put three <../one'], {}),
    'cat -o': ('small', 'pack.read:1+:200ms', ['store', '--threads', '1', 'cat', '-o', 'written', 'one', 'two'], {}),
    'rebuild': ('small', 'read:1+:50ms', ['store', '--threads', '1', 'fsck', '--rebuild'], {}),
    'walk': ('many', 'getdents:1+:40ms', ['store', 'walk', '--threads', '1', '-o', '../walked', '.'], {}),
    'dupes': ('many', 'getdents:1+:40ms', ['store', 'dupes', '--threads', '1', '-o', '../dupes', '.'], {}),
    'bench': ('many', 'getdents:1+:100ms', ['sh', '-c', 'store bench --count 500 --size 1K walk >../bench.out'], {}),
    'diff': ('small', 'pack.read:1+:400ms', ['store', '--threads', '1', 'diff', '--stat', 'less', 'main'], {}),
    'cat': ('done', 'pack.read:1+:25ms', ['sh', '-c', 'store cat one two >../cat.out'], {}),
    'narrow': (None, READ, ADD, {'columns': 50, 'on_output': narrow}),
    'again': (None, READ, ADD, {'on_output': again}),
    'early': ('early', READ, ['store', '--threads', '1', 'add', '.'], {}),
    'notice': (None, READ, ['store', '--threads', '1', '-v', 'add', 'one', 'fifo', 'two'], {}),
    'background': (None, READ, ['sh', '-mc', 'store --threads 1 add one two & wait'], {}),
    'quiet': (None, READ, ADD[:1] + ['-q'] + ADD[1:], {}),
    'no-progress': (None, READ, ADD + ['--no-progress'], {}),
    'json': (None, READ, ADD + ['--json'], {}),
    'pipe': (None, READ, ['sh', '-c', 'store --threads 1 add one two 2>err; cat err'], {}),
}
# Each of these draws, and must be silent when it is told so and in a pipe: three twins, slowed down in the same way; one of
# them in turn where the sanitizers look.  They run when the others have ended, whose time counts.
TWINS = []
SMALLER = {'checkout': 'pack.read:1+:200ms', 'cat': 'pack.read:1+:200ms', 'fsck': 'read:1+:50ms'}
for name in ('checkout', 'fsck', 'commit -a', 'commit', 'switch', 'reset', 'reset, mixed', 'restore', 'status', 'rm', 'put', 'cat -o',
             'rebuild', 'walk', 'dupes', 'bench', 'cat'):
    source, fault, argv, options = CASES[name]
    if name in SMALLER:
        source, fault = 'small', SMALLER[name]
    script = argv[2] if argv[0] == 'sh' else shlex.join(argv)
    before, words = script.rsplit('store ', 1)
    ways = [('-q', '-q ', ''), ('--no-progress', '--no-progress ', ''), ('pipe', '', ' 2>err; e=$?; cat err; exit $e')]
    if os.environ.get('STORE_TEST_LIGHT'):
        ways = [ways[len(TWINS) % 3]]
    for how, option, behind in ways:
        twin = '%s, %s' % (name, how)
        script = (before + 'store ' + option + words).replace('../out', '../out%d' % len(CASES))
        CASES[twin] = (source, fault, ['sh', '-c', script + behind], options)
        TWINS.append(twin)
for place in 'small', 'many':
    os.unlink(place + '/.store/ballast') # the largest file to copy
results = {}

def work(name, source, fault, argv, options):
    place = source or name
    if source in ('small', 'many'):
        place = shutil.copytree(source, 'copy of ' + name)
    command = ['sh', '-c', 'cd "$0" && exec "$@"', place] + argv
    r = terminal.run(command, env={'STORE_FAULT': fault}, **options)
    results[name] = {'out': r.out, 'first': next((t for t, data in r.chunks if b'/s' in data), None),
                     'code': r.code, 'seconds': r.seconds}

for name in CASES:
    if not CASES[name][0]:
        make(name)
for wave in [name for name in CASES if name not in TWINS], TWINS:
    threads = [threading.Thread(target=work, args=(name, *CASES[name])) for name in wave]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
with open('cases.pickle', 'wb') as f:
    pickle.dump(results, f)
assert all(r['code'] == 0 for r in results.values()), {k: (r['code'], r['out']) for k, r in results.items()}
EOF

cat >seen.py <<'EOF'
# What the promises share: the lines of progress of a case, taken apart.
import os, pickle, re, terminal

cases = pickle.load(open('cases.pickle', 'rb'))
UNITS = {'bytes': 1, 'byte': 1, 'KiB': 1 << 10, 'MiB': 1 << 20, 'GiB': 1 << 30}
LINE = re.compile(r'(.*?): (?:(\d+)(?:/(~?)(\d+))? files, )?([\d.]+) (\w+)(?: of (~?)([\d.]+) (\w+))?, ([\d.]+) (\w+)/s(?:, (~?)(\d+):(\d\d) left)?')

def lines(name):
    out = []
    for frame in terminal.frames(cases[name]['out']):
        m = LINE.fullmatch(frame.split('\n')[0].rstrip())
        if m:
            stage, files, guess1, total, b, bu, guess2, t, tu, r, ru, guess3, minutes, seconds = m.groups()
            assert len({g for g in (guess1, guess2, guess3) if g is not None}) < 2, frame
            out.append({'stage': stage, 'files': files, 'files_total': total, 'bytes': float(b) * UNITS[bu],
                        'total': t and float(t) * UNITS[tu], 'rate': float(r) * UNITS[ru],
                        'guess': guess2 == '~', 'left': minutes and int(minutes) * 60 + int(seconds)})
    return out
EOF

test_expect_success 'setup: each case on a terminal of its own' '
	python3 cases.py
'

test_expect_success 'a line tells stage, files, bytes, the total, the rate and what time is left' '
	python3 -c "
from seen import *
for name, stage in (\"add\", \"add\"), (\"threads\", \"add\"), (\"checkout\", \"checkout\"), (\"fsck\", \"fsck 1/6 packs\"), (\"cat\", \"cat\"):
    got = lines(name)
    assert len(got) >= 4, (name, cases[name][\"out\"])
    assert all(l[\"stage\"] == stage for l in got if l[\"left\"]), (name, got)
    assert any(l[\"left\"] for l in got), (name, got)
    assert all(l[\"files\"] for l in got), (name, got)
"
'

test_expect_success 'the time that is left falls, and is what the rate makes of the bytes that are left' '
	python3 -c "
from seen import *
for name in \"add\", \"checkout\", \"fsck\":
    got = [l for l in lines(name) if l[\"left\"]]
    assert got[-1][\"left\"] < got[0][\"left\"], (name, got)
    for l in got:
        want = (l[\"total\"] - l[\"bytes\"]) / l[\"rate\"]
        # What is shown is rounded: a twentieth of the last unit, and whole seconds.
        assert abs(l[\"left\"] - want) <= 1.2 + want / 10, (name, l, want)
"
'

test_expect_success 'before all is found the total is guessed, and marked; so the time that is left falls from early on' '
	python3 -c "
from seen import *
got = lines(\"early\")
guesses = [l for l in got if l[\"guess\"] and l[\"left\"]]
assert len(guesses) >= 4 and guesses[0][\"bytes\"] <= 4 << 20, got
assert all(6 << 20 <= l[\"total\"] <= 24 << 20 for l in guesses), guesses
assert guesses[-1][\"left\"] < guesses[0][\"left\"], guesses
assert not got[-1][\"guess\"] and got[-1][\"bytes\"] == got[-1][\"total\"] == 12 << 20, got
"
'

test_expect_success 'each command that works for long tells how far it is, and where the whole is known what time is left' '
	python3 -c "
from seen import *
for name, stage, has_total in (
    (\"commit -a\", \"add\", True), (\"commit\", \"commit\", False), (\"switch\", \"checkout\", True), (\"reset\", \"reset\", True),
    (\"reset, mixed\", \"status\", True), (\"restore\", \"restore\", True), (\"status\", \"status\", True), (\"rm\", \"rm\", False),
    (\"walk\", \"walk\", False), (\"dupes\", \"walk\", False), (\"put\", \"put\", True), (\"cat -o\", \"cat\", True), (\"rebuild\", \"fsck 1/6 packs\", True)):
    got = [l for l in lines(name) if l[\"stage\"] == stage]
    assert len(got) >= 2 and all(l[\"files\"] for l in got) and got[-1][\"bytes\"] > 0, (name, cases[name][\"out\"])
    left = [l[\"left\"] for l in got if l[\"left\"]]
    assert bool(left) == has_total, (name, got)
    # put takes in what its pipeline holds before anything is written: the rate is too high at first.
    # And a second that is shown may be the last one all the while.
    assert not has_total or left[-1] < left[0] or len(left) < 3 or left[0] == 1 or name == \"put\", (name, left)
    assert got[-1][\"bytes\"] > got[0][\"bytes\"] or len(got) < 4, (name, got)
"
'

test_expect_success 'what prints all the while draws no progress' '
	python3 -c "
from seen import *
assert cases[\"diff\"][\"seconds\"] > 1 and b\"/s\" not in cases[\"diff\"][\"out\"] and b\"2 files changed\" in cases[\"diff\"][\"out\"], cases[\"diff\"]
"
'

test_expect_success 'bytes only grow, are counted once, and end at the total; so do the files' '
	python3 -c "
from seen import *
for name in \"add\", \"threads\", \"checkout\", \"cat\":
    got = lines(name)
    assert all(a[\"bytes\"] <= b[\"bytes\"] for a, b in zip(got, got[1:])), (name, got)
    assert all(l[\"bytes\"] <= 15 << 20 for l in got), (name, got)
    end = got[-1]
    assert end[\"bytes\"] == end[\"total\"] == 15 << 20, (name, end)
    assert end[\"files\"] == end[\"files_total\"] == \"2\" and end[\"left\"] is None, (name, end)
"
'

test_expect_success 'a file that changed while it was read, and is read once more, is counted once' '
	test -f again.touched && python3 -c "
from seen import *
got = lines(\"again\")
assert any(b[\"bytes\"] < a[\"bytes\"] for a, b in zip(got, got[1:])), got
assert all(l[\"bytes\"] <= 15 << 20 for l in got) and got[-1][\"bytes\"] == got[-1][\"total\"] == 15 << 20, got
"
'

test_expect_success 'nothing is drawn in the first second, and at most ten lines in each' '
	python3 -c "
from seen import *
for name in \"add\", \"threads\", \"checkout\", \"fsck\":
    assert cases[name][\"first\"] >= 1, (name, cases[name][\"first\"])
    # One more for the line that is kept of each stage.
    assert len(lines(name)) <= 10 * cases[name][\"seconds\"] + 8, (name, len(lines(name)), cases[name][\"seconds\"])
"
'

test_expect_success 'the last line is kept, and what is said comes below it' '
	python3 -c "
from seen import *
import re
screen = [l for l in terminal.render(cases[\"add\"][\"out\"]) if l]
assert len(screen) == 2, screen
assert re.fullmatch(r\"add: 2/2 files, 15.0 MiB of 15.0 MiB, [0-9.]+ .iB/s\", screen[0]), screen
assert screen[1].startswith(\"store: 2 added\"), screen
screen = [l for l in terminal.render(cases[\"fsck\"][\"out\"]) if l]
assert screen[0].startswith(\"1/6 packs: \") and re.match(r\"fsck 1/6 packs: .* MiB/s\", screen[1]), screen
assert screen[2].startswith(\"2/6 index: \") and \"all is well\" in screen[-1], screen
"
'

test_expect_success 'what is said meanwhile takes the line away first' '
	python3 -c "
from seen import *
screen = [l for l in terminal.render(cases[\"notice\"][\"out\"]) if l]
assert len(screen) == 4 and screen[0].startswith(\"store: repository \"), screen
assert screen[1].endswith(\"is no file, directory or symlink: left out\"), screen
assert screen[2].startswith(\"add: 2/2 files\") and screen[3].startswith(\"store: 2 added\"), screen
"
'

test_expect_success 'a line never wraps: it is cut at the width of the terminal, also when that changes' '
	python3 -c "
from seen import *
got = [f.split(\"\\n\")[0] for f in terminal.frames(cases[\"narrow\"][\"out\"]) if f.startswith(\"add:\")]
assert len(got) >= 6, got
assert max(map(len, got)) <= 49 and len(got[0]) > 23, got
assert len(got[-1]) <= 23 and len(got[-3]) <= 23, got
"
'

test_expect_success 'no progress in the background, with -q, --no-progress or --json, or in a pipe' '
	python3 -c "
from seen import *
for name in \"background\", \"quiet\", \"no-progress\", \"json\", \"pipe\":
    out = cases[name][\"out\"].replace(b\"\\r\\n\", b\"\\n\")
    assert b\"/s\" not in out and b\"\\r\" not in out and not lines(name), (name, out)
    assert (b\"2 added\" in out) == (name not in (\"quiet\", \"json\")), (name, out)
assert cases[\"quiet\"][\"out\"] == b\"\", cases[\"quiet\"]
"
'

test_expect_success 'so is every other command that draws: with -q, with --no-progress and in a pipe it says nothing of progress' '
	python3 -c "
from seen import *
twins = [name for name in cases if name.endswith((\", -q\", \", --no-progress\", \", pipe\"))]
assert len(twins) == 17 * 3 or os.environ.get(\"STORE_TEST_LIGHT\") and len(twins) == 17, twins
for twin in twins:
    name, how = twin.rsplit(\", \", 1)
    # What bench counts is no files: its lines have another form.
    assert lines(name) or b\" rounds\" in cases[name][\"out\"], (name, cases[name])
    out = cases[twin][\"out\"].replace(b\"\\r\\n\", b\"\\n\")
    # A second has passed, when the others draw; but reset -q has nothing to look for.
    assert cases[twin][\"seconds\"] > 1 or twin == \"reset, mixed, -q\", (name, how, out)
    assert b\"/s\" not in out and b\"\\r\" not in out and b\" left\" not in out, (name, how, out)
"
'

test_expect_success 'the cases are those of all sources that ask for progress; mv is told of none, diff draws none' '
	(cd "$SRC_ROOT/src/cli" && grep -l "progress_begin(" cmd_*.c checkout.c difflist.c) >asking &&
	printf "%s\n" cmd_add.c cmd_bench.c cmd_cat.c cmd_commit.c cmd_dupes.c cmd_fsck.c cmd_mv.c cmd_put.c cmd_reset.c cmd_restore.c cmd_rm.c cmd_status.c \
		cmd_walk.c checkout.c difflist.c >known &&
	test_cmp known asking
'

test_done
