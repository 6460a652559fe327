#!/bin/sh
# core.metadata: what is recorded of files beside their content, what of it is a change, and what a checkout gives back.
. "${0%/*}/test-lib.sh"

reader=$SRC_ROOT/t/second-reader
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# All that looks at attributes and sets them, many in one process.
# attr.py can DIR: the prerequisites that hold in it.  attr.py make DIR: a tree with attributes of every kind.
# attr.py do [WORD...]: of each line of standard input, and of WORDs, set PATH NAME TEXT | hex PATH NAME DIGITS | fill PATH NAME BYTES
# | rm PATH NAME | mode PATH OCTAL | own PATH UID GID.
# attr.py show [user] DIR: MODE SECONDS NANOSECONDS UID GID PATH NAME=HEX... of all in DIR, as the second reader has it; with user
# neither owners nor other attributes than user.*, and nothing of links but their times.
# attr.py same [lent] [stripped] [bare] DIR DIR...: both of each pair are alike.  lent: the second has what a checkout without all
# gives; stripped: it has no attributes; bare: and no others than user.*.
# attr.py seen [timeless] [below] STORE [DIR]: the second reader finds nothing wrong, and what it has of HEAD is what the kernel says
# of DIR; below: but for the top, timeless: but for times.  It is left in the file seen.
# attr.py twice DIR: a second writer makes the meta map that is there.
# attr.py lie bad|good DIR FROM TO: a repository of the second writer in which its text FROM is TO, and what the reader says of it.
cat >attr.py <<'EOT'
import calendar
import difflib
import importlib.machinery
import importlib.util
import io
import os
import re
import shlex
import stat
import sys

T = os.path.join(os.environ["SRC_ROOT"], "t")
RECORDED = re.compile(r"(user|trusted)\..|security\.capability$|system\.posix_acl_(access|default)$")
CAPS = bytes.fromhex("0100000202000000000000000000000000000000")
ACL = bytes.fromhex("0200000001000600ffffffff020006000100000004000400ffffffff10000600ffffffff20000000ffffffff")
KINDS = {"XATTR": {"user.x": b"1"}, "TRUSTED": {"trusted.x": b"1"}, "CAPS": {"security.capability": CAPS},
         "ACL": {"system.posix_acl_access": ACL}, "LABELS": {"security.other": b"1", "security.selinux": b"label"}}


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(T, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def put(path, name, value):
    os.setxattr(path, name, value, follow_symlinks=False)


def can(folder):
    path = os.path.join(folder, "attr.probe")
    open(path, "w").close()
    kinds = []
    for kind, names in KINDS.items():
        try:
            for name, value in names.items():
                put(path, name, value)
                os.removexattr(path, name)
        except OSError:
            continue
        kinds.append(kind)
    os.unlink(path)
    return kinds


def write(path, data, mode=0o644):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def touch(path, date, ns=0):
    ns += calendar.timegm(date) * 10 ** 9
    os.utime(path, ns=(ns, ns), follow_symlinks=False)


def make(top):
    kinds = can(".")
    os.makedirs(top, exist_ok=True)
    os.chdir(top)
    os.makedirs("dir/sub")
    os.mkdir("empty folder")
    write("file", b"1\n", 0o640)
    write("dir/program", b"2\n", 0o4755)
    write("dir/sub/bare", b"3\n")
    write("nothing", b"")
    write("large", b"x" * 3000000)
    os.symlink("file", "link")
    os.chmod("dir/sub", 0o700)
    os.chmod("dir", 0o1777)
    for path, name, value in [("file", "comment", b"a word"), ("file", "empty", b""), ("nothing", "x", b"1"), ("large", "big", b"yes"),
                              ("dir", "dir", b"folder"), (".", "top", os.fsencode(top)), ("empty folder", "alone", b"1")]:
        put(path, "user." + name, value)
    if "TRUSTED" in kinds:
        put("file", "trusted.root", b"1")
        put("link", "trusted.link", b"2")
        put("dir/sub", "trusted.dir", b"3")
    if "CAPS" in kinds:
        put("dir/program", "security.capability", CAPS)
    if "ACL" in kinds:
        put("nothing", "system.posix_acl_access", ACL)
        put("dir/sub", "system.posix_acl_default", ACL)
    if os.getuid() == 0:
        os.chown("dir/sub/bare", 7, 8)
        os.lchown("link", 9, 9)
        os.chown("large", 10, -1)
    touch("nothing", (1960, 5, 6, 7, 8, 9), 123456789)
    for path in "file", "dir/sub", "dir":
        touch(path, (2001, 2, 3, 4, 5, 6), 500000000)
    touch("link", (1999, 12, 31, 23, 59, 59))
    touch(".", (2020, 1, 1, 0, 0, 0), 1)


def do(words):
    lines = [words] if words else [shlex.split(line) for line in sys.stdin]
    for word, path, *rest in lines:
        if word == "rm":
            os.removexattr(path, rest[0], follow_symlinks=False)
        elif word == "mode":
            os.chmod(path, int(rest[0], 8))
        elif word == "own":
            os.chown(path, int(rest[0]), int(rest[1]), follow_symlinks=False)
        elif rest[1] == "acl":
            put(path, rest[0], ACL)
        else:
            put(path, rest[0], {"set": os.fsencode, "hex": bytes.fromhex, "fill": lambda n: os.urandom(int(n))}[word](rest[1]))


def show_one(path, shown, wanted, with_owner):
    st = os.lstat(path)
    if not with_owner and stat.S_ISLNK(st.st_mode):
        mode = 0o777
    else:
        mode = st.st_mode & 0o7777
    owner = "%d %d " % (st.st_uid, st.st_gid) if with_owner else ""
    words = ["%04o %d %d %s%s" % (mode, *divmod(st.st_mtime_ns, 10 ** 9), owner, shown)]
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if wanted(name):
            words.append("%s=%s" % (name, os.getxattr(path, name, follow_symlinks=False).hex()))
    return " ".join(words)


def show(top, user=False):
    wanted = (lambda n: n.startswith("user.")) if user else RECORDED.match
    lines = [((), show_one(top, ".", wanted, not user))]
    for place, folders, files in os.walk(top):
        if place == top:
            folders[:] = [n for n in folders if n != ".store"]
        for name in folders + files:
            path = os.path.join(place, name)
            shown = os.path.relpath(path, top)
            lines.append((tuple(shown.split("/")), show_one(path, shown, wanted, not user)))
    return [line for _, line in sorted(lines)]


def alike(want, got, what):
    if want == got and want:
        return 0
    print("\n".join(difflib.unified_diff(want, got, lineterm="")) or "nothing at all", "in", what)
    return 1


def same(words):
    modes = set(words) & {"lent", "stripped", "bare"}
    paths = [w for w in words if w not in modes]
    bad = 0
    for a, b in zip(paths[::2], paths[1::2]):
        want = show(a, "lent" in modes)
        if "lent" in modes:
            # Bits that are nobody elses, and of a file with an access list what the group had.
            want = [re.sub(r"^0660 (.* nothing)", r"0640 \1", "0" + line[1:]) for line in want]
        if "stripped" in modes:
            want = [re.sub(r" user\..*", "", line) for line in want]
        bad |= alike(want, show(b, "lent" in modes), b)
        if "bare" in modes and [line for line in show(b) if re.search("trusted|security|system", line)]:
            bad = 1
            print("other attributes in", b)
    return bad


def attributes(store, reader):
    meta, rows, out = store.commit(store.resolve("HEAD")[1])[2], [], io.BytesIO()
    if meta:
        store.attributes(meta[0], meta[1], True, b"", rows)
    reader.print_attributes(rows, False, out)
    return out.getvalue().decode("utf-8", "surrogateescape").splitlines()


def seen(words):
    modes = set(words) & {"timeless", "below"}
    paths = [w for w in words if w not in modes]
    reader = load("second-reader")
    store = reader.Store(paths[0])
    store.verify()
    got, want = attributes(store, reader), show(paths[-1])
    with open(os.path.join(os.environ["TRASH"], "seen"), "w") as f:
        f.write("\n".join(got) + "\n")
    if "below" in modes:
        got, want = got[1:], want[1:]
    if "timeless" in modes:
        got, want = ([" ".join(line.split(" ")[:1] + line.split(" ")[3:]) for line in lines] for lines in (got, want))
    return alike(want, got, paths[-1])


def meta_of(reader, path):
    store = reader.Store(path)
    return store.commit(store.resolve("HEAD")[1])[2]


def twice(top):
    reader, writer = load("second-reader"), load("second-writer.py")
    bad = 0
    for n, options in enumerate([[], ["--average", "256"]]):
        out = "../second%d" % n
        sys.argv = ["second-writer", "--posix"] + options + [top, out]
        writer.main()
        if n == 0:
            reader.Store(out).verify()
        if meta_of(reader, out) != meta_of(reader, top):
            bad = 1
            print("another meta map", options)
    return bad


def lie(kind, top, old, new):
    tree = top + ".tree"
    os.makedirs(tree)
    write(os.path.join(tree, "file"), b"1\n")
    put(os.path.join(tree, "file"), "user.a", b"1")
    put(os.path.join(tree, "file"), "user.b", b"2")
    with open(os.path.join(T, "second-writer.py")) as f:
        text = f.read()
    assert text.count(old) == 1
    sys.argv = ["second-writer", "--posix", tree, top]
    exec(compile(text.replace(old, new), "lying", "exec"), {"__name__": "__main__"})
    os.makedirs(os.path.join(top, ".store/tmp"))
    write(os.path.join(top, ".store/config"), b"[core]\n")
    reader = load("second-reader")
    try:
        store = reader.Store(top)
        store.verify()
        told = "good"
        print("\n".join(attributes(store, reader)))
    except reader.Bad as e:
        told = "bad"
        print("refused:", e)
    return told != kind


word, words = sys.argv[1], sys.argv[2:]
if word == "can":
    print(*can(words[0]))
elif word == "show":
    print("\n".join(show(words[-1], words[0] == "user")))
elif word in ("make", "twice"):
    sys.exit({"make": make, "twice": twice}[word](words[0]))
elif word == "lie":
    sys.exit(lie(*words))
else:
    sys.exit({"do": do, "same": same, "seen": seen}[word](words))
EOT
attr()
{
	python3 "$TRASH/attr.py" "$@"
}

# What depends on the file system and on rights has a promise of its own, so that nothing is left out unseen.
for kind in $(attr can .); do test_set_prereq "$kind"; done
# On a tmpfs root may give a file as many bytes of attributes as the limit asks for.
big=
if test_root && [ -d /dev/shm ] && big=$(mktemp -d /dev/shm/store-t4050.XXXXXX 2>/dev/null); then
	case $(attr can "$big") in *TRUSTED*) test_set_prereq LONGLISTS ;; esac
fi

# committed NAME: a copy of a repository with one commit and attributes of every kind, whose metadata is posix; we are in it.
committed()
{
	cp -a "$TRASH/base" "$1" && cd "$1" || return
}
# status_is LINE...: status --porcelain is these lines.
status_is()
{
	store status --porcelain >../got || return 1
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@" >../want && test_cmp ../want ../got
	else
		test_must_be_empty ../got
	fi
}
# Wait until a file that is written now is older than the grain of the clock.
settle()
{
	sleep 0.1
}
# commit_as NAME [OPTION...]: commit what is staged, and leave its id and root in id_NAME and root_NAME.
commit_as()
{
	name=$1 && shift && store --json "$@" commit -m one >../json && IFS= read -r json <../json &&
		id=${json#*'"commit":"'} && id=${id%%'"'*} && root=${json#*'"root":{'} && root=${root%%'}'*} &&
		test ${#id} = 64 && test ${#root} -gt 64 && eval "id_$name=\$id root_$name=\$root"
}

test_expect_success XATTR 'setup: a tree with attributes of every kind is committed, and is copied whole' '
	mkdir base && cd base && store -q init && printf "[core]\nmetadata = posix\n" >>.store/config && (cd .. && attr make base) &&
	store -q add . && store -q commit -m one && (cd .. && committed full) && attr same . ../full
'

test_expect_success XATTR 'setup: what is recorded of every entry is what the kernel says of it' '
	cd full && attr seen . && cp ../seen ../recorded && test_grep "user.empty= *" ../recorded && store -q fsck && status_is
'

# What only some file systems and some users can set has promises of its own.  among FILE PATTERN...: it is in lines of FILE.
among()
{
	file=$1 && shift && for pattern; do
		test_grep "$pattern" "$TRASH/$file" || return 1
	done
}
# recorded_and_given_back PREREQ WHAT PATTERNS: one now, and the other where checkouts are looked at.
recorded_and_given_back()
{
	test_expect_success "XATTR,$1" "$2 are recorded" "among recorded $3"
	given_back="${given_back-}
$1|$2|$3"
}
recorded_and_given_back TRUSTED 'trusted attributes of files, directories and links' '" file .*trusted.root=31" " dir/sub .*trusted.dir=33" " link trusted.link=32"'
recorded_and_given_back CAPS 'capabilities of programs' '" dir/program security.capability=01000002"'
recorded_and_given_back ACL 'access lists, and those that a directory gives on' '" nothing system.posix_acl_access=02.* user.x=31" " dir/sub system.posix_acl_default=02"'
recorded_and_given_back ROOT 'owners of files, large ones and links' '" 7 8 dir/sub/bare" " 10 [0-9]* large" " 9 9 link"'

test_expect_success XATTR 'a second writer, made from the page alone, writes the same meta map' '
	cd full && attr twice .
'

test_expect_success XATTR 'none, times and posix: commit ids differ, the root never' '
	cd full && for mode in none times posix; do
		rm -rf .store && store -q init && store -q -c core.metadata=$mode add . && commit_as $mode -c core.metadata=$mode &&
		store ls -r >../ls.$mode && "$reader" . verify || return 1
	done && test "$root_none" = "$root_times" && test "$root_none" = "$root_posix" && test_cmp ../ls.none ../ls.posix &&
	test "$id_none" != "$id_times" && test "$id_times" != "$id_posix" && test "$id_none" != "$id_posix"
'

test_expect_success XATTR 'any number of threads makes the same commit' '
	cd full && for n in 1 2 7; do
		rm -rf .store && store -q init && touch -d "2020-01-01T00:00:00.000000001Z" . &&
		store -q --threads $n -c core.metadata=posix add . && commit_as $n || return 1
	done && test "$id_1" = "$id_2" && test "$id_1" = "$id_7"
'

test_expect_success XATTR 'files with the same attributes share one list' '
	mkdir shared && cd shared && store -q init && python3 -c "
import os
for n in range(300):
    os.close(os.open(str(n), os.O_CREAT | os.O_WRONLY))
    os.setxattr(str(n), \"user.same\", bytes(1000))
" && store --json -c core.metadata=posix add . >../out && test_grep "\"new_bytes\":1016," ../out
'

# --- what is a change

# kinds FILE: what makes another file of it without touching its content: NAME of the kind, and what attr.py is to do.
kinds()
{
	echo "new set $1 user.new 1"
	echo "other set $1 user.comment other"
	if test_root; then printf '%s\n' "owner own $1 1234 -1" "group own $1 -1 1234"; fi
	case $test_prereqs in *" ACL "*) echo "acl set $1 system.posix_acl_access acl" ;; esac
}

# all_are STATUS: status --porcelain is each of the changed paths with STATUS before it.
all_are()
{
	store status --porcelain >../got && sed "s/^[a-z]* \([^ ]*\).*/$1 \1/" ../changes >../want && test_cmp ../want ../got
}

# Each kind has a small file and one of several chunks of its own.  All are looked at together, and each is committed alone.
test_expect_success XATTR 'a changed mode, owner or attribute is M, is staged by add and is something to commit; a time is not' '
	committed changed && { kinds small && kinds big && echo "mode mode small 600" && echo "less rm small user.comment" &&
		if test_root; then echo "owner own link 1 1"; fi; } >../kinds && test_line_count -ge 6 ../kinds && python3 -c "
import os
changes = []
for line in open(\"../kinds\"):
    kind, word, path, *rest = line.split()
    name = path + \"-\" + kind
    if path == \"link\":
        os.symlink(\"file\", name)
    else:
        open(name, \"w\").write(kind * (100000 if path == \"big\" else 1))
        os.setxattr(name, \"user.comment\", b\"a word\")
    changes.append(\" \".join([word, name] + rest))
print(\"\\n\".join(sorted(changes, key=lambda c: c.split()[1])))" >../changes && store -q add . && commit_as before && settle && status_is &&
	attr do <../changes && all_are " M" && cp -a . ../staged && (cd ../staged && store -q add . && all_are "M ") && : >../added && : >../done &&
	while read -r word path rest; do
		store --json add "$path" >>../added && commit_as now && test "$root_now" = "$root_before" && echo "$path" >>../done || {
			echo "at $word $path $rest" && return 1
		}
	done <../changes && test "$(grep -c "\"modified\":1,\"deleted\":0,\"directories\":0,\"unchanged\":0" ../added)" = "$(wc -l <../changes)" && status_is &&
	touch -h file large link ./*-* && status_is && store add . && status_is && test_expect_code 1 store commit -m time && attr seen timeless .
'

test_expect_success XATTR,ROOT 'an owner and a group were among the changes, of a link, too' '
	printf "%s\n" big-group big-owner link-owner small-group small-owner >want && grep -E "owner|group" done >got && test_cmp want got
'

test_expect_success XATTR,ACL 'an access list was among the changes' '
	printf "%s\n" big-acl small-acl >want && grep acl done >got && test_cmp want got
'

test_expect_success XATTR 'of a directory and of the top they are a change once they are added' '
	committed folders && settle && printf "%s\n" "set dir user.dir other" "set . user.top other" | attr do && store -q add . &&
	status_is "M  ./" "M  dir/" && store -q commit -m dir && status_is && touch dir . && store -q add . && status_is &&
	test_expect_code 1 store commit -m time && printf "%s\n" "mode \"empty folder\" 711" "set \"empty folder\" user.more 1" | attr do &&
	store -q add . && status_is "M  \"empty folder/\"" && store -q commit -m folder && "$reader" . verify
'

test_expect_success XATTR 'what was changed and changed back is no change' '
	committed back && settle && attr do set file user.comment other && status_is " M file" &&
	attr do set file user.comment "a word" && status_is && printf "%s\n" "set nothing user.y 1" "rm nothing user.y" | attr do &&
	status_is && test_expect_code 1 store commit -m none
'

test_expect_success XATTR 'with times attributes are no change' '
	cd changed && attr do set file user.other 1 && store -c core.metadata=times status --porcelain >../out && test_must_be_empty ../out &&
	store status --porcelain
'

test_expect_success XATTR,ROOT 'with times owners are none either' '
	cd changed && chown 4321 large && store -c core.metadata=times status --porcelain >../out && test_must_be_empty ../out &&
	store status --porcelain
'

test_expect_success XATTR 'after a switch to posix add reads anew, and what was not recorded before is no change' '
	committed switched && rm -rf .store && store -q init && store -q add . && store -q commit -m times && settle &&
	"$reader" . attributes >../out && test_grep "0640 981173106 500000000 - - file$" ../out &&
	printf "[core]\nmetadata = posix\n" >>.store/config && status_is && store -q add . && status_is &&
	test_expect_code 1 store commit -m nothing && echo more >more && store -q add . && store -q commit -m posix &&
	attr seen . && settle && store -q status && store --json add . >../out && test_grep "\"opened\":0" ../out
'

test_expect_success XATTR,LABELS 'labels of the machine are neither recorded nor a change' '
	committed labels && settle && printf "%s\n" "set file security.other 1" "set file security.selinux label" | attr do && status_is &&
	store -q add . && store -q commit --allow-empty -m label && attr seen . && test_grep ! security.selinux ../seen &&
	test_grep ! security.other ../seen
'

# --- what comes back

test_expect_success XATTR,ROOT 'setup: root, asking for all, gets all of it' '
	cd full && store checkout --preserve=all --to ../all >../out 2>../err && test_line_count -eq 1 ../err &&
	store checkout --threads 1 --preserve=all --to ../all1 HEAD -- dir large && attr same . ../all dir ../all1/dir &&
	attr show ../all >../given-back
'

while IFS='|' read -r kind what patterns; do
	[ -z "$kind" ] || test_expect_success "XATTR,ROOT,$kind" "root gets back, asking for all: $what" "among given-back $patterns"
done <<EOT
$given_back
EOT

test_expect_success XATTR 'without all there are modes, times and user attributes, and no setuid, owner or other attribute' '
	cd full && store checkout --to ../some 2>../err && test_line_count -eq 1 ../err && attr same lent bare . ../some &&
	test "$(stat -c %u ../some/large ../some/dir ../some/link | sort -u)" = "$(id -u)"
'

test_expect_success XATTR 'somebody else gets the same, with all, too' '
	mkdir other && cp -a full lent && cd lent && test_give_to_user . ../other &&
	test_as_user store checkout --to ../other/some 2>../err && test_line_count -eq 1 ../err &&
	test_as_user store --json checkout --preserve=all --to ../other/all >../out 2>../other.err &&
	attr same lent ../full ../other/some ../full ../other/all && store -q fsck
'

test_expect_success XATTR,ROOT 'and is told once how much only root can set' '
	test_line_count -eq 1 other.err && test_grep ! "\"unset\":0" out &&
	test_grep -E "[0-9]+ recorded attributes could not be set; the first: .* of .*: Operation not permitted" other.err
'

test_expect_success XATTR 'in place they come with --preserve only' '
	mkdir place && cp -a full/.store place && cd place && store -q checkout -f HEAD -- file dir &&
	attr show user . >../out && test_grep ! user. ../out && status_is " D \"empty folder/\"" " D large" " D link" " D nothing" &&
	rm -rf file dir && store -q checkout --preserve HEAD -- file dir && attr same lent ../full/dir ./dir &&
	attr show user . >../got && test_grep "user.comment" ../got
'

test_expect_success XATTR 'a file system that takes no attributes gets all content, one line and exit 0' '
	cd full && STORE_FAULT=xattr.set:1+:ENOTSUP store checkout --to ../plain 2>../err && test_line_count -eq 2 ../err &&
	test_grep -E "7 recorded attributes could not be set; the first: user\.[a-z]+ of .*: Operation not supported" ../err &&
	attr same lent stripped . ../plain
'

# --- damage, and what is not there

test_expect_success XATTR 'fsck --rebuild brings everything back, of commits and of the stage' '
	committed rebuilt && echo 5 >new && printf "%s\n" "set file user.comment staged" "set new user.new 1" | attr do && store -q add . &&
	rm -rf .store/db && store -q fsck --rebuild && store -q fsck && status_is "M  file" "A  new" && store -q commit -m two &&
	attr seen . && status_is
'

test_expect_success XATTR 'fsck names a damaged list by its object and by the path that has it' '
	mkdir damaged && cd damaged && store -q init && echo 1 >file && echo 2 >other && attr do set file user.mark "the mark to be hit" &&
	store -q -c core.metadata=posix -c core.codec=none add . && store -q commit -m one && store -q fsck && python3 - .store/packs >../id <<-"EOF" &&
	import hashlib, os, sys
	mark = b"XA\x01\x01\x09user.mark\x12the mark to be hit"
	for name in os.listdir(sys.argv[1]):
	    path = os.path.join(sys.argv[1], name)
	    data = open(path, "rb").read()
	    at = data.find(mark)
	    if at >= 0:
	        os.chmod(path, 0o644)
	        open(path, "wb").write(data[:at + 20] + b"X" + data[at + 21:])
	        print(hashlib.sha256(mark).hexdigest()[:12])
	EOF
	test -s ../id && test_expect_code 4 store fsck >../out 2>../err && cat ../out ../err >../all.txt && test_grep "$(cat ../id)" ../all.txt &&
	test_grep "$(cat ../id).* is needed by.*" ../all.txt && test_grep "file" ../all.txt &&
	test_expect_code 4 store checkout --to ../hit 2>../err && test_grep "cannot bring back.*file" ../err
'

while IFS='|' read -r name promise from to; do
	test_expect_success XATTR "a list with $promise is refused by fsck, by the second reader and by checkout, which sets nothing of it" '
		attr lie bad $name "$from" "$to" &&
		{ store -C $name fsck --rebuild >out 2>err || test $? = 4; } && test_expect_code 4 store -C $name fsck >out 2>err &&
		cat out err >all.txt && test_grep "extended attributes" all.txt &&
		test_expect_code 4 store -C $name checkout --to ../$name.to HEAD 2>err && test_grep "attributes of .file." err &&
		test_path_is_missing $name.to/file
	'
done <<'EOT'
magic|another beginning|data = b"XA\x01"|data = b"XB\x01"
count|more attributes than it says|leb(len(names))|leb(len(names) - 1)
order|names in another order|for name in names:|for name in names[::-1]:
tail|something behind its end|self.put(CHUNK, data) + b"\0" + leb(len(data))|self.put(CHUNK, data + b"x") + b"\0" + leb(len(data) + 1)
EOT

test_expect_success XATTR 'an honest list of the second writer comes back, and of a name that is not known nothing is set' '
	attr lie good honest "data = b\"XA\\x01\"" "data = b\"\" + b\"XA\\x01\"" && store -C honest -q fsck --rebuild && store -C honest -q fsck &&
	store -C honest checkout --to ../honest.to HEAD && attr same honest.tree honest.to &&
	attr lie good foreign "leb(len(name)) + name" "leb(len(name) + 2) + b\"x.\" + name" >out && test_grep "x.user.a=31" out &&
	store -C foreign -q fsck --rebuild && store -C foreign -q fsck &&
	store -C foreign checkout --preserve=all --to ../foreign.to HEAD 2>err && test_grep "x.user.a of .file.: Operation not permitted" err &&
	attr show foreign.to >got && test_grep ! "user.a" got
'

# Each passing fails once; the add that would mend what it left comes after every third, and at the end.
for point in xattr.list xattr.get; do
	test_expect_success XATTR "an error at $point is told by name, keeps what is staged, and the next add is whole" '
		committed eio.$point && n=1 && while [ $n -le 40 ]; do
			: >../log && touch -h file dir/program large nothing link && rc=0 &&
			{ STORE_FAULT=$point:$n:EIO STORE_FAULT_LOG=../log store --threads 1 add . 2>../err || rc=$?; } && { test -s ../log || break; } &&
			test $rc = 3 && told="" && while IFS= read -r line; do told=$told$line; done <../err &&
			case $told in *"cannot read "*": Input/output error"*) ;; *) echo "$told" && return 1 ;; esac &&
			status_is && { test $((n % 3)) -ne 0 || { store -q add . && status_is; }; } || return 1
			n=$((n + 1))
		done && test $n -le 40 && test $n -gt 5 && status_is && store -q commit --allow-empty -m whole && attr seen .
	'
done

test_expect_success LONGLISTS 'attributes up to 1048576 bytes are kept, more are named and refused, content stays out, exit 3' '
	test_when_finished rm -rf "$big" && mkdir "$big/repo" && cd "$big/repo" && store -q init && echo 1 >file && echo 2 >over && mkdir dir &&
	{ for n in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15; do
		echo "fill file trusted.$n 65536" && echo "fill over trusted.$n 65536" && echo "fill dir trusted.$n 65536" || return 1
	done && printf "%s\n" "fill file trusted.16 65308" "fill over trusted.16 65309" "fill dir trusted.16 65536"; } >"$TRASH/fill" &&
	attr do <"$TRASH/fill" && test_expect_code 3 store -c core.metadata=posix add . 2>"$TRASH/err" &&
	test_grep "over. is left out: its extended attributes are longer than 1048576 bytes" "$TRASH/err" &&
	test_grep "dir. is left out: its extended attributes are longer than 1048576 bytes" "$TRASH/err" &&
	test_grep ! ".file. is" "$TRASH/err" && store -q commit -m one && store ls >"$TRASH/out" && echo file >"$TRASH/want" &&
	test_cmp "$TRASH/want" "$TRASH/out" && store -q fsck && store checkout --preserve=all --to ../to && attr seen below . ../to &&
	store -c core.metadata=posix status --porcelain >"$TRASH/out" && test_grep ! " file" "$TRASH/out"
'
[ -z "$big" ] || rm -rf "$big"

test_done
