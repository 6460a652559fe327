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

# Every command that has a machine form, in each of its shapes; the exit code may be any.
cat >commands <<'EOF'
init .
init new
add -n f2
add f2 fifo unreadable
add nothing-there
add .
status
status --ignored
commit -n
commit -m two
commit -m nothing
commit -n --allow-empty
log
log HEAD~1
log nope
ls
ls -r -l
ls HEAD:
ls f
add new/dir
ls : new
ls :new
branch
branch topic
branch -m topic theme
branch -d theme
branch --show-current
tag
tag light
tag -m annotated heavy
tag
tag -d light
reflog
reflog main
switch -c side
switch main
checkout HEAD~1
branch
status
checkout main
checkout --to ../out HEAD
checkout --to ../out HEAD
status
add .
diff HEAD
diff -p HEAD~1 HEAD
diff --numstat HEAD~1 HEAD
diff --cached --stat
diff -p -c diff.lineLimit=1 HEAD~1
diff --exit-code HEAD
log --stat
log -p --reverse
log --oneline --grep=two -- f sub
show
show -p HEAD~1
show -s heavy
show layer:0
show HEAD:sub
show HEAD:f :f
show nothing
reset
reset f
reset --soft HEAD
reset --hard HEAD
reset --hard nowhere
restore f
restore --source=HEAD~1 .
restore --staged .
restore nothing
put piped
mv -n f f3
mv f f3
mv f3 f
mv -k f nothing new/dir
rm -n f
rm -r --cached sub
rm nothing
reset --hard
rm f
reset --hard
check-ignore --no-index f sub/x.o
check-ignore -v nothing
check-ignore a.ignored
config --list
config --keys
config core.codec
config user.name
config performance.async_io true
config --get-all performance.async_io
config --unset performance.async_io
config nonsense.key
commit -a -m all
commit --amend --allow-empty -m again
root
info
version
fsck
cat f
help
nonsense
-v info
--stats status
EOF

cat >run.py <<'EOF'
# Run the lines of commands with --json in each of two repositories: one as it is, one before its first commit.
import os, subprocess, sys, schemas

page = schemas.read_page(os.environ['SRC_ROOT'] + '/man/store-json.5')
met, takes = set(), set()
for place in 'repo', 'fresh':
    for line in open('commands'):
        words = line.split()
        r = subprocess.run(['store', '--json'] + words, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert 0 <= r.returncode <= 5, (line, r)
        for out in r.stdout, r.stderr:
            assert out == b'' or out.endswith(b'\n'), (line, out)
            for l in out.splitlines():
                met.add(schemas.check_line(l, page))
        assert r.returncode in (0, 1) or r.stderr, (line, r)
        takes.add(next((w for w in words if not w.startswith('-')), ''))
open('met', 'w').write(''.join(s + '\n' for s in sorted(met)))
open('takes', 'w').write(''.join(s + '\n' for s in sorted(takes)))
EOF

test_expect_success 'setup: a repository with everything that can be odd about one, and one before its first commit' '
	for place in repo fresh; do
		store init -q $place && (cd $place && echo 1 >f && echo 2 >"$(printf "odd\377")" && mkdir -p sub/deep new/dir && echo 3 >sub/deep/g &&
			ln -s f link && mkfifo fifo && echo 4 >f2 && store init -q sub/border) || return 1
	done && cd repo && store -q add f odd* sub link && store -q commit -m one && echo 55 >f && rm sub/deep/g && mkdir -p .store/info && echo "*.ignored" >.store/info/exclude
'

test_expect_success 'every line of every command has the members of its schema, all of them, in their order and of their types' '
	python3 run.py
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
         ['diff', '-z', '--name-status', 'HEAD'], ['log', '-z', '--oneline', '--name-only'],
         ['--json', 'status'], ['--json', 'log'], ['--json', 'ls', '-r'], ['--json', 'branch'], ['--json', 'root'], ['status', '--porcelain'],
         ['status', '-z'], ['ls', '-z', '-r'], ['log', '-z', '--oneline'], ['branch', '-z'], ['tag', '-z'], ['add', '-n', '-z', 'f'], ['reflog', '--json']]
SURROUNDINGS = [(['-v'], {}), (['--color=always'], {}), (['-c', 'color.ui=always'], {}), ([], {'COLUMNS': '20', 'LINES': '5'}),
                ([], {'LANG': 'de_DE.UTF-8', 'LC_ALL': 'tr_TR.UTF-8'}), (['-q'], {}), (['--no-pager', '--no-progress'], {})]
for form in FORMS:
    plain = subprocess.run(['store'] + form, stdout=subprocess.PIPE, check=True).stdout
    assert plain or form[0] == 'tag', form
    # branch -v asks for more columns, as with git.
    for options, env in SURROUNDINGS[form[0] == 'branch':]:
        got = subprocess.run(['store'] + options + form, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **env}).stdout
        assert got == plain, (form, options, env, got, plain)
    shown = terminal.run(['sh', '-c', 'exec "$@" 2>/dev/null', 'sh', 'store'] + form, env={'TERM': 'xterm', 'PAGER': 'sed s/^/x/'}, columns=20).out
    assert shown.replace(b'\r\n', b'\n') == plain, (form, shown, plain)
EOF

test_expect_success 'machine forms do not change under -v, -q, colour, width, language, or on a terminal' '
	cd repo && echo 666 >f && python3 ../same.py
'

test_expect_success '-z: every record ends with NUL, and a name is its bytes' '
	cd repo && printf "x\n\377" >"$(printf "new\nline\377")" && store status -z >../got && python3 -c "
data = open(\"../got\", \"rb\").read()
assert data.endswith(b\"\\0\") and b\"?? new\\nline\\377\" in data.split(b\"\\0\"), data
" && store ls -z >../got && python3 -c "
data = open(\"../got\", \"rb\").read()
assert b\"odd\\377\" in data.split(b\"\\0\") and data.endswith(b\"\\0\"), data
"
'

test_done
