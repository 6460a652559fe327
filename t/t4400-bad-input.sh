#!/bin/sh
# Bad input gets a clear line and loses nothing: every row of it, with the line read.
test_on_disk=t
. "${0%/*}/test-lib.sh"

# one_line FILE: it has one line, which ends.
one_line()
{
	{ IFS= read -r line && ! IFS= read -r line && test -z "$line"; } <"$1" && return 0
	test_line_count -eq 1 "$1" && echo "the last line of $1 does not end" && return 1
}
# says CODE PATTERN COMMAND...: it ends with CODE, prints nothing on stdout, and one line that fits on stderr.
says()
{
	code=$1 pattern=$2
	shift 2
	test_expect_code "$code" "$@" >says.out 2>says.err &&
		test_must_be_empty says.out &&
		one_line says.err &&
		test_grep -E "^store: .*($pattern)" says.err
}
# intact: the repository of the setup is what it was.
intact()
{
	(cd "$TRASH/repo" && store log --oneline | cut -d" " -f1 && store root && store cat :staged) >"$TRASH/now" &&
		test_cmp "$TRASH/was" "$TRASH/now" &&
		(cd "$TRASH/repo" && store fsck)
}

test_expect_success 'setup' '
	mkdir repo && cd repo && store init &&
	echo one >file && mkdir folder && echo inner >folder/inner && head -c 300000 /dev/urandom >big &&
	store add -A && store commit -m one &&
	echo two >file && store add -A && store commit -m two &&
	echo staged >staged && store add staged && cp big ../big &&
	{ store log --oneline | cut -d" " -f1 && store root && store cat :staged; } >../was &&
	store fsck
'

test_expect_success 'outside a repository every command names store init' '
	mkdir outside && cd outside &&
	for command in "add -A" "commit -m x" status log "cat x" ls "checkout x" root info fsck; do
		says 2 "no repository in .*store init" store $command || return 1
	done
'

test_expect_success 'a folder that does not exist, and one that is no repository' '
	says 2 "cannot go to ./nowhere.: No such file" store -C /nowhere status &&
	mkdir -p empty && says 2 "empty. is no repository" store --store empty status
'

test_expect_success 'a missing path is named, with the half of the name that failed' '
	cd repo &&
	says 2 "nope. is neither in the working tree nor tracked; nothing was added" store add file nope &&
	says 2 "nope. is not in revision" store cat nope@HEAD &&
	says 2 "nope. is not in revision" store ls HEAD:nope &&
	says 2 "nope. is not in the stage" store cat :nope &&
	says 2 "outside of the working tree" store add ../big &&
	says 2 "file.*(not a directory|neither|beyond)" store add file/below &&
	cd .. && intact
'

test_expect_success 'an unknown revision is named with the nearest ref' '
	cd repo &&
	says 2 "unknown revision .mian.*main" store cat file@mian &&
	says 2 "unknown revision .mian.*main" store log mian &&
	says 2 "unknown revision .mian.*main" store checkout mian &&
	says 2 "unknown revision .mian.*main" store root mian &&
	says 2 "path .mian. is not in revision .HEAD.; the nearest ref is .main." store ls mian &&
	says 2 "12345678.*no ref and no commit begins so" store root 12345678 &&
	says 2 "HEAD.* (has no parent|is the first|only)" store log HEAD~9 &&
	cd .. && intact
'

test_expect_success 'usage errors name the word and where to read on' '
	cd repo &&
	says 2 "no option .--bogus.; see .store log -h" store log --bogus &&
	says 2 "no command .statsu.*status" store statsu &&
	says 2 "no command .unstage.*store restore --staged PATH" store unstage file &&
	says 2 ".set. is no KEY: .config KEY. tells, .config KEY VALUE. sets" store config set user.name me &&
	says 2 "bytes is A-B.*not .5-2" store cat --bytes 5-2 file &&
	says 2 "folder. is a directory; .store ls" store cat folder &&
	says 2 "message is empty" store commit -m "" &&
	says 2 "message is empty" store commit -m "  " &&
	says 2 "no key .user.nmae.*user.name" store -c user.nmae=x status &&
	says 2 "other chunk sizes" store init --chunk-average 512 &&
	says 2 "power of two" store init --chunk-average 300 ../other &&
	test_path_is_missing ../other/.store/format &&
	cd .. && intact
'

test_expect_success 'an unknown key in the config file is an error with the nearest key, file and line or section' '
	cd repo && cp .store/config ../config &&
	test_when_finished "cp $TRASH/config $TRASH/repo/.store/config" &&
	printf "[core]\n\tcodek = zlib\n" >>.store/config &&
	says 2 "config.*core.codek.*core.codec" store status
'

test_expect_success 'a damaged pack: which, where, what is lost, what to run' '
	cp -a repo damaged && cd damaged &&
	pack=$(ls -S .store/packs/* | head -n 1) && chmod u+w "$pack" &&
	printf XXXX | dd of="$pack" bs=1 seek=5000 conv=notrunc &&
	test_expect_code 4 store cat big >out 2>err &&
	one_line err &&
	name=${pack##*/} &&
	test_grep -E "object [0-9a-f]{12}.*offset [0-9]+ of pack ${name%%-*}" err &&
	test_grep "store fsck" err &&
	test_grep "^store: cannot read .big.: .*object [0-9a-f]\{12\} " err &&
	test_expect_code 4 store cat file big@HEAD >out.2 2>err &&
	one_line err &&
	test_grep -E "^store: cannot read .big@HEAD. .path .big..: .*object [0-9a-f]{12} .*offset [0-9]+ of pack" err &&
	cmp -n "$(wc -c <out)" out ../big &&
	long=$(printf "%0250d" 0) && cp big "$long" && store add "$long" && test_expect_code 4 store cat ":$long" >out.2 2>err &&
	one_line err && test_grep -E "^store: cannot read .:00*[.]{3}. .path .00*.*: .*object .*store fsck.*wrong\$" err &&
	rm "$long" && store add "$long" &&
	test_expect_code 4 store fsck >out 2>err &&
	cat out err >both &&
	test_grep -E "^damaged: packs/$name at offset [0-9]+: object [0-9a-f]{64}" both &&
	test_grep "is needed by: .*big" both &&
	store cat file >out && echo two >want && test_cmp want out &&
	test_expect_code 4 store checkout --to ../from-damaged 2>err &&
	test_grep "big" err
'

# flip_node first|last: a byte of the first or last block of nodes and texts of the newest pack that has one.
cat >flip_node.py <<'EOT'
import os, struct, sys

at, found = 32, []
for name in sorted(os.listdir(".store/packs"), reverse=True):
	path = ".store/packs/" + name
	data = bytearray(open(path, "rb").read())
	at = 32
	while data[at:at + 4] == b"STBK":
		stored, _, table = struct.unpack_from("<III", data, at + 12)
		if data[at + 6] == 2:
			found.append(at + 32 + table + stored // 2)
		at += 32 + table + stored
	if found:
		break
data[found[0 if sys.argv[1] == "first" else -1]] ^= 16
os.chmod(path, 0o644)
open(path, "wb").write(data)
EOT

# tells PATTERN COMMAND...: exit code 4, and one line that names what is lost, the object, its block and what to run.
tells()
{
	pattern=$1
	shift
	test_expect_code 4 "$@" >out 2>err && one_line err &&
		test_grep -E "^store: (cannot look up '[^']*': )?$pattern: cannot read object [0-9a-f]{12} in block at offset [0-9]+ of pack [0-9a-f]{16} \(run 'store fsck'\): block checksum is wrong\$" err
}

test_expect_success 'a damaged node: every command that needs it says which, where, what is lost, what to run' '
	mkdir nodes && cd nodes && store init . && mkdir -p many/deep && for i in 0 1 2 3 4 5 6 7 8 9; do
		for j in 0 1 2 3 4 5 6 7 8 9; do
			echo "$i" >"many/deep/$(printf %0230d "$i$j")" && echo "$j" >"many/deep/$(printf %0240d "$i$j")" || return 1
		done
	done &&
	store add -A && store commit -m one && for f in many/deep/*; do echo changed >"$f" || return 1; done && store add -A &&
	python3 ../flip_node.py first && store log && node="directory .many/deep.: cannot read map node [0-9a-f]{12}" &&
	tells "$node" store ls -l -r HEAD: && tells "$node" store ls HEAD:many/deep && tells "$node" store status &&
	tells "$node" store commit -m x && tells "$node" store checkout --to ../out.nodes &&
	tells "$node" store -C many status --porcelain
'

test_expect_success 'a damaged commit: every command that needs it says which, where, what to run' '
	cp -a repo texts && cd texts && python3 ../flip_node.py last && commit="cannot read commit [0-9a-f]{12}" &&
	for command in log ls root info status "commit -m x" "cat file" "checkout HEAD~1"; do
		tells "$commit" store $command || return 1
	done
'

test_expect_success 'a pack that is missing is named' '
	cp -a repo missing && cd missing &&
	pack=$(ls -S .store/packs/* | head -n 1) && rm -f "$pack" &&
	says 4 "big.: .*object [0-9a-f]{12} .run .store fsck.*packs/${pack##*/}. is missing" store cat big &&
	says 4 "big.*object [0-9a-f]{12} .run .store fsck.*packs/${pack##*/}. is missing" store checkout --to ../from-missing &&
	test_expect_code 4 store fsck >out 2>&1 &&
	test_grep -E "packs/${pack##*/} .*the pack is missing" out &&
	test_grep "is needed by: .*big" out
'

test_expect_success 'a lost db/ is named with what to run, and that brings all back' '
	cp -a repo lost && cd lost && rm -r .store/db &&
	says 2 "db.*store fsck --rebuild" store status &&
	store fsck --rebuild && store log --oneline | cut -d" " -f1 >../got && store root >>../got &&
	store cat :staged >>../got && test_cmp ../was ../got
'

test_expect_success 'a full disk is told, nothing is lost, and the next try works' '
	cp -a repo full && cd full && cp ../big again && echo x >>again &&
	for point in pack.write pack.sync refslog.write; do
		STORE_FAULT=$point:1:ENOSPC && export STORE_FAULT &&
		rc=0 && { store add again && store commit -m again; } >out 2>err || rc=$?
		unset STORE_FAULT &&
		test $rc -eq 2 && test_line_count -ge 1 err && test_grep "No space left on device" err &&
		store fsck && store log --oneline >out && test_line_count -eq 2 out || return 1
	done &&
	store add again && store commit -m again && store cat again >out && test_cmp again out
'

test_expect_success 'init on a full disk is told in one line, and the next try works' '
	for point in write fsync refslog.write env.commit; do
		rm -rf tight && test_expect_code 2 env STORE_FAULT=$point:1:ENOSPC store init tight 2>err && one_line err &&
		test_grep "^store: cannot .*No space left on device" err && store init tight && store -C tight status || return 1
	done
'

test_expect_success ROOT 'devices, FIFOs and sockets are counted, never opened' '
	cp -a repo special && cd special && mknod char c 1 3 && mknod block b 7 200 && mkfifo fifo && python3 -c "
import socket
socket.socket(socket.AF_UNIX).bind(\"socket\")" && echo beside >beside &&
	strace -f -qq -y -o ../trace -e trace=open,openat,openat2 timeout 20 store -v add -A 2>../err &&
	for name in char block fifo socket; do
		test_grep ! "\"$name\"" ../trace && test_grep "$name" ../err && test_expect_code 2 store cat ":$name" || return 1
	done && test_grep "beside" ../trace && store cat :beside | cmp - beside &&
	store status --porcelain >../out && test_grep ! -E "char|block|fifo|socket" ../out
'

test_expect_success 'stdout on a full disk is an error, a closed pipe is none' '
	cd repo && test_expect_code 2 store cat big >/dev/full 2>../err && test_grep "No space left" ../err &&
	{ store cat big 2>../err; echo $? >../rc; } | head -c 10 >/dev/null &&
	test_must_be_empty ../err
'

test_expect_success 'a read-only directory is named' '
	mkdir locked && cd locked && mkdir a && cp -a ../repo b && test_give_to_user . && chmod 555 a b &&
	test_when_finished "chmod -R u+w $TRASH/locked" &&
	test_expect_code 2 test_as_user store init a 2>../err && test_line_count -eq 1 ../err &&
	test_grep "a.*Permission denied" ../err &&
	test_expect_code 2 test_as_user store -C b checkout --to out 2>../err && test_grep "out.*Permission denied" ../err &&
	chmod 755 b && chmod -R a-w b/.store && chmod a+w b/.store/db/lock.mdb &&
	test_expect_code 2 test_as_user store -C b add -A 2>../err && test_line_count -eq 1 ../err &&
	test_grep -E "Permission denied|cannot be written|read-only" ../err &&
	test_as_user store -C b cat file >../out && echo two >../want && test_cmp ../want ../out
'

test_expect_success 'a file that vanishes between listing and reading is no error for the others, and keeps what is staged' '
	cp -a repo vanish && cd vanish && mkdir d && echo 1 >d/a && echo 2 >d/gone && echo 3 >d/z && store add d &&
	echo 10 >d/a && echo 20 >d/gone && echo 30 >d/z &&
	test_expect_code 3 strace -f -o ../trace -P d/gone -e trace=openat,openat2 -e inject=openat,openat2:error=ENOENT \
		store add d 2>../err && test_grep ENOENT ../trace &&
	test_grep "^store: cannot read .d/gone.: No such file or directory\$" ../err &&
	store cat :d/a >../got && store cat :d/z >>../got && printf "10\n30\n" >../want && test_cmp ../want ../got &&
	store cat :d/gone >../got && echo 2 >../want && test_cmp ../want ../got
'

# grown_add FILE PATH...: add of all of them while FILE grows; strace holds its reads up, so that the writer comes between.
grown_add()
{
	grown=$1
	rm -f ../still
	while [ ! -e ../still ]; do echo x >>"$grown" && sleep 0.05; done &
	strace -f -qq -o /dev/null -P "$grown" -e trace=pread64 -e inject=pread64:delay_enter=600000 \
		timeout 60 store --threads 1 add "$@" 2>../err
	grown_rc=$?
	touch ../still
	wait $!
	return "$grown_rc"
}

test_expect_success 'a file that grows for as long as it is read is named, keeps what is staged, the rest goes on, exit 3' '
	cp -a repo grows && cd grows && echo more >beside && head -c 200000 /dev/zero >file &&
	test_expect_code 3 grown_add file beside && grep -v "^strace:" ../err >../lines && test_line_count -ge 1 ../lines &&
	test_grep "^store: .file. changed while it was read, twice; add it again when it is at rest\$" ../lines &&
	store cat :file >../got && echo two >../want && test_cmp ../want ../got && store cat :beside | cmp - beside &&
	store add file && store cat :file | cmp - file
'

test_expect_success 'a path over 4096 bytes is refused by name, the rest goes on, exit 3' '
	cp -a repo long && cd long && python3 -c "
import os
open(\"beside\", \"w\").write(\"beside\")
for i in range(21):
    os.mkdir(\"d\" * 200)
    os.chdir(\"d\" * 200)
open(\"f\", \"w\").write(\"x\")" &&
	test_expect_code 3 store add -A 2>../err &&
	test_grep -E "^store: .ddd.*longer than 4096 bytes" ../err &&
	store cat :beside >../out && printf beside >../want && test_cmp ../want ../out &&
	test_expect_code 3 store status --porcelain -uall >../out 2>../err && test_line_count -eq 1 ../err &&
	test_grep -E "^store: .ddd.* is left out: its path is longer than 4096 bytes" ../err && test_grep ! -F "??" ../out &&
	test_expect_code 0 store status --porcelain -uno 2>../err && test_must_be_empty ../err
'

# A path of 4,096 bytes ends before the 2,049th directory, so that limit is told as the one of paths.
test_expect_success '2,048 directories below each other go in and come out, the 2,049th is refused by name, exit 3' '
	mkdir deep && cd deep && store init && python3 -c "
import os
for i in range(2048):
    os.mkdir(\"d\")
    os.chdir(\"d\")" && store add . && store commit -m deep && store ls -r >../out && test_line_count -eq 2048 ../out &&
	store status --porcelain >../out && test_must_be_empty ../out && store fsck && "$SRC_ROOT/t/second-reader" . verify &&
	store checkout --to ../deep-out && (cd ../deep-out && find . -type d | wc -l) >../out && echo 2049 >../want && test_cmp ../want ../out &&
	python3 -c "
import os
for i in range(2048):
    os.chdir(\"d\")
os.mkdir(\"d\")" && test_expect_code 3 store add . 2>../err && test_grep -E "d/d. is left out: its path is longer" ../err &&
	test_expect_code 3 store status 2>../err && test_line_count -eq 1 ../err &&
	store commit -n --allow-empty >../out && test_grep "^root $(store root | cut -d" " -f1) " ../out
'

test_expect_success 'an operand with a name over 255 bytes is named, the rest goes on' '
	cd repo && name=$(printf "%0300d" 0) && echo more >beside &&
	test_expect_code 3 store add "$name" beside 2>../err &&
	test_grep -E "$name.*(too long|longer than 255)" ../err &&
	store cat :beside >../out && test_cmp beside ../out &&
	rm beside && store add beside && cd .. && intact
'

test_expect_success 'names that are not UTF-8 and long paths are ordinary' '
	cp -a repo odd && cd odd &&
	python3 -c "
import os
open(b\"not utf-8 \\xff\\xfe\", \"wb\").write(b\"bytes\")
os.makedirs(\"/\".join([\"d\" * 200] * 14))" &&
	store add -A && store commit -m odd && store -z ls -r >../out && store checkout --to ../odd-out &&
	diff -r --no-dereference --exclude=.store . ../odd-out
'

test_expect_success 'a newer format is refused with the version that is needed, by readers and writers' '
	cp -a repo newer && cd newer && chmod u+w .store/format && cp .store/format ../format &&
	sed "1s/1$/2/" ../format >.store/format &&
	for command in status log "add -A" "commit -m x" fsck "fsck --rebuild" "cat file" init; do
		says 2 "format 2.*newer store is needed" store $command || return 1
	done &&
	sed "s/^incompatible 0000000000000000/incompatible 0000000000000100/" ../format >.store/format &&
	says 2 "newer store is needed" store log &&
	sed "s/^read-only-compatible 0000000000000000/read-only-compatible 0000000000000100/" ../format >.store/format &&
	store cat file >out && echo two >want && test_cmp want out && rm out want &&
	says 2 "only be read.*newer store is needed to write" store add -A &&
	cp ../format .store/format && rm -f says.* && store fsck
'

test_expect_success ROOT 'a repository of another user can be read; write commands name safe.directory' '
	cp -a repo foreign && chown -R 1234:1234 foreign && cd foreign &&
	store cat file >../out && echo two >../want && test_cmp ../want ../out &&
	store log >../out && test_grep two ../out &&
	for command in "add -A" "commit -m x" "fsck --rebuild"; do
		test_expect_code 2 store $command >../out 2>../err && test_line_count -eq 1 ../err &&
		test_grep "belongs to another user.*safe.directory" ../err || return 1
	done &&
	mkdir -p "$XDG_CONFIG_HOME/store" && test_when_finished "rm -f $XDG_CONFIG_HOME/store/config" &&
	printf "[safe]\n\tdirectory = %s\n" "$PWD" >"$XDG_CONFIG_HOME/store/config" &&
	echo three >file && store add file && store commit -m three && store cat file >../out && test_cmp file ../out &&
	cd .. && intact
'

test_expect_success 'errors are one JSON line with --json' '
	cd repo && test_expect_code 2 store --json log nope 2>../err && test_line_count -eq 1 ../err &&
	python3 -c "
import json, sys
e = json.loads(open(sys.argv[1]).read())
assert e[\"schema\"] == \"store/error/1\" and \"nope\" in e[\"message\"], e" ../err && cd .. && intact
'

test_done
