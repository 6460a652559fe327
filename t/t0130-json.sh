#!/bin/sh
# The machine forms, frozen: each schema has the members that store-json(5) tells, all of them and no others; -z and
# --porcelain; and nothing of the surroundings changes them.
. "$(dirname "$0")/test-lib.sh"
STORE_TEST_FSYNC=0 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TRASH
export STORE_TEST_FSYNC PYTHONDONTWRITEBYTECODE PYTHONPATH

cat >schemas.py <<'EOF'
# store-json(5) as tables, and lines held against them.
import base64, json, re

def read_page(path):
    schemas, now = {}, None
    for line in open(path):
        if m := re.fullmatch(r'\.Ss (\S+)\n', line):
            now = schemas[m[1]] = {}
        elif line.startswith('.Sh '):
            now = None
        elif now is not None and (m := re.fullmatch(r'\.It Va (\S+) Pq (.*)\n', line)):
            now[m[1]] = m[2]
    schemas['store/stats/1'] = schemas['stats']
    return schemas

def fits(kind, value, schemas):
    if kind.endswith(' | null'):
        return value is None or fits(kind[:-7], value, schemas)
    if kind in ('string', 'bytes'):
        return isinstance(value, str)
    if kind == 'number':
        return type(value) is int
    if kind == 'real':
        return isinstance(value, float)
    if kind == 'boolean':
        return isinstance(value, bool)
    if kind == 'id':
        return isinstance(value, str) and re.fullmatch('[0-9a-f]{64}', value)
    if kind == 'time':
        return isinstance(value, str) and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d', value)
    if kind == 'list of hunk, line or range':
        return isinstance(value, list) and all(check_piece(v, schemas) for v in value)
    if kind == 'list of limit':
        return isinstance(value, list) and all(check_members(v, schemas['limit'], schemas, kind) for v in value)
    if kind == 'list of id':
        return isinstance(value, list) and all(fits('id', v, schemas) for v in value)
    return isinstance(value, dict) and check_members(value, schemas[kind], schemas, kind)

def check_piece(value, schemas):
    kind = value['kind']
    assert kind in ('hunk', 'range', 'context', 'deleted', 'added'), value
    return fits(kind if kind in ('hunk', 'range') else 'line', value, schemas)

def check_members(got, want, schemas, where):
    names = {}
    for name, value in got.items():
        if name.endswith('_b64') and want.get(name[:-4], '').startswith('bytes'):
            base64.b64decode(value, validate=True).decode('latin-1')
            name = name[:-4]
        names[name] = value
    assert set(names) == set(want), (where, 'missing', set(want) - set(names), 'not in the page', set(names) - set(want))
    assert list(names) == list(want), (where, 'another order', list(names), list(want))
    for name, value in names.items():
        assert fits(want[name], value, schemas), (where, name, want[name], value)
    return True

def check_line(line, schemas):
    got = json.loads(line)
    assert list(got)[0] == 'schema', line
    schema = got.pop('schema')
    assert schema in schemas, (schema, 'is not in store-json(5)')
    check_members(got, schemas[schema], schemas, schema)
    return schema
EOF

# Every command that has a machine form, in each of its shapes, behind the exit code it has there.
cat >commands <<'EOF'
0 init .
0 init new
0 add -n f2
0 add -n -z .
2 add f2 fifo unreadable
2 add nothing-there
0 add .
0 status
0 status --ignored
0 status --porcelain
0 status -z -uall --ignored
0 commit -n
0 commit -m two
1 commit -m nothing
0 commit -n --allow-empty
0 log
0 log HEAD~1
0 log -z --name-status
2 log nope
0 ls
0 ls -r -l
0 ls -z -r -l
0 ls HEAD:
0 ls f
2 add new/dir
2 ls : new
2 ls :new
0 branch
0 branch topic
0 branch -m topic theme
0 branch -d theme
0 branch --show-current
0 branch -z -v
0 tag
0 tag light
0 tag -m annotated heavy
0 tag -z
0 tag
0 tag other
0 tag -d light other
0 reflog
0 reflog main
0 reflog -z
0 switch -c side
0 switch main
0 checkout HEAD~1
0 branch
0 status
0 checkout main
0 checkout --to ../out HEAD
2 checkout --to ../out HEAD
0 status
0 add .
0 diff HEAD
0 diff -p HEAD~1 HEAD
0 diff --numstat HEAD~1 HEAD
0 diff -z --name-status HEAD~1 HEAD
0 diff -z --numstat HEAD~1 HEAD
0 diff --cached --stat
0 diff -p -c diff.lineLimit=1 HEAD~1
0 diff --exit-code HEAD
0 log --stat
0 log -p --reverse
0 log --oneline --grep=two -- f sub
0 show
0 show -p HEAD~1
0 show -s heavy
0 show layer:0
0 show HEAD:sub
0 show HEAD:f :f
0 show -z --name-only HEAD
0 show -z HEAD:
2 show nothing
0 reset
0 reset f
0 reset --soft HEAD
0 reset --hard HEAD
2 reset --hard nowhere
0 restore f
0 restore --source=HEAD~1 .
0 restore --staged .
2 restore nothing
0 put piped
0 mv -n f f3
0 mv -n -z sub/deep odd
0 mv f f3
0 mv f3 f
0 mv -k f nothing new/dir
2 rm -n f
0 rm -n -r --cached sub
0 rm -n -z -r --cached sub
0 rm -r --cached sub
2 rm nothing
0 reset --hard
0 rm f
0 reset -z
0 reset --hard
0 walk
0 walk --type fdlo sub
2 walk nothing
2 walk --strict nothing
0 --stats walk sub
0 dupes ../twins
0 dupes -z ../twins
0 dupes -n --link ../twins
2 dupes nothing
2 dupes --delete --plan 000000000000 ../twins
0 bench --size 20K --threads 2 hash codec
2 bench nothing
1 check-ignore --no-index f sub/x.o
1 check-ignore -v nothing
0 check-ignore -z -v --no-index a.ignored
0 check-ignore a.ignored
0 config --list
0 config --keys
0 config -z --list
0 config -z --show-origin core.codec
0 config core.codec
1 config user.name
0 config performance.async_io true
0 config --get-all performance.async_io
0 config --unset performance.async_io
2 config nonsense.key
1 commit -a -m all
0 commit --amend --allow-empty -m again
0 root
0 info
0 version
0 fsck
2 cat f
2 help
2 nonsense
0 -v info
0 --stats status
EOF

# The same before a first commit: each command again, and what differs once something is staged: only the last line commits.
cat >commands.fresh <<'EOF'
0 init .
0 init new
0 status
0 status --ignored
2 log
2 log nope
2 ls
2 ls -r -l
2 ls HEAD:
0 ls :
0 branch
2 branch topic
0 branch --show-current
0 tag
2 tag light
0 reflog
0 switch -c side
2 switch main
2 checkout HEAD~1
2 checkout --to ../out HEAD
0 diff
2 diff HEAD
0 diff --cached --stat
2 show
2 show -s heavy
0 reset
2 reset f
0 reset --hard HEAD
2 restore f
2 restore --source=HEAD~1 .
2 mv -n f f3
2 rm -n f
0 walk
0 dupes ../twins
0 bench --size 20K --threads 2 hash
1 check-ignore a.ignored
1 check-ignore -v nothing
0 config --list
1 config user.name
1 commit -n
1 commit -m nothing
2 commit --amend --allow-empty -m again
2 root
0 info
0 version
0 fsck
2 cat f
2 help
0 -v info
0 --stats status
0 add -n f2
2 add f2 fifo unreadable
0 add .
0 status
2 ls -r -l
0 diff --cached -p
0 restore --staged f2
0 mv f f3
0 rm -r --cached sub
0 reset
0 put piped
0 add .
0 commit -n
0 commit -m one
EOF

cat >run.py <<'EOF'
# Run the lines of commands in a repository, and those of commands.fresh in one before its first commit: with --json where
# no other machine form is asked for.  What each command said is kept, byte by byte, in machine/COMMAND.
import collections, os, re, subprocess, sys, schemas

page = schemas.read_page(os.environ['SRC_ROOT'] + '/man/store-json.5')
met, takes, said = set(), {}, collections.defaultdict(str)

# What is not the program's own, or is no form, is masked: the folder of the test; how long it took and the memory of the
# process; sizes of packs and of the database, which are those of zlib and of the page of this machine; how much was read, how
# often the database was written and what that left behind, which depends on how fresh a file was when it was looked at; the
# version; and text for people.
MASKS = [(os.environ['TRASH'].encode(), b'/TRASH'), (rb'("seconds":)[0-9.]+', rb'\1S'),
         (rb'("schema":"store/fsck/1","packs":)[0-9]+(,"blocks":)[0-9]+(,"objects":)[0-9]+(,"bytes":)[0-9]+', rb'\1N\2N\3N\4N'),
         (rb'("(?:peak_anon|peak_rss|stored_bytes|pack_bytes|db_bytes|opened|nodes_read|packs|decoded_bytes|publications?)":)[0-9]+', rb'\1N'),
         (rb'("schema":"store/version/1","version":)"[^"]*"', rb'\1"V"'), (rb'("(?:help|unused|remark)":)"(?:[^"\\]|\\.)*"', rb'\1"TEXT"'),
         (rb'("schema":"store/(?:error|notice|fsck-entry)/1".*"(?:message|text)":)"(?:[^"\\]|\\.)*"', rb'\1"TEXT"')]

# A record ends with LF, or with NUL under -z, and each stands on a line of its own.  Of lists of all keys a few rows are
# enough, for a new key is no other form.  A walk tells numbers of the file system, in no order, and what is in .store; so
# does dupes, but in order.  Bench tells figures and the machine.
def shown(mark, out, end, command):
    for old, new in MASKS:
        out = re.sub(old, new, out)
    records = [r + end for r in out.split(end)[:-1]]
    if command in ('walk', 'dupes'):
        records = sorted(re.sub(rb':[0-9]+', b':N', r) for r in records if b'.store' not in r)
    if command == 'bench':
        records = [re.sub(rb'(:)[0-9.]+|("(?:version|cpu|kernel|openssl|lmdb|zlib|isa-l|libdeflate|zstd)":)(?:"[^"]*"|null)', rb'\1\2N', r) for r in records]
    if command == 'config' and len(records) > 8:
        records = [r for r in records if re.match(rb'(\{"schema":"[^"]*","key":")?(color|user)\.', r)]
    return ''.join(mark + r.decode('latin-1').encode('unicode_escape').decode() + '\n' for r in records)

for place, lines in ('repo', 'commands'), ('fresh', 'commands.fresh'):
    takes[place] = set()
    for line in open(lines):
        code, *words = line.split()
        command = next((w for w in words if not w.startswith('-')), 'none')
        is_json = '-z' not in words and '--porcelain' not in words
        words = ['--json'] * is_json + words
        for path in '/f', '/f2', '/sub/deep/g', '/sub/deep', '/sub', '':  # times are in what ids stand for
            if os.path.exists(place + path):
                os.utime(place + path, (1700000002, 1700000002))
        r = subprocess.run(['store'] + words, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert r.returncode == int(code), (place, line, r)
        said[command] += f'{place}$ store {" ".join(words)} => {code}\n' + shown('', r.stdout, b'\0' if '-z' in words else b'\n', command)
        said[command] += shown('! ', r.stderr, b'\n', command) if is_json else ''
        for out in (r.stdout, r.stderr) if is_json else ():
            assert out == b'' or out.endswith(b'\n'), (line, out)
            for l in out.splitlines():
                met.add(schemas.check_line(l, page))
        assert is_json or r.stdout == b'' or r.stdout.endswith(b'\0' if '-z' in words else b'\n'), (line, r)
        assert r.returncode in (0, 1) or r.stderr, (line, r)
        takes[place].add(command)
assert takes['repo'] - takes['fresh'] == {'nonsense'}, takes
open('met', 'w').write(''.join(s + '\n' for s in sorted(met)))
open('takes', 'w').write(''.join(s + '\n' for s in sorted(takes['repo'])))
os.mkdir('machine')
for command in said:
    open('machine/' + command, 'w').write(said[command])
EOF

test_expect_success 'setup: a repository with everything that can be odd about one, and one before its first commit' '
	mkdir twins && echo twin >twins/a && echo twin >twins/b && touch -d @1700000000 twins/a twins/b && for place in repo fresh; do
		store init -q $place && (cd $place && echo 1 >f && echo 2 >"$(printf "odd\377")" && mkdir -p sub/deep new/dir && echo 3 >sub/deep/g &&
			ln -s f link && mkfifo fifo && echo 4 >f2 && store init -q sub/border && touch -h -d @1700000000 f odd* sub/deep/g link f2) || return 1
	done && cd repo && touch -d @1700000002 sub/deep sub && store -q add f odd* sub link && store -q commit -m one && echo 55 >f && touch -d @1700000001 f && rm sub/deep/g && mkdir -p .store/info && echo "*.ignored" >.store/info/exclude
'

test_expect_success 'every line of every command has the members of its schema, all of them, in their order and of their types' '
	python3 run.py
'

# After a change that is meant: sh t/t0130-json.sh -d, and what differs of its folder machine is copied.
test_expect_success 'what every command says with --json, -z and --porcelain are the bytes that are frozen in t/golden/machine' '
	diff -r -u "$SRC_ROOT/t/golden/machine" machine && ls machine >frozen && test_line_count -ge 28 frozen
'

test_expect_success 'every schema of the page was met, and every schema of the source is in the page' '
	sed -n "s/^[.]Ss \(store.*\)/\1/p" "$SRC_ROOT/man/store-json.5" | sort >page && sort met >met.sorted &&
	test_cmp page met.sorted && cat "$SRC_ROOT"/src/cli/*.c | grep -Eo "\"store/[a-z-]+/[0-9]+\"" | tr -d "\"" | sort -u >source && test_cmp page source
'

test_expect_success 'every command that takes --json was run with it' '
	store -h | sed -n "s/^  \([a-z][a-z-]*\)  .*/\1/p" | sort >all && grep -v -e "^\$" -e nonsense takes | sort >run &&
	comm -23 all run >left && echo completion >want && test_cmp want left
'

test_expect_success 'a finding of fsck is such a line, too' '
	cp -a repo torn && pack=$(find torn/.store/packs -type f | head -n 1) && chmod u+w "$pack" && printf "\377\377\377\377" | dd of="$pack" bs=1 seek=60 conv=notrunc &&
	test_expect_code 4 store --json -C torn fsck >torn.out 2>torn.err && cat torn.out torn.err >lines && python3 -c "
import os, schemas
page = schemas.read_page(os.environ[\"SRC_ROOT\"] + \"/man/store-json.5\")
met = [schemas.check_line(l, page) for l in open(\"lines\", \"rb\")]
assert \"store/fsck/1\" in met and \"store/error/1\" in met, met
" && test_grep "\"kind\":\"corrupt\"" torn.out
'

# same COMMAND...: the same bytes whatever surrounds it, on a terminal, too.
cat >same.py <<'EOF'
import os, subprocess, sys
sys.path.insert(0, os.environ['SRC_ROOT'] + '/t')
import terminal
FORMS = [['--json', 'diff', '-p', 'HEAD'], ['--json', 'show', '--stat', 'HEAD'], ['--json', 'mv', '-n', 'f', 'f9'], ['--json', 'rm', '-n', '-f', 'f'],
         ['mv', '-n', '-z', 'f', 'f9'], ['rm', '-n', '-z', '-f', 'f'], ['reset', '-z'],
         ['diff', '-z', '--name-status', 'HEAD'], ['log', '-z', '--oneline', '--name-only'],
         ['--json', 'status'], ['--json', 'log'], ['--json', 'ls', '-r'], ['--json', 'branch'], ['--json', 'root'], ['status', '--porcelain'],
         ['status', '-z'], ['ls', '-z', '-r'], ['log', '-z', '--oneline'], ['branch', '-z'], ['tag', '-z'], ['add', '-n', '-z', 'f'], ['reflog', '--json']]
# Several things at once, none of which hides another: what one of them changes is changed in this company, too.
QUIETLY = ['-q', '--color=always', '--no-pager', '--no-progress'], {'LANG': 'de_DE.UTF-8', 'LC_ALL': 'tr_TR.UTF-8', 'COLUMNS': '20', 'LINES': '5'}
ON_TERMINAL = ['-v', '-c', 'color.ui=always'], {'TERM': 'xterm', 'PAGER': 'sed s/^/x/'}
for form in FORMS:
    plain = subprocess.run(['store'] + form, stdout=subprocess.PIPE, check=True).stdout
    assert plain or form[0] == 'tag', form
    options, env = QUIETLY
    got = subprocess.run(['store'] + options + form, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **env}).stdout
    assert got == plain, (form, options, env, got, plain)
    # branch -v asks for more columns, as with git.
    options, env = ON_TERMINAL[0][form[0] == 'branch':], ON_TERMINAL[1]
    shown = terminal.run(['sh', '-c', 'exec "$@" 2>/dev/null', 'sh', 'store'] + options + form, env=env, columns=20).out
    assert shown.replace(b'\r\n', b'\n') == plain, (form, options, shown, plain)
EOF

test_expect_success 'machine forms do not change under -v, -q, colour, width, language, or on a terminal' '
	cd repo && echo 666 >f && python3 ../same.py
'

test_expect_success '-z: every record ends with NUL, and a name is its bytes' '
	cd repo && printf "x\n\377" >"$(printf "new\nline\377")" && store status -z >../got && store ls -z >../listed && store add -q new?* && (cd sub && store rm -n -z --cached ../new?* >../../gone &&
		store mv -n -z ../new?* ../f7 >../../moved) && rm odd* && store reset -z >../reset && python3 -c "
for name, want in (\"got\", [b\"?? new\\nline\\377\"]), (\"listed\", [b\"odd\\377\"]), (\"gone\", [b\"new\\nline\\377\"]), (\"moved\", [b\"new\\nline\\377\", b\"f7\"]), (\"reset\", [b\"D\", b\"odd\\377\"]):
    data = open(\"../\" + name, \"rb\").read()
    records = data.split(b\"\\0\")
    assert data.endswith(b\"\\0\") and any(records[i:i + len(want)] == want for i in range(len(records))), (name, data)
" && test_expect_code 2 store reset -z --hard && test_expect_code 2 store rm -z --json f && test_expect_code 2 store mv -z --json f f7
'

test_done
