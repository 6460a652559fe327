#!/bin/sh
# Status: HEAD, stage and working tree, as the command shows them; letters and collapsing are git's, and git is the oracle.
. "${0%/*}/test-lib.sh"

# Nothing here depends on what survives a power cut.
STORE_TEST_FSYNC=0
export STORE_TEST_FSYNC

# want LINE...; status_is [OPTION...]: the porcelain form is these lines.  Nothing of it is written into the working tree.
want()
{
	[ $# -eq 0 ] || printf '%s\n' "$@"
} >"$test_top/want"
status_is()
{
	store status --porcelain "$@" >"$test_top/got" &&
	if [ -s "$test_top/want" ]; then test_cmp "$test_top/want" "$test_top/got"; else test_must_be_empty "$test_top/got"; fi
}

# opened [OPTION...]: how many regular files below the top status opens.  Nothing else stops the program, which has 12,000 to look at.
opened()
{
	strace -f --seccomp-bpf -qq -e trace=openat,openat2 -o "$test_top/trace" store status --porcelain "$@" >/dev/null &&
	grep -v ENOENT "$test_top/trace" | grep -c '"f[0-9]*"'
}

# nodes_read FILE: what --stats says of it.
nodes_read()
{
	sed -n 's/^nodes read: //p' "$1" | grep .
}

test_expect_success 'before the first commit: No commits yet, exit 0' '
	store init . &&
	store status >out &&
	test_grep "On branch main" out &&
	test_grep "No commits yet" out &&
	rm out
'

test_expect_success 'a new file is untracked, then added, then committed and clean' '
	echo one >a &&
	want "?? a" &&
	status_is &&
	store add a &&
	want "A  a" &&
	status_is &&
	store commit -m one &&
	want &&
	status_is &&
	store status >"$test_top/out" &&
	test_grep "nothing to commit, the working tree is clean" "$test_top/out"
'

test_expect_success 'letters are those of git after the same steps' '
	mkdir git store &&
	for d in git store; do
		cd "$TRASH/$d" || return 1
		if [ "$d" = git ]; then tool="git -c user.name=a -c user.email=a@a"; else tool=store; fi &&
		$tool init . &&
		mkdir -p dir/deep both &&
		for f in a.b keep edit gone typ mode "with blank" dir/x dir/deep/y dir/z both/f; do
			echo "$f" >"$f" || return 1
		done &&
		$tool add . &&
		$tool commit -m one &&
		echo more >>edit &&
		rm gone &&
		rm typ && ln -s keep typ &&
		chmod +x mode &&
		echo new >dir/new && $tool add dir/new &&
		echo newer >>dir/new &&
		echo staged >dir/x && $tool add dir/x &&
		rm dir/z && $tool add -u dir &&
		echo untracked >dir/deep/u &&
		mkdir -p fresh/sub && echo f >fresh/sub/f &&
		echo am >am && $tool add am && rm am &&
		rm -r both && echo both >both &&
		$tool status --porcelain >"$test_top/$d" &&
		$tool status --porcelain -uall >"$test_top/$d.all" &&
		$tool status --porcelain -uno >"$test_top/$d.no" &&
		$tool status --porcelain -z >"$test_top/$d.z" &&
		$tool status --porcelain dir >"$test_top/$d.dir" || return 1
	done &&
	for f in "" .all .no .dir .z; do
		tr "\0" "\n" <"$test_top/git$f" | sort >"$test_top/want" &&
		tr "\0" "\n" <"$test_top/store$f" | sort >"$test_top/got" &&
		test_cmp "$test_top/want" "$test_top/got" || return 1
	done
'

test_expect_success 'a directory in place of a file: the file is deleted, the directory untracked' '
	mkdir swap && cd swap && store init . && echo f >f && store add f && store commit -m f &&
	rm f && mkdir f && echo in >f/in &&
	want " D f" "?? f/" && status_is &&
	store add . &&
	want "D  f" "A  f/in" && status_is &&
	store commit -m dir && rm -r f && echo f >f &&
	want " D f/in" "?? f" && status_is
'

test_expect_success 'paths come in byte order of names inside a directory' '
	mkdir order && cd order && store init . &&
	mkdir a && echo 1 >a/b && echo 1 >a.b && echo 1 >a0 && store add . &&
	want "A  a/b" "A  a.b" "A  a0" &&
	status_is -uno
'

test_expect_success 'empty directories are shown: untracked, staged, deleted' '
	mkdir hollow && cd hollow && store init . && mkdir -p e/f &&
	want "?? e/" && status_is &&
	want "?? e/f/" && status_is -uall &&
	store add e &&
	want "A  e/f/" && status_is &&
	store commit -m e &&
	want && status_is &&
	rmdir e/f &&
	want " D e/f/" && status_is &&
	store add e &&
	want "D  e/f/" && status_is
'

test_expect_success 'a second status after add opens no regular file' '
	mkdir open && cd open && store init . &&
	for i in 1 2 3 4 5 6 7 8 9; do echo $i >f$i || return 1; done &&
	sleep 0.1 &&
	store add . &&
	test "$(opened)" = 0 &&
	touch f1 &&
	test "$(opened)" = 1 &&
	sleep 0.1 && store status >/dev/null &&
	test "$(opened)" = 0
'

# They are more than two batches of the rows that a status stamps anew.
test_expect_success 'after a checkout of 12,000 files the first status reads them, the second opens none' '
	mkdir most && cd most && store init . &&
	python3 -c "
import os
for i in range(120):
    os.mkdir(\"d%d\" % i)
    for j in range(100):
        fd = os.open(\"d%d/f%d\" % (i, j), os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(fd, b\"%d %d\" % (i, j))
        os.close(fd)" &&
	store add . && store commit -m most && rm -r d* &&
	store checkout -f HEAD &&
	sleep 1 &&
	want && status_is --stats 2>"$test_top/err" &&
	test "$(sed -n "s/^opened: //p" "$test_top/err")" -gt 10000 &&
	test "$(sed -n "s/^publications: //p" "$test_top/err")" -ge 3 &&
	test "$(opened)" = 0 &&
	status_is --stats 2>"$test_top/err" &&
	test_grep "^opened: 0\$" "$test_top/err" &&
	test_grep "^publications: 0\$" "$test_top/err"
'

test_expect_success 'rows are not stamped anew while another holds the gate, and no status waits for it' '
	cd most && touch d*/f* && sleep 0.1 &&
	python3 -c "
import fcntl, struct, subprocess
f = open(\".store/gate\", \"r+\")
fcntl.fcntl(f, 37, struct.pack(\"hhqqi4x\", fcntl.F_WRLCK, 0, 0, 0, 0))
subprocess.check_call([\"store\", \"status\", \"--porcelain\", \"--stats\"])" 2>"$test_top/err" &&
	test_grep "^publications: 0\$" "$test_top/err" &&
	status_is --stats 2>"$test_top/err" && test_grep "^opened: 12000\$" "$test_top/err" &&
	test "$(opened)" = 0
'

test_expect_success 'a file that is changed right after add, in the same size, is seen' '
	mkdir racy && cd racy && store init . &&
	for i in 1 2 3 4 5 6 7 8 9 10; do
		echo aaaa >f && store add f && printf "bbbb\n" >f &&
		want "AM f" && status_is || return 1
	done
'

test_expect_success 'times are no change, modes are, and core.metadata=none knows only the executable bit' '
	mkdir modes && cd modes && store init . && echo m >m && store add m && store commit -m m &&
	touch -d 2001-01-01 m &&
	want && status_is &&
	chmod 600 m &&
	want " M m" && status_is &&
	sleep 0.1 && want && status_is -c core.metadata=none &&
	store add m &&
	want "M  m" && status_is &&
	store commit -m mode &&
	want && status_is
'

test_expect_success 'only a path that is not there is deleted: a directory that cannot be listed keeps its staged files' '
	mkdir locked && test_give_to_user locked && cd locked &&
	test_as_user store init . &&
	test_as_user mkdir d &&
	test_as_user sh -c "echo x >d/x && echo y >y" &&
	test_as_user store add . &&
	chmod 000 d && test_when_finished "chmod -f 755 \"$TRASH/locked/d\" || :" &&
	test_expect_code 3 test_as_user store status --porcelain >"$test_top/out" 2>"$test_top/err" &&
	printf "A  %s\n" d/x y >"$test_top/want" &&
	test_cmp "$test_top/want" "$test_top/out" &&
	test_grep "cannot read .d.: Permission denied" "$test_top/err" &&
	chmod 755 d && rm -r d &&
	test_as_user store status --porcelain >"$test_top/out" &&
	test_grep "^AD d/x" "$test_top/out"
'

test_expect_success '.store is never shown, .git only with --ignored, a repository below is a border' '
	mkdir ign && cd ign && store init . && mkdir .git p p/.store sub && echo p >p/f && store init sub && echo s >sub/f &&
	want "?? p/" && status_is 2>"$test_top/err" &&
	test_grep "sub.* is a repository of its own" "$test_top/err" &&
	want "?? p/" "!! .git/" && status_is --ignored &&
	want "?? p/f" && status_is -uall
'

test_expect_success 'FIFOs and sockets are neither opened nor shown' '
	mkdir fifo && cd fifo && store init . && mkfifo p &&
	timeout 10 store status --porcelain >"$test_top/got" && test_must_be_empty "$test_top/got"
'

test_expect_success 'paths are relative to the current directory but not with --porcelain' '
	mkdir rel && cd rel && store init . && mkdir -p a/b && echo x >a/x && echo y >a/b/y && store add . && cd a/b &&
	store status -s >"$test_top/out" &&
	printf "A  %s\n" y ../x >"$test_top/want" &&
	test_cmp "$test_top/want" "$test_top/out" &&
	store status --porcelain . >"$test_top/out" &&
	echo "A  a/b/y" >"$test_top/want" &&
	test_cmp "$test_top/want" "$test_top/out"
'

test_expect_success 'names of any bytes and long paths come back whole under -z' '
	mkdir bytes && cd bytes && store init . &&
	name=$(printf "\001 \"\\\\\377") && echo x >"$name" &&
	d=$(printf "%0200d" 0) &&
	(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do mkdir $d && cd $d || exit 1; done && echo deep >f) &&
	store add . &&
	store status -z | tr "\0" "\n" >"$test_top/out" &&
	test_grep -F "$name" "$test_top/out" &&
	grep -a "/f$" "$test_top/out" >"$test_top/long" &&
	test "$(wc -c <"$test_top/long")" -gt 3000
'

test_expect_success 'more directories deep than there are descriptors' '
	mkdir deep && cd deep && store init . &&
	python3 -c "
import os
for i in range(1900):
    os.mkdir(\"d\"); os.chdir(\"d\")
open(\"f\", \"w\").close()" &&
	store add . &&
	(ulimit -n 200 && store status --porcelain) >"$test_top/out" &&
	test_line_count -eq 1 "$test_top/out" &&
	test "$(wc -c <"$test_top/out")" = 3805
'

test_expect_success 'a held gate does not hold up a status' '
	mkdir gate && cd gate && store init . && echo g >g && store add g && touch g &&
	python3 -c "
import fcntl, struct, subprocess, time
f = open(\".store/gate\", \"r+\")
fcntl.fcntl(f, 37, struct.pack(\"hhqqi4x\", fcntl.F_WRLCK, 0, 0, 0, 0))
t = time.time()
assert subprocess.check_output([\"store\", \"status\", \"--porcelain\"]) == b\"A  g\\n\"
assert time.time() - t < 5
"
'

test_expect_success '-uall: a file that became a directory is deleted on disk, and nothing of it is staged' '
	mkdir swapped && cd swapped && store init . && echo 1 >f && store add . && store commit -m one &&
	rm f && mkdir f && echo 2 >f/y && store status --porcelain -uall >../out &&
	test "$(tr "\n" "|" <../out)" = " D f|?? f/y|"
'

test_expect_success 'the tree of HEAD is not read where nothing was staged' '
	mkdir big && cd big && store init . &&
	python3 -c "
import os
for i in range(50):
    os.mkdir(\"d%d\" % i)
    for j in range(20):
        open(\"d%d/n%d\" % (i, j), \"w\").write(\"%d %d\" % (i, j))" &&
	store add . && store commit -m big && sleep 1 && store status >/dev/null &&
	want && status_is --stats 2>"$test_top/err" &&
	test "$(nodes_read "$test_top/err")" -le 1 &&
	echo changed >d7/n7 && store add d7/n7 &&
	want "M  d7/n7" && status_is --stats 2>"$test_top/err" &&
	test "$(nodes_read "$test_top/err")" -le 10
'

test_done
