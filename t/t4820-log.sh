#!/bin/sh
# Which commits log lists: by revision, path, date, author and message; git, given the same history, is the oracle.
. "${0%/*}/test-lib.sh"
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

command -v git >/dev/null && test_set_prereq GIT
cases=$(test_cases 50)

cat >oracle.py <<'EOT'
# One forest of random commits for store and for git, and the same questions to both of histories in it.
import json, os, random, shutil, subprocess, sys

NAMES = ["a", "b", "a-b", "a.b", "ab", "d"]
AUTHORS = [("Ann Uth", "ann@x"), ("Bo. B", "bo@y.z"), ("ann lower", "a+b@x")]
WORDS = ["fix", "Fix", "boat", "a.b", "(x|y)", "sea$", "^mast", "[hull]", "ends"]

def spawn(args, data=None, **env):
    p = subprocess.run(args, input=data, capture_output=True, env=dict(os.environ, **env), close_fds=False)
    if p.returncode:
        sys.exit("%r: %r" % (args, p.stderr))
    return p.stdout

def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)

# git keeps no empty directories, so none is left.
def prune(path):
    while path and os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)
        path = os.path.dirname(path)

def write(r, path):
    parts = path.split("/")
    for i in range(1, len(parts)):
        above = "/".join(parts[:i])
        if os.path.lexists(above) and (os.path.islink(above) or not os.path.isdir(above)):
            os.unlink(above)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if os.path.lexists(path) and r.random() < 0.2 and not os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, os.stat(path).st_mode ^ 0o111)
        return
    remove(path)
    if r.random() < 0.1:
        os.symlink("t%d" % r.randrange(9), path)
    else:
        with open(path, "w") as f:
            f.write("%d\n" % r.randrange(1000000))

def edit(r, seen):
    for _ in range(r.randint(1, 3)):
        path = "/".join(r.choice(NAMES) for _ in range(r.randint(1, 4)))
        seen.update("/".join(path.split("/")[:i]) for i in range(1, path.count("/") + 2))
        if r.random() < 0.3 and seen:
            gone = r.choice(sorted(seen))
            remove(gone)
            prune(os.path.dirname(gone))
        else:
            write(r, path)

def message(r):
    return "".join(" ".join(r.choice(WORDS) for _ in range(r.randint(1, 3))) + r.choice(["\n", "\n\n"])
                   for _ in range(r.randint(1, 3))).rstrip("\n")

# The tree here, for git fast-import.
def tree():
    out = [b"deleteall\n"]
    for here, dirs, files in os.walk("."):
        dirs[:] = [d for d in dirs if d != ".store"]
        for name in files + [d for d in dirs if os.path.islink(os.path.join(here, d))]:
            path = os.path.join(here, name)[2:]
            if os.path.islink(path):
                mode, data = b"120000", os.readlink(path).encode()
            else:
                mode, data = b"100755" if os.stat(path).st_mode & 0o100 else b"100644", open(path, "rb").read()
            out.append(b"M %s inline %s\ndata %d\n%s\n" % (mode, path.encode(), len(data), data))
    return b"".join(out)

# The commits of both, by their number, with how many came before each; every third or so goes on from an older one.
def make(r, count):
    seen, stream, depth, stores, last, now = set(), [], [], [], None, 1700000000
    spawn(["store", "-q", "init", "."])
    for i in range(count):
        if last is not None and r.random() < 0.3:
            last = r.randrange(max(0, i - 25), i)
            spawn(["store", "-q", "switch", "--detach", stores[last]])
        if r.random() < 0.9:
            edit(r, seen)
        now += r.choice([0, 1, 3600, 86400, -7200])
        who = r.choice(AUTHORS)
        env = {"STORE_%s_%s" % (w, k): v for w in ("AUTHOR", "COMMITTER") for k, v in zip(("NAME", "EMAIL", "DATE"), who + ("@%d +0000" % now,))}
        text = "%d %s" % (i, message(r))
        spawn(["store", "-q", "add", "-A"])
        stores.append(json.loads(spawn(["store", "--json", "commit", "--allow-empty", "-m", text], **env))["commit"])
        stream.append(b"commit refs/heads/c%d\nmark :%d\n" % (i, i + 1))
        stream += [b"%s %s <%s> %d +0000\n" % (w, who[0].encode(), who[1].encode(), now) for w in (b"author", b"committer")]
        stream.append(b"data %d\n%s\n" % (len(text) + 1, text.encode()))
        if last is not None:
            stream.append(b"from :%d\n" % (last + 1))
        stream.append(tree())
        depth.append(depth[last] + 1 if last is not None else 0)
        last = i
    spawn(["git", "init", "-q", "--bare", "../git"])
    spawn(["git", "-C", "../git", "fast-import", "--quiet", "--export-marks=../marks"], b"".join(stream))
    gits = dict(line.split() for line in open("../marks"))
    return sorted(seen), depth, stores, [gits[":%d" % (i + 1)] for i in range(count)]

def store_log(args):
    lines = spawn(["store", "log", "--oneline", "--no-pager"] + args).decode().splitlines()
    return [line.split(" ")[1] for line in lines]

def git_log(args):
    return [line.split(" ")[0] for line in spawn(["git", "-C", "../git", "log", "--format=%s"] + args).decode().splitlines()]

# "{N}" in a word is commit N.
def ask(args):
    a = store_log([w if w[0] == "-" else w.format(*stores) for w in args])
    b = git_log([w if w[0] == "-" else w.format(*gits) for w in args])
    if a != b:
        sys.exit("seed %d, %r: store %r, git %r" % (seed, args, a, b))
    return len(a)

def question(r, paths, tip, other, depth):
    args = []
    for chance, option in ((0.3, "--since"), (0.3, "--until")):
        if r.random() < chance:
            args.append("%s=%s" % (option, "@%d +0000" % (1700000000 + r.randrange(-5000, 40000 * len(stores)))))
    kind = r.choice([[], [], ["-E"], ["-F"]])
    args += kind
    if r.random() < 0.4:
        args += ["-i"]
    for chance, option, patterns in ((0.4, "--author", ["ann", "Bo.", "^Ann", "x>$", "a+b", "@[xy]"]),
                                     (0.2, "--author", ["lower", "y.z>", "nobody"]),
                                     (0.4, "--grep", ["fix", "a.b", "^mast", "sea$", "x|y", "boat", "hull", "ends$"]),
                                     (0.2, "--grep", ["Fix", "^. ", "^[0-9]*3"])):
        if r.random() < chance:
            args.append("%s=%s" % (option, r.choice(patterns)))
    for option in ("--skip=2", "--skip=0", "-n3", "--reverse", "--first-parent"):
        if r.random() < 0.2:
            args.append(option)
    if r.random() < 0.5:
        args += ["{%d}" % tip]
    else:
        back = r.randrange(depth + 1)
        args += r.choice([["{%d}~%d" % (tip, back)], ["{%d}~%d..{%d}" % (tip, back, tip)], ["^{%d}~%d" % (tip, back), "{%d}" % tip],
                          ["{%d}...{%d}~%d" % (tip, tip, back)], ["{%d}..{%d}" % (other, tip)], ["{%d}...{%d}" % (other, tip)],
                          ["{%d}" % other, "{%d}" % tip]])
    return args + (["--"] + with_slash(r, r.sample(paths, 2)) if r.random() < 0.3 else [])

def with_slash(r, paths):
    return [p + r.choice(["", "", "/"]) for p in paths]

seed, count = int(sys.argv[1]), int(sys.argv[2])
r = random.Random(seed)
os.mkdir("forest")
os.chdir("forest")
paths, depth, stores, gits = make(r, count + 10)
asked = answered = 0
# A history is that of one commit; those with nothing before them tell little.
for tip in r.sample(sorted(range(len(depth)), key=lambda i: depth[i])[10:], count):
    questions = [["{%d}" % tip, "--", path] for path in with_slash(r, r.sample(paths, 2))]
    questions += [question(r, paths, tip, r.randrange(len(depth)), depth[tip]) for _ in range(3)]
    for args in questions:
        answered += ask(args)
        asked += 1
print(asked, answered)
if answered < asked:
    sys.exit("hardly any question had an answer")
EOT

# fresh NAME: three commits, each a day after the one before.
fresh()
{
	mkdir "$1" && cd "$1" && store -q init && for i in 1 2 3; do
		echo "$i" >file && mkdir -p d && echo "$i" >"d/$i" && store -q add -A &&
			STORE_COMMITTER_DATE="2026-01-0${i}T12:00:00Z" store -q commit -m "commit $i" || return 1
	done
}
# subjects ARG...: the last word of each subject that log prints, in one line.
subjects()
{
	store log --oneline "$@" | sed 's/.* //' | tr '\n' ' ' | sed 's/ $//'
}

test_expect_success GIT 'on random histories paths, dates, authors, patterns, ranges, -n, --skip and --reverse choose what git chooses' '
	export GIT_CONFIG_NOSYSTEM=1 && python3 ./oracle.py 1 "$cases"
'

test_expect_success 'a path below a directory that came or went as a whole is listed when it was there, and not when it was not' '
	fresh whole && mkdir -p x/y && echo 1 >x/y/z && store -q add x && store -q commit -m "commit 4" && rm -r x && store -q add -A &&
	store -q commit -m "commit 5" && test "$(subjects -- x/y/z)" = "5 4" && test "$(subjects -- x/y)" = "5 4" && test "$(subjects -- x/y/no)" = "" &&
	test "$(subjects -- x/no/z)" = "" && test "$(subjects -- d/2)" = 2 && test "$(subjects file)" = "3 2 1" && test "$(subjects -- x d/3)" = "5 4 3"
'

test_expect_success 'paths are relative to the current directory, and -- parts them from revisions' '
	cd whole/d && test "$(subjects 2)" = 2 && test "$(subjects ../file)" = "3 2 1" && test "$(subjects .)" = "3 2 1" &&
	test "$(subjects HEAD~3 -- 2)" = 2 && test "$(subjects HEAD~4 -- 2)" = "" && test "$(subjects HEAD~3..HEAD~2)" = 3 &&
	test "$(subjects ^HEAD~3 HEAD~1)" = "4 3" && test "$(subjects ^HEAD~1)" = 5
'

test_expect_success 'a path that ends with a slash is a directory: a file or link of the name is not listed, nor are its changes' '
	mkdir slash && cd slash && store init -q && step() { store -q add -A && store -q commit --allow-empty -m "commit $1"; } &&
	echo 1 >d && echo 1 >e && step 1 && echo 2 >d && step 2 && rm d && mkdir d && echo 3 >d/f && step 3 && echo 4 >e && chmod +x d/f && step 4 &&
	rm -r d && ln -s e d && step 5 && rm d && mkdir d && step 6 && rmdir d && step 7 &&
	test "$(subjects -- d)" = "7 6 5 4 3 2 1" && test "$(subjects -- d/)" = "7 6 5 4 3" && test "$(subjects -- e/)" = "" && test "$(subjects -- d/f)" = "5 4 3" &&
	test "$(subjects -- d/f/)" = "" && test "$(subjects -- ./)" = "7 6 5 4 3 2 1" && test "$(subjects -- d// e)" = "7 6 5 4 3 1" &&
	store log -1 --name-status --oneline -- d/ >../got && test_grep "^D	d/$" ../got &&
	store log -1 --name-status --oneline HEAD~4 -- d/ >../got && test_grep "^A	d/f$" ../got && test_grep ! "^D" ../got &&
	mkdir d && cd d && test "$(subjects -- ../d/)" = "7 6 5 4 3"
'

test_expect_success 'a look for a path costs a few look-ups for each commit, however many files the commit changes' '
	mkdir many && cd many && store -q init && mkdir d && for i in 1 2 3 4; do
		(cd d && seq 1001 2500 | while read -r n; do echo "$i $n" >"$n" || exit 1; done) && store -q add -A && store -q commit -m "commit $i" || return 1
	done && store log --stats --oneline -- d/1700 2>../stats >../out && test_line_count -eq 4 ../out &&
	nodes=$(sed -n "s/^nodes read: //p" ../stats) && test "$nodes" -ge 4 && test "$nodes" -le 32 &&
	store log --stats --oneline -- nosuch/deep/path 2>../stats >../out && test_must_be_empty ../out &&
	nodes=$(sed -n "s/^nodes read: //p" ../stats) && test "$nodes" -ge 4 && test "$nodes" -le 64
'

test_expect_success 'dates may be given in full, as days, and as lengths of time; --after and --before are --since and --until' '
	cd whole && test "$(subjects --since 2026-01-03T00:00:00Z HEAD~2)" = 3 &&
	test "$(subjects --after 2026-01-02 --before 2026-01-03T12:00:00Z HEAD~2)" = "3 2" &&
	STORE_COMMITTER_DATE= store -q commit --allow-empty -m now && test "$(subjects --since "2 weeks")" = now && test "$(subjects --since=2.weeks.ago)" = now
'

test_expect_success 'a path that looks like a pattern is a name, and when nothing is listed for it a line says so' '
	cd whole && for word in "*" "fil?" "[f]ile"; do
		store log -- "$word" >../out 2>../err && test_must_be_empty ../out && test_grep "paths are names, not patterns" ../err && test_line_count -eq 1 ../err || return 1
	done && store -q log -- "*" >../out 2>&1 && test_must_be_empty ../out && store log -- nothing >../out 2>&1 && test_must_be_empty ../out &&
	store init -q ../star && cd ../star && echo 1 >"*" && store add -q . && store commit -q -m one && store log --oneline -- "*" >../out 2>../err && test_line_count -eq 1 ../out && test_must_be_empty ../err
'

test_expect_success 'bad input is refused in one line that says what to do' '
	cd whole && refuse() { test_expect_code 2 store log "$@" >../out 2>../err && test_must_be_empty ../out && test_line_count -eq 1 ../err; } &&
	refuse --author "a[" && test_grep "a\[. is no regular expression: " ../err && refuse --grep "a\(" && test_grep "is no regular expression" ../err &&
	refuse -E --grep "a(" && test_grep "is no regular expression" ../err && test "$(subjects -F --grep "commit 3")" = 3 && refuse -E -F && test_grep "contradict" ../err &&
	refuse --grep "a
b" && test_grep "several lines" ../err && refuse --since "12 parsecs" && test_grep "since: .12 parsecs. is no date" ../err &&
	refuse --until "" && test_grep "until: .* is no date" ../err && refuse nosuch && test_grep "nosuch.*behind .--.$" ../err &&
	refuse HEAD nosuch && test_grep "nosuch.*behind .--.$" ../err && refuse file nosuch && test_grep "there is no file .nosuch." ../err &&
	echo 1 >main && refuse main && test_grep ".main. is a revision and a file" ../err && test "$(subjects -1 main --)" = now && rm main &&
	refuse -- ../../.. && test_grep "outside" ../err && refuse -- "" && test_grep "PATH is empty" ../err && refuse --skip x && test_grep "no number from 0" ../err &&
	refuse "HEAD~99.." && test_grep "first commit" ../err && mkdir ../unborn && cd ../unborn && store -q init && refuse && refuse -- file
'

test_done
