#!/bin/sh
# core.metadata: what is recorded of files beside their content, what of it is a change, and what a checkout gives back.
. "${0%/*}/test-lib.sh"

reader=$SRC_ROOT/t/second-reader
writer=$SRC_ROOT/t/second-writer.py
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
command -v python3 >/dev/null || test_skip_all 'python3 is not here'

# attr.py set PATH NAME TEXT | hex PATH NAME DIGITS | fill PATH NAME BYTES | rm PATH NAME | can PATH NAME...
# attr.py show [user] DIR: MODE SECONDS NANOSECONDS UID GID PATH NAME=HEX... of all in DIR, as the second reader has it;
# with user neither owners nor other attributes than user.*, and nothing of links but their times.
cat >attr.py <<'EOT'
import os
import re
import stat
import sys

RECORDED = re.compile(r"(user|trusted)\..|security\.capability$|system\.posix_acl_(access|default)$")


def change(word, path, name, value=None):
    path = os.fsencode(path)
    if word == "rm":
        return os.removexattr(path, name, follow_symlinks=False)
    value = {"set": os.fsencode, "hex": bytes.fromhex, "fill": lambda n: os.urandom(int(n))}[word](value)
    os.setxattr(path, name, value, follow_symlinks=False)


def can(path, *names):
    values = {"security.capability": bytes.fromhex("0100000202000000000000000000000000000000"),
              "system.posix_acl_access": bytes.fromhex(ACL)}
    for name in names:
        try:
            os.setxattr(path, name, values.get(name, b"1"))
        except OSError:
            return 1
        os.removexattr(path, name)


ACL = "0200000001000600ffffffff020006000100000004000400ffffffff10000600ffffffff20000000ffffffff"


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


def show(argv):
    user = argv[0] == "user"
    top = argv[-1]
    wanted = (lambda n: n.startswith("user.")) if user else RECORDED.match
    lines = [((), show_one(top, ".", wanted, not user))]
    for place, folders, files in os.walk(top):
        if place == top:
            folders[:] = [n for n in folders if n != ".store"]
        for name in folders + files:
            path = os.path.join(place, name)
            shown = os.path.relpath(path, top)
            lines.append((tuple(shown.split("/")), show_one(path, shown, wanted, not user)))
    print("\n".join(line for _, line in sorted(lines)))


if __name__ == "__main__":
    sys.exit({"show": lambda a: show(a), "can": lambda a: can(*a)}.get(sys.argv[1], lambda a: change(sys.argv[1], *a))(sys.argv[2:]))
EOT
attr()
{
	python3 "$TRASH/attr.py" "$@"
}
acl=$(sed -n 's/^ACL = "\(.*\)"$/\1/p' attr.py)
# The id of the meta map of the last commit, as the second reader finds it.
cat >meta.py <<'EOT'
import importlib.machinery
import importlib.util
import os
import sys

loader = importlib.machinery.SourceFileLoader("second_reader", os.path.join(os.environ["SRC_ROOT"], "t/second-reader"))
reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
loader.exec_module(reader)
store = reader.Store(sys.argv[1])
meta = store.commit(store.resolve("HEAD")[1])[2]
print(meta[0].hex(), meta[1])
EOT

# What depends on the file system and on rights is looked at where it can be.  user.* there must be.
: >probe
if attr can probe user.x; then test_set_prereq XATTR; fi
also=
for name in trusted.x security.capability system.posix_acl_access; do
	! attr can probe $name || also="$also $name"
done
has()
{
	case $also in *$1*) ;; *) false ;; esac
}

# repository NAME: a tree with attributes of every kind, nothing added; we are in it.  Its metadata is posix.
repository()
{
	mkdir "$1" && cd "$1" && store -q init && printf '[core]\nmetadata = posix\n' >>.store/config &&
		mkdir -p dir/sub 'empty folder' && echo 1 >file && echo 2 >dir/program && echo 3 >dir/sub/bare && : >nothing &&
		head -c 3000000 /dev/zero | tr '\0' x >large && ln -s file link &&
		chmod 640 file && chmod 4755 dir/program && chmod 700 dir/sub && chmod 1777 dir &&
		attr set file user.comment 'a word' && attr set file user.empty '' && attr set nothing user.x 1 &&
		attr set large user.big yes && attr set dir user.dir folder && attr set . user.top "$1" &&
		attr set 'empty folder' user.alone 1 || return 1
	if has trusted.x; then
		attr set file trusted.root 1 && attr set link trusted.link 2 && attr set dir/sub trusted.dir 3 || return 1
	fi
	! has security.capability ||
		attr hex dir/program security.capability 0100000202000000000000000000000000000000 || return 1
	if has system.posix_acl_access; then
		attr hex nothing system.posix_acl_access "$acl" && attr hex dir/sub system.posix_acl_default "$acl" || return 1
	fi
	if test_root; then
		chown 7:8 dir/sub/bare && chown -h 9:9 link && chown 10 large || return 1
	fi
	touch -d '1960-05-06T07:08:09.123456789Z' nothing && touch -d '2001-02-03T04:05:06.5Z' file dir/sub dir &&
		touch -h -d '1999-12-31T23:59:59Z' link && touch -d '2020-01-01T00:00:00.000000001Z' .
}
committed()
{
	repository "$1" && store -q add . && store -q commit -m one
}
# status_is LINE...: status --porcelain is these lines.
status_is()
{
	if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi >../want
	store status --porcelain >../got && test_cmp ../want ../got
}
# Wait until a file that is written now is older than the grain of the clock.
settle()
{
	sleep 0.1
}

test_expect_success XATTR 'what is recorded of every entry is what the kernel says of it' '
	committed full && attr show . >../want && "$reader" . attributes >../got && test_cmp ../want ../got &&
	test_grep "user.empty= *" ../got && "$reader" . verify && store -q fsck && status_is
'

test_expect_success XATTR 'a second writer, made from the page alone, writes the same meta map' '
	cd full && python3 "$writer" --posix . ../second >../made && python3 ../meta.py ../second >../want &&
	python3 ../meta.py . >../got && test_cmp ../want ../got && "$reader" ../second verify &&
	rm -rf ../second && python3 "$writer" --posix --average 256 . ../second >../made && python3 ../meta.py ../second >../got &&
	test_cmp ../want ../got
'

test_expect_success XATTR 'none, times and posix: commit ids differ, the root never' '
	cd full && for mode in none times posix; do
		rm -rf .store && store -q init && store -q -c core.metadata=$mode add . && store -q -c core.metadata=$mode commit -m one &&
		store root >../root.$mode && store ls -r >../ls.$mode && store log -n 1 | sed -n "s/^commit //p" >../id.$mode &&
		"$reader" . verify || return 1
	done && test_cmp ../root.none ../root.times && test_cmp ../root.none ../root.posix && test_cmp ../ls.none ../ls.posix &&
	! cmp -s ../id.none ../id.times && ! cmp -s ../id.times ../id.posix
'

test_expect_success XATTR 'any number of threads makes the same commit' '
	cd full && for n in 1 2 7; do
		rm -rf .store && store -q init && touch -d "2020-01-01T00:00:00.000000001Z" . &&
		store -q --threads $n -c core.metadata=posix add . && store -q commit -m one &&
		store log -n 1 | sed -n "s/^commit //p" >../id.$n || return 1
	done && test_cmp ../id.1 ../id.2 && test_cmp ../id.1 ../id.7
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

# A status that finds a touched file unchanged notes its new time for itself, so add may leave the recorded one.
timeless()
{
	cut -d" " -f1,4-
}
# changes PATH: what makes another file of it without touching its content, a line each.
changes()
{
	echo "attr set $1 user.new 1"
	echo "attr set $1 user.comment other"
	! test_root || printf '%s\n' "chown 1234 $1" "chown :1234 $1"
	! has system.posix_acl_access || echo "attr hex $1 system.posix_acl_access $acl"
}

test_expect_success XATTR 'a changed mode, owner or attribute is M, is staged by add and is something to commit; a time is not' '
	committed changed && settle && { changes file && changes large && echo "chmod 600 file" && echo "attr rm file user.comment" &&
		if test_root; then echo "chown -h 1:1 link"; fi; } >../changes && test -s ../changes &&
	while read -r word; do
		path=$(echo "$word" | sed "s/.* \(file\|large\|link\).*/\1/") && eval "$word" && status_is " M $path" &&
		store --json add $path >../out && test_grep "\"modified\":1,\"deleted\":0,\"unchanged\":0" ../out &&
		status_is "M  $path" && store root >../root && store -q commit -m "$word" && store root | cmp ../root - && status_is &&
		touch file large && touch -h link && status_is && store add . && status_is && test_expect_code 1 store commit -m time &&
		settle || { echo "after: $word" && return 1; }
	done <../changes && "$reader" . verify && attr show . | timeless >../want && "$reader" . attributes | timeless >../got &&
	test_cmp ../want ../got
'

test_expect_success XATTR 'of a directory and of the top they are a change once they are added' '
	committed folders && settle && attr set dir user.dir other && attr set . user.top other && store -q add . &&
	status_is "M  ./" "M  dir/" && store -q commit -m dir && status_is && touch dir . && store -q add . && status_is &&
	test_expect_code 1 store commit -m time && chmod 711 "empty folder" && attr set "empty folder" user.more 1 && store -q add . &&
	status_is "M  \"empty folder/\"" && store -q commit -m folder && "$reader" . verify
'

test_expect_success XATTR 'what was changed and changed back is no change' '
	committed back && settle && attr set file user.comment other && status_is " M file" && attr set file user.comment "a word" &&
	status_is && attr set nothing user.y 1 && attr rm nothing user.y && status_is && test_expect_code 1 store commit -m none
'

test_expect_success XATTR 'with times neither owner nor attributes are a change' '
	cd changed && attr set file user.other 1 && { ! test_root || chown 4321 large; } &&
	store -c core.metadata=times status --porcelain >../out && test_must_be_empty ../out && test_expect_code 0 store status --porcelain
'

test_expect_success XATTR 'after a switch to posix add reads anew, and what was not recorded before is no change' '
	committed switched && rm -rf .store && store -q init && store -q add . && store -q commit -m times && settle &&
	"$reader" . attributes >../out && test_grep "0640 981173106 500000000 - - file$" ../out &&
	printf "[core]\nmetadata = posix\n" >>.store/config && status_is && store -q add . && status_is &&
	test_expect_code 1 store commit -m nothing && echo more >more && store -q add . && store -q commit -m posix &&
	attr show . >../want && "$reader" . attributes >../got && test_cmp ../want ../got && settle && store -q status &&
	store --json add . >../out && test_grep "\"opened\":0" ../out
'

if has trusted.x; then
	test_expect_success XATTR 'labels of the machine are neither recorded nor a change' '
		committed labels && settle && attr set file security.other 1 && attr set file security.selinux label && status_is &&
		store -q add . && store -q commit --allow-empty -m label && "$reader" . attributes >../out && test_grep ! security.selinux ../out &&
		test_grep ! security.other ../out && attr show . >../want && test_cmp ../want ../out
	'
fi

# --- what comes back

test_expect_success XATTR,ROOT 'root, asking for all, gets all of it' '
	cd full && attr show . >../want && store checkout --preserve=all --to ../all >../out 2>../err && test_line_count -eq 1 ../err &&
	attr show ../all >../got && test_cmp ../want ../got && store checkout --threads 1 --preserve=all --to ../all1 HEAD -- dir large &&
	attr show ../all1/dir >../got && attr show dir >../want && test_cmp ../want ../got
'

# Bits that are nobody elses, and of a file with an access list what the group had.
as_user()
{
	sed 's/^[0-7]\([0-7]*\)/0\1/; s/^0660 \(.* nothing\)/0640 \1/'
}
test_expect_success XATTR 'without all there are modes, times and user attributes, and no setuid, owner or other attribute' '
	cd full && rm -rf ../some && attr show user . | as_user >../want && store checkout --to ../some 2>../err && test_line_count -eq 1 ../err &&
	attr show user ../some >../got && test_cmp ../want ../got && attr show ../some >../got && test_grep ! -E "trusted|security|system" ../got &&
	test "$(stat -c %u ../some/large ../some/dir ../some/link | sort -u)" = "$(id -u)"
'

test_expect_success XATTR 'somebody else gets the same, and with all is told once how much only root can set' '
	cd full && rm -rf ../other && mkdir ../other && rm -rf ../lent && cp -a . ../lent && cd ../lent && test_give_to_user . ../other &&
	attr show user ../full | as_user >../want &&
	test_as_user store checkout --to ../other/some 2>../err && test_line_count -eq 1 ../err && attr show user ../other/some >../got &&
	test_cmp ../want ../got && test_as_user store --json checkout --preserve=all --to ../other/all >../out 2>../err &&
	attr show user ../other/all >../got && test_cmp ../want ../got && test_line_count -eq 1 ../err &&
	test_grep -E "[0-9]+ recorded attributes could not be set; the first: .* of .*: Operation not permitted" ../err &&
	test_grep ! "\"unset\":0" ../out && store -q fsck
'

test_expect_success XATTR 'in place they come with --preserve only' '
	cd full && rm -rf ../place && mkdir ../place && cp -a .store ../place && cd ../place && store -q checkout -f HEAD -- file dir &&
	attr show user . >../out && test_grep ! user. ../out && status_is " D \"empty folder/\"" " D large" " D link" " D nothing" &&
	rm -rf file dir && store -q checkout --preserve HEAD -- file dir && attr show user ./dir >../got && attr show user ../full/dir | as_user >../want &&
	test_cmp ../want ../got && attr show user . >../got && test_grep "user.comment" ../got
'

test_expect_success XATTR 'a file system that takes no attributes gets all content, one line and exit 0' '
	cd full && rm -rf ../plain && STORE_FAULT=xattr.set:1+:ENOTSUP store checkout --to ../plain 2>../err && test_line_count -eq 2 ../err &&
	test_grep -E "7 recorded attributes could not be set; the first: user\.[a-z]+ of .*: Operation not supported" ../err &&
	attr show user . | as_user | sed "s/ user\..*//" >../want && attr show user ../plain >../got && test_cmp ../want ../got
'

# --- damage, and what is not there

test_expect_success XATTR 'fsck --rebuild brings everything back, of commits and of the stage' '
	committed rebuilt && attr set file user.comment staged && echo 5 >new && attr set new user.new 1 && store -q add . &&
	"$reader" . attributes >../before && rm -rf .store/db && store -q fsck --rebuild && store -q fsck &&
	status_is "M  file" "A  new" && store -q commit -m two && attr show . >../want && "$reader" . attributes >../got &&
	test_cmp ../want ../got && "$reader" . attributes HEAD >../got && "$reader" . verify && status_is
'

test_expect_success XATTR 'fsck names a damaged list by its object and by the path that has it' '
	mkdir damaged && cd damaged && store -q init && echo 1 >file && echo 2 >other && attr set file user.mark "the mark to be hit" &&
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

# lying NAME FROM TO: a repository of the second writer in which the Python text FROM of the list is TO.
lying()
{
	mkdir -p "$1" "$1.tree" && echo 1 >"$1.tree/file" && attr set "$1.tree/file" user.a 1 && attr set "$1.tree/file" user.b 2 &&
		from=$2 to=$3 python3 -c "
import os, sys
text = open(sys.argv[1]).read()
assert text.count(os.environ['from']) == 1
open('lying.py', 'w').write(text.replace(os.environ['from'], os.environ['to']))" "$writer" &&
		python3 lying.py --posix "$1.tree" "$1" >made && mkdir -p "$1/.store/tmp" &&
		printf '[core]\n' >"$1/.store/config"
}
while IFS='|' read -r name promise from to; do
	test_expect_success XATTR "a list with $promise is refused by fsck, by the second reader and by checkout, which sets nothing of it" '
		rm -rf "$name"* && lying $name "$from" "$to" && test_must_fail "$reader" $name verify &&
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
	lying honest "data = b\"XA\\x01\"" "data = b\"\" + b\"XA\\x01\"" && store -C honest -q fsck --rebuild && store -C honest -q fsck &&
	store -C honest checkout --to ../honest.to HEAD && attr show user honest.to >got && attr show user honest.tree >want &&
	test_cmp want got && lying foreign "leb(len(name)) + name" "leb(len(name) + 2) + b\"x.\" + name" &&
	store -C foreign -q fsck --rebuild && store -C foreign -q fsck && "$reader" foreign attributes >out && test_grep "x.user.a=31" out &&
	store -C foreign checkout --preserve=all --to ../foreign.to HEAD 2>err && test_grep "x.user.a of .file.: Operation not permitted" err &&
	attr show foreign.to >got && test_grep ! "user.a" got
'

for point in xattr.list xattr.get; do
	test_expect_success XATTR "an error at $point is told by name, keeps what is staged, and the next add is whole" '
		rm -rf eio eio.store && committed eio && cp -a .store ../eio.store && touch file dir/program large nothing && touch -h link &&
		n=1 && told=0 && while [ $n -le 40 ]; do
			rm -rf .store ../log && cp -a ../eio.store .store && rc=0 &&
			{ STORE_FAULT=$point:$n:EIO STORE_FAULT_LOG=../log store --threads 1 add . 2>../err || rc=$?; } && { test -s ../log || break; } &&
			test $rc = 3 && test_grep "cannot read .*: Input/output error" ../err && told=$((told + 1)) &&
			status_is && store -q add . && status_is || return 1
			n=$((n + 1))
		done && test $n -le 40 && test $told -ge 5 && store -q commit --allow-empty -m whole && "$reader" . attributes >../got &&
		attr show . >../want && test_cmp ../want ../got
	'
done

# On a tmpfs root may give a file as many bytes of attributes as the limit asks for.
big=
if test_root && [ -d /dev/shm ] && big=$(mktemp -d /dev/shm/store-t4050.XXXXXX 2>/dev/null) && attr can "$big" trusted.x; then
	test_expect_success 'attributes up to 1048576 bytes are kept, more are named and refused, content stays out, exit 3' '
		test_when_finished rm -rf "$big" && mkdir "$big/repo" && cd "$big/repo" && store -q init && echo 1 >file && echo 2 >over && mkdir dir &&
		for n in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15; do
			attr fill file trusted.$n 65536 && attr fill over trusted.$n 65536 && attr fill dir trusted.$n 65536 || return 1
		done && attr fill file trusted.16 65308 && attr fill over trusted.16 65309 && attr fill dir trusted.16 65536 &&
		test_expect_code 3 store -c core.metadata=posix add . 2>"$TRASH/err" &&
		test_grep "over. is left out: its extended attributes are longer than 1048576 bytes" "$TRASH/err" &&
		test_grep "dir. is left out: its extended attributes are longer than 1048576 bytes" "$TRASH/err" &&
		test_grep ! ".file. is" "$TRASH/err" && store -q commit -m one && store ls >"$TRASH/out" && echo file >"$TRASH/want" &&
		test_cmp "$TRASH/want" "$TRASH/out" && "$reader" . verify && store -q fsck && "$reader" . attributes >"$TRASH/got" &&
		store checkout --preserve=all --to ../to && attr show ../to | sed "1d" >"$TRASH/want" && sed 1d "$TRASH/got" >"$TRASH/out" &&
		test_cmp "$TRASH/want" "$TRASH/out" && store -c core.metadata=posix status --porcelain >"$TRASH/out" &&
		test_grep ! " file" "$TRASH/out"
	'
fi
[ -z "$big" ] || rm -rf "$big"

test_done
