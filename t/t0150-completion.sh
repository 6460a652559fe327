#!/bin/sh
# Completion: commands, options, refs, paths, path@rev and rev:path, values; in bash, zsh and fish; odd names come out right,
# and nothing that a name holds is run.
. "$(dirname "$0")/test-lib.sh"
STORE_TEST_FSYNC=0 PYTHONPATH=$SRC_ROOT/t PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
export STORE_TEST_FSYNC PYTHONPATH PYTHONDONTWRITEBYTECODE LC_ALL
for shell in bash zsh fish; do
	! command -v $shell >/dev/null || test_set_prereq "$(echo $shell | tr '[:lower:]' '[:upper:]')"
done

# fits WORD...: what is answered, a line each, sorted; a newline in a name is shown as a bar.
fits()
{
	store complete -- "$@" | tr '\n\0' '|\n' | sort -u
}
# offers 'ANSWER ANSWER' WORD...
offers()
{
	printf '%s\n' "$1" | tr ' ' '\n' | sed '/^$/d' | sort -u >"$TRASH/want" && shift && fits "$@" >"$TRASH/got" && test_cmp "$TRASH/want" "$TRASH/got"
}

test_expect_success 'setup: refs and names of all kinds' '
	store init -q repo && cd repo && mkdir -p src/deep "a dir" && echo main >src/main.c && echo x >src/deep/x && echo f >"a dir/f" &&
	echo png >icon@2x.png && store add -q . && store commit -q -m one && store branch -q topic/one && store tag -q v1.0 &&
	rm src/main.c && echo new >fresh
'

test_expect_success 'commands, but not the hidden one, and options of the command and of every command' '
	cd repo && store -h | sed -n "s/^  \([a-z][a-z-]*\)  .*/\1/p" | sort >../want && fits "" >../got && test_cmp ../want ../got &&
	test_grep ! "^complete\$" ../got && offers "status" sta && offers "status" -C . --threads 2 stat &&
	for command in $(cat ../want); do
		{ store "$command" -h; store -h; } | grep -o "^  .*" | grep -Eo -e "--[a-z-]+" | sort -u >../words &&
		fits "$command" -- >../got && sed "s/=\$//" ../got | sort -u >../cut &&
		comm -13 ../words ../cut >../more && test_must_be_empty ../more || return 1
	done && offers "--oneline" log --one && offers "--max-count=" log --max
'

test_expect_success 'values that are a set of words, apart and glued on' '
	cd repo && offers "auto always never" --color "" && offers "--color=always --color=auto" --color=a && offers "always auto" status --color a &&
	offers "-uno -unormal -uall" status -u && offers "--untracked-files=no --untracked-files=normal" status --untracked-files=n &&
	offers "--porcelain=v1" status --porcelain= && offers "bash zsh fish" completion ""
'

test_expect_success 'refs where a revision belongs, ends of ranges, branches and tags' '
	cd repo && offers "HEAD main topic/one v1.0" checkout "" && offers "main..v1.0" log main..v && offers "main...topic/one" log main...t &&
	offers "topic/one" switch to && offers "v1.0" tag -d v && offers "--contains=v1.0" branch --contains=v
'

test_expect_success 'paths: on disk and tracked to add, of the revision to check out, directories to go to' '
	cd repo && offers "src/deep/ src/main.c" add src/ && offers "fresh" add f && offers "src/deep/ src/main.c" checkout HEAD -- src/ &&
	offers "src/" checkout --to s && offers "src/" -C s && offers "deep/ main.c" -C src add "" && cd src && offers "../icon@2x.png" add ../i &&
	offers "main.c main:" cat m
'

test_expect_success 'content: a path in HEAD, rev:path, path@rev; names with @ in them, too' '
	cd repo && offers "src/" cat s && offers "HEAD:src/deep/ HEAD:src/main.c" cat HEAD:src/ && offers "v1.0:icon@2x.png" cat v1.0:i &&
	offers "src/main.c@main" cat src/main.c@m && offers "icon@2x.png" cat icon && offers "icon@2x.png@v1.0" cat icon@2x.png@v &&
	offers "icon@2x.png icon@HEAD icon@main icon@topic/one icon@v1.0" cat icon@ && offers ":src/" cat :s && cd src && offers "HEAD:./deep/" cat HEAD:./d
'

test_expect_success 'objects to show, tracked paths to compare, move, remove and reset; what --source has to restore; topics' '
	cd repo && store tag -q -m about about && offers "v1.0 v1.0:" show v1 && offers "src/deep/ src/main.c" show src/ && offers "HEAD HEAD:" show H &&
	offers "src/deep/ src/main.c" diff src/ && offers "main main:" show mai && offers "about" diff ab && offers "" diff -- fre && offers "src/main.c" log -- src/m &&
	for command in rm restore "restore --staged" reset; do offers "src/deep/ src/main.c" $command src/ && offers "" $command fre || return 1; done &&
	offers "icon@2x.png" mv icon && echo late >late && store add -q late && store commit -q -m late && store rm -q late && offers "" restore la &&
	offers "late" restore --source=HEAD la && offers "late" restore -s HEAD la && offers "late" restore --source main -- la && offers "--source=main" restore --source=m &&
	for command in "restore --staged" "restore -S" "restore -WS --" reset "reset main" "reset --"; do offers "late" $command la || return 1; done &&
	{ store complete -- restore --staged "" | tr "\0" "\n" | sort >../got; } && uniq ../got | test_cmp - ../got && test_grep "^late$" ../got &&
	offers "fresh" check-ignore f && offers "tutorial" help tut && offers "switch" help sw && offers "ignore" help ig && store tag -q -d about
'

test_expect_success 'keys of the configuration, alone and before =' '
	cd repo && store config --keys | cut -f1 | sort >../want && fits config "" >../got && test_cmp ../want ../got && offers "user.email user.name user.useConfigOnly" config user. &&
	offers "core.codec core.codecLevel" config --unset core.cod && offers "" config core.codec core && offers "color.ui=" -c color && offers "color.ui=" status -c color &&
	offers "-ccolor.ui=" -ccolor
'

test_expect_success 'values of keys that take one of a few words: behind the key, and behind =' '
	cp -r repo values && cd values && offers "auto always never" config color.ui "" && offers "always auto" config --global COLOR.UI a && offers "true false" config user.useConfigOnly "" &&
	offers "zlib zstd" config core.codec z && offers "" config color.ui never "" && offers "" config user.name "" && offers "" config no.key "" &&
	offers "core.metadata=none core.metadata=posix core.metadata=times" -c core.metadata= && offers "-ccore.trustctime=true" status -ccore.trustctime=t &&
	offers "" -c user.name= && offers "" -c no.key= && store config --keys >../keys && cut -f1,2 ../keys | grep -E "	(words|bool)\$" >../few && while read -r key type; do
		fits config "$key" "" >../words && test_line_count -ge 2 ../words && while read -r word; do store config "$key" "$word" 2>../err || return 1; done <../words || return 1
	done <../few
'

test_expect_success 'outside a repository, in a damaged one and for what is no command it answers what it can, in silence' '
	mkdir out && echo 1 >out/file && cd out && offers "status" stat && fits cat f >../got 2>../err && test_must_be_empty ../got &&
	test_must_be_empty ../err && offers "file" add f && fits nonsense f >../got && test_must_be_empty ../got && store complete >../got &&
	test_must_be_empty ../got && cp -r ../repo ../broken && echo x >../broken/.store/format && cd ../broken && fits cat s >../got 2>../err &&
	test_must_be_empty ../got && test_must_be_empty ../err
'

test_expect_success 'nothing is written, and few files are opened' '
	cd repo && find .store -type f ! -name "lock*" -exec cksum {} + | sort >../before &&
	strace -f -o ../trace -e trace=openat,open,creat,rename,unlink,mkdir,ftruncate,execve store complete -- cat HEAD:src/ >../got &&
	find .store -type f ! -name "lock*" -exec cksum {} + | sort >../after && test_cmp ../before ../after &&
	test_grep ! -E "O_CREAT[^,]*, 0[0-7]+\) = [0-9].*packs|rename\(|unlink\(|mkdir\(" ../trace && test "$(grep -c execve ../trace)" -eq 1 &&
	test "$(wc -l <../trace)" -lt 60
'

cat >names.py <<'EOF'
# Names that a shell might trip over, each a file in the folder odd of a repository; and what each shell makes of them.
import os, sys

NAMES = [b'a b', b"it's", b'say "hi"', b'back\\slash', b'$(touch ran)', b'`touch ran`', b'$HOME', b'semi;touch ran', b'pipe|x', b'new\nline',
         b'bad\377byte', b'\303\251t\303\251', b'esc\033[31m', b'star*', b'q?', b'[x]', b'{a,b}', b'~tilde', b'#hash', b'!bang', b'a=b', b'a:b', b'a@b',
         b'-dash', b'&amp', b'<in', b'(sub)', b'ends ', b' begins', b'a\rb']

def make():
    os.mkdir('odd')
    for name in NAMES:
        with open(b'odd/' + name, 'wb') as f:
            f.write(name)
EOF

test_expect_success 'setup: names that a shell might trip over' '
	store init -q odd && cd odd && PYTHONPATH=.. python3 -c "import names; names.make()" && store add -q . && store commit -q -m odd
'

test_expect_success 'the answer has every byte of every name' '
	cd odd && store complete -- add odd/ >../got && PYTHONPATH=.. python3 -c "
import names
got = set(open(\"../got\", \"rb\").read().split(b\"\\0\"))
assert got == {b\"odd/\" + n for n in names.NAMES} | {b\"\"}, got
"
'

# Every name is completed from its first bytes in each kind of quotes, and what bash then reads must be the name.
cat >bash.py <<'EOF'
import names, subprocess
script = subprocess.run(['store', 'completion', 'bash'], stdout=subprocess.PIPE, check=True).stdout
breaks = b" \t\n\"'@><=;|&(:"
lines, wants = [], []

def typed(quote, text):
    """text as a user types it, the quote left open, and how many bytes of it readline keeps."""
    if quote == b'':
        raw, kept = b'', 0
        for byte in text:
            one = bytes([byte])
            raw += (b'' if one.isalnum() or one in b'/_-.,:@=' else b'\\') + one
            if one in b':@=':
                kept = len(raw) - (one == b'@')
        return raw, kept
    if quote == b"$'":
        return quote + b''.join(b'\\%03o' % b for b in text), 2
    return quote + text, 1

for number, name in enumerate(names.NAMES):
    for quote in b'', (b"'", b'"', b"$'")[number % 3]:
        half = name[:1]
        if (quote == b"'" and half == b"'") or (quote == b'"' and half in b'"\\$`!'):
            continue
        if quote == b'' and half in b'\n\377' or half >= b'\200':
            half = b''
        word, kept = typed(quote, b'odd/' + half)
        line = b'store add ' + word
        lines.append((line, line[:len(b'store add ') + kept], {b'': b'', b"$'": b"'"}.get(quote, quote)))
        wants.append(b'odd/' + name)

program = script
for line, kept, close in lines:
    q = b"'" + line.replace(b"'", b"'\\''") + b"'"
    program += b'COMP_LINE=' + q + b'; COMP_POINT=%d' % len(line) + b'; COMP_WORDBREAKS=$\' \\t\\n"\\\'@><=;|&(:\'; _store 2>/dev/null\n'
    program += b'printf "%s\\0" "${COMPREPLY[@]}" "end of answers"\n'
out = subprocess.run(['bash', '--norc', '-c', program], stdout=subprocess.PIPE, check=True).stdout
def groups_of(out, end):
    groups = [[]]
    for item in out.split(b'\0')[:-1]:
        groups.append([]) if item == end else groups[-1].append(item)
    return groups[:-1]

answers = groups_of(out, b'end of answers')
assert len(answers) == len(lines), (len(answers), len(lines))
program, expected = b'touch() { echo ran >>ran; }\n', []
for (line, kept, close), group, want in zip(lines, answers, wants):
    # What bash makes of the whole word once an answer stands in it.
    for answer in group:
        assert not any(b < 32 and b != 10 for b in answer) and answer.find(b'\377') < 0, answer
        word = (kept + answer + close)[len(b'store add '):]
        program += b'printf "%s\\0" ' + word + b'\n'
    program += b'printf "%s\\0" "end of answers"\n'
read = subprocess.run(['bash', '--norc', '-c', program], stdout=subprocess.PIPE, check=True, env={'HOME': '/home/of/nobody'}).stdout
groups = groups_of(read, b'end of answers')
known = {b'odd/' + n for n in names.NAMES}
for (line, kept, close), group, want in zip(lines, groups, wants):
    got = set(group)
    assert want in got and got <= known, (line, want, got)
EOF

test_expect_success BASH 'bash: whatever quotes are open, every name comes out as it is, and nothing is run' '
	cd odd && PYTHONPATH=.. python3 ../bash.py && test_path_is_missing ran
'

test_expect_success FISH 'fish: refs, options with what they do, content, and every name but one with a tab' '
	cd odd && store completion fish >../store.fish && store tag -q v1 &&
	fish --no-config -c "source ../store.fish; complete -C \"store log --onel\"; complete -C \"store cat HEAD:o\"; complete -C \"store cat odd/x@v\"" >../got &&
	printf "%s\n" "--oneline	one line each: id and subject" "HEAD:odd/" "odd/x@v1	tag" >../want && test_cmp ../want ../got &&
	fish --no-config -c "source ../store.fish; set -l all (complete -C \"store add odd/\" | string collect); printf %s \$all" >../got &&
	PYTHONPATH=.. python3 -c "
import names, re
got = open(\"../got\", \"rb\").read()
for n in names.NAMES:
    if not set(n) & set(b\"\\n\\r\\033\"):
        assert b\"odd/\" + n in got.split(b\"\\n\"), (n, got)
" && test_path_is_missing ran
'

# A shell on a terminal: COMMAND TAB, and then it is run.  Its answer must be the content of the file.
cat >typed.py <<'EOF'
import os, sys, terminal
shell, setup = sys.argv[1], sys.argv[2]
CASES = [(r'store cat HEAD:odd/\$\(', '$(touch ran)'), (r'store cat odd/semi', 'semi;touch ran'), ("store cat 'HEAD:odd/say", 'say "hi"'),
         ('store cat odd/a@b@HE', 'a@b'), ('store cat HEAD:odd/back', 'back\\slash')]
state = {'step': 0}

def talk(fd, run):
    if state['step'] == 0 and b'READY' in run.out:
        os.write(fd, setup.encode() + b'; printf "%s%s\\n" SET UP\n')
        state['step'] = 1
    elif state['step'] == 1 and b'SETUP\r' in run.out:
        state['step'] = 2
        ask(fd)
    elif state['step'] >= 2 and (b'[DONE%d]' % (state['step'] - 2)) in run.out:
        state['step'] += 1
        if state['step'] - 2 < len(CASES):
            ask(fd)
        else:
            os.write(fd, b'exit\n')

def ask(fd):
    n = state['step'] - 2
    # The mark is put together by the shell, so that its echo is not taken for it.
    os.write(fd, CASES[n][0].encode() + b'\t; echo "[DO""NE%d]"\n' % n)

argv = {'bash': ['bash', '--norc', '--noprofile', '-i'], 'zsh': ['zsh', '-f', '-i']}[shell]
run = terminal.run(argv, env={'PS1': 'READY> ', 'TERM': 'dumb', 'HISTFILE': '/dev/null'}, columns=300, on_output=talk, limit=20)
for n, (line, want) in enumerate(CASES):
    assert want + '[DONE%d]' % n in run.out.decode(errors='replace').replace('\r', ''), (line, want, run.out)
EOF

test_expect_success BASH 'bash on a terminal: what TAB puts there names the file' '
	cd odd && store completion bash >../store.bash && python3 ../typed.py bash "source ../store.bash" && test_path_is_missing ran
'

test_expect_success ZSH 'zsh on a terminal: what TAB puts there names the file' '
	cd odd && store completion zsh >../_store && python3 ../typed.py zsh "autoload -Uz compinit; compinit -D -u; source ../_store" &&
	test_path_is_missing ran
'

test_expect_success 'what make install puts in place is what the command prints' '
	for pair in bash:store.bash zsh:_store fish:store.fish; do
		store completion "${pair%:*}" >got && test_cmp "$SRC_ROOT/contrib/completion/${pair#*:}" got || return 1
	done
'

test_expect_success 'the script for another shell is refused' '
	test_expect_code 2 store completion tcsh 2>err && test_grep "bash, zsh or fish" err && test_expect_code 2 store completion 2>err
'

test_done
