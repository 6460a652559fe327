#!/bin/sh
# Whose repository it is: another user's is read and not touched, media that cannot be written are read, and what root makes after
# sudo belongs to who called.
. "${0%/*}/test-lib.sh"

# owned NAME: a repository with two commits and a change that is not staged; we are in it.
owned()
{
	mkdir "$1" && cd "$1" && store -q init && mkdir -p dir/sub && echo 1 >dir/a && echo 2 >dir/sub/b && ln -s a dir/link &&
		echo 3 >file && store -q add . && store -q commit -m one && echo 4 >file && store -q add . &&
		store -q commit -m two && echo 5 >file
}
# list_store: all of .store with owner, mode, size and time; the readers' table of LMDB apart.
list_store()
{
	find .store ! -name lock.mdb -printf "%p %u %g %m %s %T@\n" | sort
}

test_expect_success ROOT 'data commands read the repository of another user, and nothing of it changes' '
	owned foreign && echo left >.store/tmp/p-00112233445566778899aabbccddeeff && chown -R 1234:1235 . && list_store >../before &&
	for what in log "ls -r" "cat HEAD~1:file" status "diff HEAD" info root fsck branch tag reflog "checkout --to ../out HEAD~1"; do
		case $what in
		diff*) store help diff >/dev/null 2>&1 || continue ;;
		esac &&
		store $what >../out.txt 2>../err || return 1
	done &&
	test "$(store cat HEAD~1:file)" = 3 && list_store >../after && test_cmp ../before ../after
'

test_expect_success ROOT 'of it no file is opened for writing but the table of readers' '
	cd foreign && strace -f -y -o ../trace -e trace=open,openat,creat store status >/dev/null &&
	test_grep "\.store/db/lock\.mdb.*O_RDWR" ../trace &&
	sed -n "/O_WRONLY\|O_RDWR\|O_CREAT/{/\.store/{/lock\.mdb/!p;};}" ../trace >../writes && test_must_be_empty ../writes
'

test_expect_success ROOT 'commands that write are refused with exit code 2 and the word safe.directory, which excuses it' '
	cd foreign && list_store >../before &&
	for what in "add file" "commit --allow-empty -m no" "checkout -f HEAD~1" "fsck --rebuild" \
		"branch new" "branch -m new" "branch -D new" "tag v1" "tag -d v1" "switch -c new"; do
		test_expect_code 2 store $what 2>../err && test_grep "safe.directory" ../err && test_line_count -eq 1 ../err || return 1
	done &&
	list_store >../after && test_cmp ../before ../after && test "$(cat file)" = 5 &&
	store -c safe.directory="$PWD" add file && test "$(store cat :file)" = 5
'

test_expect_success ROOT 'a lock file that is missing is made for the owner' '
	owned unlocked && rm .store/db/lock.mdb && chown -R 1234:1235 . && store log >/dev/null &&
	test "$(stat -c "%u:%g" .store/db/lock.mdb)" = 1234:1235
'

test_expect_success ROOT 'files of its database that lead elsewhere are refused, and what they lead to is as it was' '
	for name in lock.mdb data.mdb; do
		cd "$TRASH" && rm -rf trap && owned trap && echo precious >../precious && mv .store/db/$name ../kept &&
		ln -s ../../../precious .store/db/$name && chown -hR 1234:1235 . &&
		test_expect_code 2 store log 2>../err && test_grep "$name.: .*another user" ../err && test_line_count -eq 1 ../err &&
		echo precious | test_cmp - ../precious || return 1
	done
'

test_expect_success ROOT 'who may not write the table of readers gets one line that says what to grant, and needs no more' '
	owned shared && chmod -R go-w .store && test_expect_code 2 test_as_user store log 2>../err && test_line_count -eq 1 ../err &&
	test_grep "write permission on .lock.mdb.*chmod o+w" ../err &&
	chmod o+w .store/db/lock.mdb && test_as_user store log --oneline >../out.txt && test_line_count -eq 2 ../out.txt &&
	test "$(test_as_user store cat HEAD~1:file)" = 3 && test_as_user store status >/dev/null &&
	test_expect_code 2 test_as_user store add file 2>../err && test_grep "safe.directory" ../err &&
	test_expect_code 2 test_as_user env STORE_DIR="$PWD/.store" store -c safe.directory="*" add file 2>../err &&
	test_line_count -eq 1 ../err && test_grep "read-only for this user\|Permission denied" ../err
'

# The kernel's answer for read-only media, at every opening for writing.
test_expect_success 'on media that cannot be written a repository is read without its lock file' '
	owned media && list_store >../before &&
	for what in log "cat HEAD~1:file" status fsck; do
		strace -f -o ../trace -e trace=openat -P gate -P "$PWD/.store/db/lock.mdb" -e inject=openat:error=EROFS \
			store $what >../out.txt 2>../err &&
		test_grep INJECTED ../trace && test_must_be_empty ../err || return 1
	done &&
	test_expect_code 2 strace -f -o ../trace -e trace=openat -P gate -P "$PWD/.store/db/lock.mdb" \
		-e inject=openat:error=EROFS store add file 2>../err &&
	test_line_count -eq 1 ../err && test_grep "read-only" ../err
'

# All that stands here and is not the caller's after sudo.
others()
{
	find . ! \( -user 65534 -group 65534 \) | sort
}
test_expect_success ROOT 'what root makes in .store after sudo belongs to the caller: packs, the database, refs.log, what is made anew' '
	mkdir sudo && cd sudo && chown 65534:65534 . && SUDO_UID=65534 SUDO_GID=65534 && export SUDO_UID SUDO_GID &&
	test_when_finished "unset SUDO_UID SUDO_GID" &&
	store -q init && mkdir many && (cd many && seq 1 3000 | xargs touch) && head -c 3000000 /dev/urandom >large &&
	chown -hR 65534:65534 many large && store -q add . && store -q commit -m one && others >../got && test_must_be_empty ../got &&
	rm .store/db/lock.mdb && store -q log >/dev/null && rm -r .store/db && store -q fsck --rebuild &&
	rmdir .store/tmp && rm .store/gate && rm -r .store/db && store -q fsck --rebuild && others >../got && test_must_be_empty ../got &&
	unset SUDO_UID SUDO_GID && echo x >many/1 && test_as_user store -q add . && test_as_user store -q commit -m two
'

test_expect_success ROOT 'and what it makes in the working tree: files, directories, links, in place and beside' '
	mkdir home && chown 65534:65534 home && cd home && SUDO_UID=65534 SUDO_GID=65534 && export SUDO_UID SUDO_GID &&
	test_when_finished "unset SUDO_UID SUDO_GID" &&
	mkdir work && chown 65534:65534 work && (owned work/r) && chown -hR 65534:65534 . && cd work/r && rm -r dir file &&
	store -q checkout -f HEAD~1 && test "$(cat file dir/sub/b)" = "3
2" && store checkout --to ../beside HEAD && cd ../.. && others >../got && test_must_be_empty ../got
'

test_expect_success ROOT 'root in a folder that is not the caller'\''s keeps what it makes' '
	mkdir roots && cd roots && SUDO_UID=65534 SUDO_GID=65534 && export SUDO_UID SUDO_GID &&
	test_when_finished "unset SUDO_UID SUDO_GID" &&
	(owned r) && find . ! -user 0 >../got && test_must_be_empty ../got
'

test_done
