#!/bin/sh
# Making a repository and finding it again: where, with which branch, for whom, with which permissions.
test_on_disk=t
. "${0%/*}/test-lib.sh"

test_expect_success 'init makes the directory, and all above it' '
	store init a/b/c 2>err && test_grep "made an empty repository in .*a/b/c/[.]store" err && test -f a/b/c/.store/format &&
	store -C a/b/c status >out && test_grep "^On branch main\$" out
'

test_expect_success 'again: nothing is changed, exit 0, and it says so' '
	cd a/b/c && echo 1 >f && store -q add f && store -q commit -m one && find .store -type f ! -name lock.mdb -exec sha256sum {} + | sort >../before &&
	store init 2>../err && test_grep "already; nothing was changed" ../err && store init --chunk-average 64K &&
	find .store -type f ! -name lock.mdb -exec sha256sum {} + | sort >../after && test_cmp ../before ../after &&
	test_expect_code 2 store init --chunk-average 4K 2>../err && test_line_count -eq 1 ../err && test_grep "other chunk sizes" ../err
'

test_expect_success 'the first branch is main, init.defaultBranch, or -b' '
	mkdir -p "$XDG_CONFIG_HOME/store" && test_when_finished rm "$XDG_CONFIG_HOME/store/config" &&
	printf "[init]\n\tdefaultBranch = trunk\n" >"$XDG_CONFIG_HOME/store/config" && store init -q user && store -C user status >out &&
	test_grep "^On branch trunk\$" out && store -c init.defaultBranch=flag init -q flag && store -C flag status >out &&
	test_grep "^On branch flag\$" out && store init -q -b word word && store -C word status >out && test_grep "^On branch word\$" out &&
	test_expect_code 2 store init -b "two words" bad 2>err && test_line_count -eq 1 err && test_path_is_missing bad/.store/format
'

test_expect_success 'an init that is refused leaves nothing behind, neither DIR nor .store' '
	mkdir there && for refused in "-b two..dots" "-b ." "-c init.defaultBranch=a..b" "-c chunking.average=300" \
		"-c chunking.huge_file_threshold=1M" "-c core.dbDir=a\"b"; do
		test_expect_code 2 store init $refused fresh/below 2>err && test_line_count -eq 1 err && test_path_is_missing fresh &&
		test_expect_code 2 store init $refused there 2>err && test_line_count -eq 1 err && test_path_is_missing there/.store || return 1
	done && test_expect_code 2 store init -b "" fresh/below 2>err && test_grep "name of a ref" err && test_path_is_missing fresh
'

test_expect_success 'inside another working tree it works and says so, and the outer one does not enter it' '
	cd a/b/c && store init inner 2>../err && test_grep "lies within the working tree of another repository" ../err &&
	echo in >inner/f && store add . 2>../err && test_grep "inner.* is a repository of its own" ../err && test_expect_code 2 store cat :inner/f
'

test_expect_success 'the repository is looked for upwards, to a ceiling; --store and STORE_DIR name it' '
	cd a/b/c && mkdir -p d/e && top=$PWD && (cd d/e && store info >../../../out) && test_grep "^path:  *$top/[.]store\$" ../out &&
	(cd d/e && test_expect_code 2 env STORE_CEILING_DIRECTORIES="$top/d" store info 2>../../../err) && test_grep "store init" ../err &&
	(cd d/e && STORE_CEILING_DIRECTORIES="$top/d/e:/nowhere" store root) &&
	(cd d/e && test_expect_code 2 env STORE_CEILING_DIRECTORIES="/nowhere:$top" store root) && STORE_CEILING_DIRECTORIES=$top store root &&
	STORE_DIR=$top/.store store -C / root && store -C / --store "$top/.store" root && STORE_DIR=/nowhere store --store "$top/.store" root &&
	test_expect_code 2 env STORE_DIR=/nowhere store root 2>../err && test_line_count -eq 1 ../err && test_grep "/nowhere" ../err
'

# stopped_init DIR: an init of it that is stopped when it has begun to lay out .store, in the background.
stopped_init()
{
	strace -f -o stop.trace -e trace=mkdirat -e inject=mkdirat:signal=SIGSTOP:when=1 \
		sh -c "echo \$\$ >stopped && exec store init -q $1" >stop.out 2>&1 &
	stopped_pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		grep -q "stopped by SIGSTOP" stop.trace || sleep 0.1
	done
	test_grep "stopped by SIGSTOP" stop.trace && test_path_is_missing "$1/.store/format"
}

test_expect_success 'of two at once one makes the repository and the other finds it, and nothing of it is emptied' '
	test_when_finished "kill -9 \$(cat stopped) 2>/dev/null || :" && stopped_init both && test_expect_code 5 timeout 10 store -c core.lockTimeout=300ms init both 2>err && test_line_count -eq 1 err &&
	{ store init both 2>err & other=$!; } && sleep 0.3 && kill -CONT "$(cat stopped)" && wait $stopped_pid && wait $other &&
	echo 1 >both/f && store -C both add f && store -C both commit -q -m one && store -C both fsck &&
	for n in 1 2 3 4 5; do
		rm -rf many && pids= && for _ in 1 2 3 4; do
			store init many 2>>errs & pids="$pids $!"
		done && for pid in $pids; do
			wait $pid || return 1
		done && echo 1 >many/f && store -C many add f && store -C many commit -q -m one && store -C many fsck || return 1
	done
'

test_expect_success 'what is made is on the disk, with every folder that names it, before it is a repository' '
	strace -f -y -o trace -e trace=fsync,fdatasync,rename,renameat,renameat2 store init -q new/below && top=$PWD &&
	awk "/ rename.*\"format\"/ { exit } { print }" trace >before && for folder in "" /new /new/below /new/below/.store/db; do
		test_grep "fsync([0-9]*<$top$folder>)" before || return 1
	done && awk "/ rename.*\"format\"/ { after = 1 } after" trace >after && test_grep "fsync([0-9]*<$top/new/below/.store>)" after
'

# modes FOLDER: "mode kind" of all in it but the ballast, which holds nothing.  Packs are 0444 for the folder keeps others out.
modes()
{
	find "$1/.store" ! -name ballast -printf "%m %y\n" | sort -u
}

test_expect_success '.store follows the umask, packs are read-only' '
	for mask in 022 077 002 027; do
		(umask $mask && store init -q "mask$mask" && cd "mask$mask" && echo 1 >f && store -q add f && store -q commit -m one) || return 1
	done &&
	printf "%s\n" "444 f" "644 f" "755 d" >want && modes mask022 >got && test_cmp want got &&
	printf "%s\n" "400 f" "444 f" "600 f" "700 d" >want && modes mask077 >got && test_cmp want got &&
	printf "%s\n" "444 f" "664 f" "775 d" >want && modes mask002 >got && test_cmp want got &&
	printf "%s\n" "440 f" "444 f" "640 f" "750 d" >want && modes mask027 >got && test_cmp want got
'

test_expect_success 'what is not yet published is for nobody else to read' '
	store init -q begun && cd begun && echo 1 >f && test_must_fail sh -c "STORE_FAULT=pack.sync:1:kill store add f; exit 1" &&
	find .store/tmp -type f -printf "%m\n" | sort -u >../got && echo 600 >../want && test_cmp ../want ../got && store -q add f
'

test_expect_success ROOT 'root by way of sudo is the owner, and what it makes belongs to the owner' '
	mkdir owned && store init -q owned && echo 1 >owned/f && chown -R 1234:1235 owned && cd owned &&
	test_expect_code 2 store add f 2>../err && test_grep "safe.directory" ../err &&
	SUDO_UID=1234 SUDO_GID=1235 store -q add f && SUDO_UID=1234 SUDO_GID=1235 store -q commit -m one &&
	find .store ! \( -user 1234 -group 1235 \) >../others && test_must_be_empty ../others &&
	SUDO_UID=4321 test_expect_code 2 store commit --allow-empty -m no 2>../err && test_grep "safe.directory" ../err
'

test_done
