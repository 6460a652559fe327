#!/bin/sh
# Work is counted instead of trusted: files opened, objects written, bytes decoded, chunks made, memory held.
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# A sanitizer's own memory is none of ours: there the files are smaller and memory is not looked at.
if grep -q -e __asan_init -e __tsan_init "$STORE_BIN/store"; then
	sanitized=t size=$((72 << 20)) part=$((20 << 20)) count=8000 folders=60
else
	sanitized='' size=$((1 << 30)) part=$((96 << 20)) count=100000 folders=200
fi

# stat NAME: a number of --stats, out of the file err.
stat()
{
	sed -n "s/^$1: \([0-9.]*\)$/\1/p" "$TRASH/err" | grep .
}
# stat_is NAME OP NUMBER
stat_is()
{
	test "$(stat "$1")" "$2" "$3" && return 0
	echo "$1 is $(stat "$1"), not $2 $3" && return 1
}
# opened TRACE: the regular files of the working tree that were opened, as strace -y tells.
opened()
{
	python3 - "$1" <<-\EOT
	import os, re, sys
	for line in open(sys.argv[1], "rb"):
	    m = re.search(rb"^\d+ +(?:open|openat|openat2|creat)\(.*\) += \d+<(.*)>$|resumed>.*\) += \d+<(.*)>$", line.strip())
	    if not m or b"O_PATH" in line:
	        continue
	    path = m[1] or m[2]
	    if path.startswith(os.fsencode(os.environ["TRASH"])) and b"/.store" not in path and os.path.isfile(path):
	        print(os.fsdecode(path))
	EOT
}
# Only what is traced stops the program: there are 100,000 files to look at.
traced()
{
	strace -f --seccomp-bpf -y -s 4096 -e trace=open,openat,openat2,creat -o "$TRASH/trace" "$@"
}

test_expect_success "setup: a directory of $count files, and some other ones" '
	mkdir wide && cd wide && store -q init && mkdir -p flat sub/deep && python3 -c "
import os
os.chdir(\"flat\")
for n in range($count):
    fd = os.open(\"file %06d\" % n, os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b\"%d\\n\" % (n % 5000))
    os.close(fd)
" && echo x >sub/deep/x && ln -s x sub/link && : >sub/empty && sleep 0.1
'

test_expect_success "$count files in one directory go in, within the memory that is promised" '
	cd wide && store --stats add . 2>../err && stat_is files -eq $((count + 3)) && stat_is opened -eq $((count + 2)) &&
	{ test -n "$sanitized" || { stat_is "peak anon" -lt $((64 << 20)) && stat_is "peak rss" -lt $((96 << 20)); }; } &&
	stat_is "peak anon" -gt 500000 &&
	store --stats commit -m one 2>../err &&
	{ test -n "$sanitized" || { stat_is "peak anon" -lt $((64 << 20)) && stat_is "peak rss" -lt $((96 << 20)); }; } &&
	store ls -r flat | wc -l >../got && echo $count >../want && test_cmp ../want ../got &&
	test "$(store cat "flat/file 007777")" = 2777
'

test_expect_success 'what was opened is seen: the tracing itself works' '
	cd wide && echo y >sub/deep/y && sleep 0.1 && traced store -q add . && opened ../trace >../got &&
	echo "$PWD/sub/deep/y" >../want && test_cmp ../want ../got && store -q commit -m two
'

test_expect_success 'a second add and a status, two seconds later, open no regular file' '
	cd wide && sleep 2.2 &&
	traced store --stats add -r . 2>../err && opened ../trace >../got && test_must_be_empty ../got &&
	stat_is opened -eq 0 && test_grep "wide>" ../trace &&
	traced store --stats status --porcelain >../out 2>../err && test_must_be_empty ../out &&
	opened ../trace >../got && test_must_be_empty ../got && test_grep "wide>" ../trace
'

test_expect_success 'an add of what is there writes nothing: no publication, no pack' '
	cd wide && ls .store/packs >../want && store --stats add . 2>../err && stat_is publications -eq 0 &&
	ls .store/packs >../got && test_cmp ../want ../got
'

for change in 'one changed file' 'one new file' 'one deleted file'; do
	test_expect_success "after $change in a directory of $count a commit writes at most 16 objects and 160 KiB" '
		cd wide && case "$change" in
		*changed*) echo changed >"flat/file 004321" ;;
		*new*) echo new >"flat/file 005000 and a half" ;;
		*deleted*) rm "flat/file 006789" ;;
		esac && store --stats add flat 2>../err && stat_is opened -le 1 && stat_is "new chunks" -le 1 &&
		find .store/packs -type f -printf "%s\n" | awk "{ n += \$1 } END { print n }" >../before &&
		store --stats commit -m "$change" >../out 2>../err &&
		find .store/packs -type f -printf "%s\n" | awk "{ n += \$1 } END { print n }" >../after &&
		stat_is "new objects" -ge 4 && stat_is "new objects" -le 16 && stat_is "stored bytes" -le $((160 << 10)) &&
		test $(($(cat ../after) - $(cat ../before))) -le $((160 << 10))
	'
done

# Every hundredth is changed, and so many are new and gone.
test_expect_success "$count files in one directory and a hundred changes of each kind come out as they went in" '
	cd wide && python3 -c "
import os
os.chdir(\"flat\")
names = sorted(os.listdir(\".\"))
for n in names[::$count // 100]:
    os.remove(n)
for n in names[$count // 200::$count // 100]:
    open(n, \"w\").write(\"changed\")
for n in names[$count * 7 // 1000::$count // 100]:
    open(n + \"-new\", \"w\").write(\"y\")
" && store add . 2>../err && test_grep "100 added, 100 modified, 100 deleted" ../err && store commit -m many >../said &&
	test_grep "100 added, 100 modified, 100 deleted; $((count + 4)) files" ../said &&
	store ls flat >../got && (cd flat && ls | sed "s,^,flat/,") >../want && test_cmp ../want ../got &&
	store checkout --to ../wide-out && diff -r --no-dereference --exclude=.store . ../wide-out && rm -r ../wide-out
'

# Random bytes are slow to come by: each 4 MiB are the first ones, with a number added to every byte.
test_expect_success 'setup: a large file' '
	mkdir large && cd large && store -q init && python3 -c "
import os
block = os.urandom(4 << 20)
with open(\"big\", \"wb\") as f:
    for n in range($size >> 22):
        f.write(block.translate(bytes((b + n) % 256 for b in range(256))))
" && test "$(wc -c <big)" -eq $size
'

test_expect_success "a file of $size bytes goes in within the memory that is promised" '
	cd large && store --stats add big 2>../err && stat_is bytes -eq $size && stat_is chunks -gt $((size / 200000)) &&
	stat_is "new bytes" -ge $size &&
	{ test -n "$sanitized" || { stat_is "peak anon" -lt $((64 << 20)) && stat_is "peak rss" -lt $((96 << 20)); }; } &&
	store -q commit -m one
'

test_expect_success 'cat --bytes of 1 MiB decodes at most 2 MiB, and gives the right bytes' '
	cd large && for at in 0 12345677 $((size / 2 + 1)) $((size - 1048576)); do
		store --stats cat --bytes $at-$((at + 1048575)) big >../got 2>../err &&
		stat_is "decoded bytes" -ge 1048576 && stat_is "decoded bytes" -le 2097152 &&
		tail -c +$((at + 1)) big | head -c 1048576 | cmp - ../got || return 1
	done && store cat --bytes -10 big >../got && tail -c 10 big | cmp - ../got
'

test_expect_success 'one byte inserted at the front stores at most 4 new chunks besides nodes' '
	cd large && { printf x && cat big; } >big2 && store --stats add big2 2>../err &&
	stat_is chunks -gt $((size / 200000)) && stat_is "new chunks" -ge 1 && stat_is "new chunks" -le 4 &&
	stat_is "stored bytes" -le $((4 * 262144 + 4 * size / 1000)) && rm big2
'

# A part of it is more than the memory that is promised as well.
test_expect_success "a file of $part bytes comes out whole as it went in, in bounded memory" '
	cd large && truncate -s $part big && store -q add big && store --stats cat :big 2>../err | cmp - big &&
	stat_is "decoded bytes" -ge $part && { test -n "$sanitized" || stat_is "peak anon" -lt $((64 << 20)); }
'

test_expect_success 'one byte changed in the middle stores at most 4 new chunks' '
	cd large && printf "\377\376\375" | dd of=big bs=1 seek=$((part / 2)) conv=notrunc 2>/dev/null && store --stats add big 2>../err &&
	stat_is chunks -gt $((part / 200000)) && stat_is "new chunks" -ge 1 && stat_is "new chunks" -le 4 && rm big
'

test_expect_success "a sparse file of 10 GB is in without its holes being read" '
	mkdir sparse && cd sparse && store -q init && truncate -s 10G hole && printf data | dd of=hole bs=1 seek=5000000000 conv=notrunc 2>/dev/null &&
	strace -f --seccomp-bpf -y -e trace=read,pread64,preadv -o ../trace store --stats add hole 2>../err &&
	sed -n "s/.*\/sparse\/hole>.* = \([0-9]*\)$/\1/p; s/.*resumed>.* = \([0-9]*\)$/\1/p" ../trace >../reads &&
	awk "{ n += \$1 } END { print n; exit !(n >= 4 && n < 10000000) }" ../reads &&
	stat_is bytes -eq $((10 << 30)) && stat_is chunks -lt 2000 && stat_is "new chunks" -le 20 && stat_is "stored bytes" -lt 100000 &&
	store -q commit -m one && store cat --bytes 4999999998-5000000005 hole >../got && printf "\0\0data\0\0" | cmp - ../got &&
	store ls -l hole >../got && test_grep " 10737418240 " ../got
'

test_expect_success "files that are small are packed together: $((folders * 100)) of them make few packs and publications" '
	mkdir small && cd small && store -q init && python3 -c "
import os
for d in range($folders):
    os.mkdir(\"%d\" % d)
    for n in range(100):
        with open(\"%d/%d\" % (d, n), \"wb\") as f:
            f.write(os.urandom(500 + n * 20))
" && store --stats add . 2>../err && stat_is files -eq $((folders * 100)) && stat_is "new chunks" -eq $((folders * 100)) &&
	{ test -n "$sanitized" || { stat_is "peak anon" -lt $((64 << 20)) && stat_is "peak rss" -lt $((96 << 20)); }; } &&
	stat_is publications -le 30 && test "$(find .store/packs -type f | wc -l)" -le 30
'

test_done
