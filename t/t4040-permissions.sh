#!/bin/sh
# What cannot be read is named and left out, keeps what is staged, and makes exit code 3; it is never a deletion.
. "${0%/*}/test-lib.sh"

staged_root()
{
	store commit -n --allow-empty | sed -n 's/^root \([0-9a-f]*\) .*/\1/p' | grep .
}
# repository NAME: a committed tree, with a directory that has more below; we are in it.
repository()
{
	mkdir "$1" && cd "$1" && store -q init && mkdir -p dir/sub other && echo 1 >dir/a && echo 2 >dir/sub/b && echo 3 >other/c &&
		echo 4 >file && head -c 3000000 /dev/zero | tr '\0' x >large && ln -s file link &&
		store -q add . && store -q commit -m one && store ls -r >../"$1".ls
}
# all_kept NAME: everything that was staged is staged.
all_kept()
{
	$as store commit -q --allow-empty -m check && $as store ls -r >../got && test_cmp "../$1.ls" ../got
}

test_expect_success ROOT 'root reads a file of mode 000, and enters a directory of mode 000' '
	mkdir by-root && cd by-root && store -q init && mkdir closed && echo secret >closed/file && chmod 000 closed/file closed &&
	store add . && store -q commit -m one && test "$(store cat closed/file)" = secret &&
	store ls -l -r >../ls && test_grep "^----------.*closed/file$" ../ls
'

test_expect_success ROOT 'and gives mode 000 back, to --to and with --preserve, of file and directory' '
	cd by-root && store checkout --to ../given HEAD && test "$(stat -c %a ../given/closed ../given/closed/file | tr "\n" " ")" = "0 0 " &&
	rm -r closed && store checkout --preserve HEAD -- closed &&
	test "$(stat -c %a closed closed/file | tr "\n" " ")" = "0 0 " && store status --porcelain >../out && test_must_be_empty ../out
'

# From here on a repository belongs to the user, and to nobody else it is open for writing.
as=test_as_user

test_expect_success 'a file that may not be read is named and skipped, the rest goes in, exit 3' '
	repository unreadable && test_give_to_user . && echo changed >file && echo changed >other/c && chmod 000 file &&
	test_expect_code 3 test_as_user store add . 2>../err &&
	test "$(grep -c "cannot read .file.: Permission denied" ../err)" = 1 &&
	test "$(store cat :file)" = 4 && test "$(store cat :other/c)" = changed && all_kept unreadable
'

test_expect_success 'a new file that may not be read is skipped, and not staged as empty' '
	cd unreadable && chmod 644 file && echo new >new && chmod 000 new && test_give_to_user . &&
	test_expect_code 3 test_as_user store add . 2>../err && test_grep "cannot read .new.: Permission denied" ../err &&
	test_expect_code 2 store cat :new && test "$(store cat :file)" = changed
'

test_expect_success 'a large file that may not be read keeps what is staged' '
	cd unreadable && chmod 644 new && printf y >>large && chmod 000 large && test_give_to_user . &&
	test_expect_code 3 test_as_user store add . 2>../err && test_grep "cannot read .large.: Permission denied" ../err &&
	store cat :large | wc -c >../got && echo 3000000 >../want && test_cmp ../want ../got
'

for mode in 000 111 444; do
	test_expect_success "a directory of mode $mode is never a staged deletion" '
		repository closed-$mode && root=$(staged_root) && test_give_to_user . && chmod $mode dir &&
		test_when_finished chmod 755 "$PWD/dir" && rc=0 && { test_as_user store add . 2>../err || rc=$?; } &&
		test $rc = 3 && test_grep "cannot read .dir" ../err && all_kept closed-$mode
	'
	test_expect_success "nor when it is the operand, nor with -u (mode $mode)" '
		cd closed-$mode && chmod $mode dir && test_when_finished chmod 755 "$PWD/dir" && test_give_to_user . &&
		test_expect_code 3 test_as_user store add dir 2>../err && test_grep "cannot read .dir" ../err &&
		test_expect_code 3 test_as_user store add -u 2>../err && test_expect_code 3 test_as_user store add -A 2>../err &&
		all_kept closed-$mode
	'
done

test_expect_success 'a path below a directory that may not be searched is named, and keeps what is staged' '
	cd closed-000 && chmod 000 dir && test_when_finished chmod 755 "$PWD/dir" && test_give_to_user . &&
	test_expect_code 3 test_as_user store add dir/a dir/sub 2>../err &&
	test_grep "cannot read .dir/a.: Permission denied" ../err && test_grep "cannot read .dir/sub.: Permission denied" ../err &&
	all_kept closed-000
'

test_expect_success 'the top of the working tree that may not be listed deletes nothing' '
	repository top && test_give_to_user . && chmod 311 . && test_when_finished chmod 755 "$PWD" &&
	test_expect_code 3 test_as_user store add -A 2>../err && chmod 755 . && all_kept top
'

test_expect_success 'what may be a repository of its own, for all that can be seen, is not entered, and keeps what is staged' '
	mkdir maybe && cd maybe && store -q init && mkdir -p sub/.store sub/d && echo 1 >sub/d/x && echo 2 >z && store -q add . &&
	store -q commit -m one && store ls -r >../maybe.ls && echo changed >sub/d/x && echo changed >z && test_give_to_user . &&
	chmod 000 sub/.store && test_when_finished chmod 755 "$PWD/sub/.store" &&
	test_expect_code 3 test_as_user store add . 2>../err && test_line_count -eq 2 ../err &&
	test_grep "cannot read .sub.: Permission denied" ../err &&
	test_expect_code 3 test_as_user store add sub/d/x sub/d sub 2>../err &&
	for p in sub/d/x sub/d sub; do
		test "$(grep -c "cannot read .$p.: Permission denied" ../err)" = 1 || return 1
	done &&
	test "$(store cat :sub/d/x)" = 1 && test "$(store cat :z)" = changed && all_kept maybe &&
	echo 3 >z && test_give_to_user . && test_expect_code 3 test_as_user store status --porcelain >../out 2>../err &&
	echo " M z" >../want && test_cmp ../want ../out && test_line_count -eq 1 ../err &&
	test_grep "cannot read .sub.: Permission denied" ../err &&
	mkdir -p new/.store && echo new >new/file && test_give_to_user . && chmod 000 new/.store sub/.store &&
	test_expect_code 3 test_as_user store status --porcelain >../out 2>../err && test_cmp ../want ../out &&
	test_grep "cannot read .new.: Permission denied" ../err
'

test_expect_success 'a .store that is a file, a dangling symlink, or a folder without format is no border' '
	mkdir loose && cd loose && store -q init && mkdir -p a b c/.store && echo file >a/.store && ln -s nowhere b/.store &&
	for d in a b c; do echo $d >$d/f || return 1; done && store add . 2>../err && test_grep ! "repository of its own" ../err &&
	test "$(store cat :a/f :b/f :c/f | tr "\n" " ")" = "a b c "
'

test_expect_success 'a .store that is a symlink to a repository makes a border, too' '
	mkdir linked && cd linked && store -q init && mkdir ../elsewhere linked && (cd ../elsewhere && store -q init) &&
	ln -s ../../elsewhere/.store linked/.store && echo x >linked/x && store add . 2>../err &&
	test_grep "linked.* is a repository of its own" ../err && test_expect_code 2 store cat :linked/x
'

# all_changed: what was changed is staged as it is now, which ../changed has.
all_changed()
{
	store cat :dir/a :dir/sub/b :file :link :large >../got && test_cmp ../changed ../got
}
# all_names: everything that was staged is staged.
all_names()
{
	store ls -r : >../got && test_cmp ../eio.ls ../got
}
# One point after the other fails with EIO; what happens must never be a deletion, and the next add is whole.  With stat
# a name cannot be looked at, with getdents a directory not listed, with walk.dir not entered, with border not told from a
# repository of its own.  Nothing is told only
# where the same was tried again and went well.  Where the program is slow every third time is tried.
step=${STORE_TEST_LIGHT:+3}
for point in walk.dir getdents stat border ingest.read readlink; do
	test_expect_success "an I/O error at $point, wherever it strikes, never is a staged deletion" '
		rm -rf eio store.before && repository eio && echo changed >file && echo changed >dir/sub/b && echo changed >dir/a &&
		printf y | dd of=large conv=notrunc 2>/dev/null && ln -sf dir/a link && cp -a .store ../store.before &&
		{ cat dir/a dir/sub/b file && printf dir/a && cat large; } >../changed && told=0 tried=0 n=1 && while [ $n -le 60 ]; do
			rm -rf .store ../log && cp -a ../store.before .store && rc=0 &&
			{ STORE_FAULT=$point:$n:EIO STORE_FAULT_LOG=../log store --threads 1 add . 2>../err || rc=$?; } &&
			{ test -s ../log || break; } &&
			case $rc in
			0) all_changed ;;
			2) test_line_count -eq 1 ../err && test_grep "Input/output error" ../err && told=$((told + 1)) ;;
			3) test_grep "cannot read .*: Input/output error" ../err && told=$((told + 1)) ;;
			*) false ;;
			esac && all_names && store add . && all_changed || return 1
			n=$((n + ${step:-1})) tried=$((tried + 1))
		done && test $n -le 60 && test $told -ge 1 && test $told -ge $((tried - 2))
	'
done

test_expect_success 'an error is told with the name of what could not be read' '
	rm -rf eio && repository eio && echo changed >dir/sub/b &&
	test_expect_code 3 env STORE_FAULT=ingest.read:1:EIO store add dir/sub/b 2>../err &&
	test_grep "cannot read .dir/sub/b.: Input/output error" ../err &&
	test_expect_code 3 env STORE_FAULT=walk.dir:2:EIO store add . 2>../err &&
	test_grep "cannot read .dir.: Input/output error" ../err
'

test_expect_success 'a repository that may not be written is refused in one line' '
	repository closed && test_give_to_user . && chmod -R a-w .store && echo new >new &&
	test_expect_code 2 test_as_user store add new 2>../err && test_line_count -eq 1 ../err &&
	test_grep -i -E "permission denied|not allowed|may not" ../err
'

test_done
