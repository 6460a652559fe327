#!/bin/sh
# The house: the files a newcomer looks for are there and true, and the test library can fail.
. "$(dirname "$0")/test-lib.sh"

# Write a test file into the folder, run it with these options, leave what it said in out.
run_inner()
{
	mkdir -p inner/t && cp "$SRC_ROOT/t/test-lib.sh" inner/t/ &&
		{
			printf '. "%s"\n' "$TRASH/inner/t/test-lib.sh"
			cat
			echo test_done
		} >inner/t/t9998-inner.sh || return 1
	(unset CI && TMPDIR="$TRASH" sh inner/t/t9998-inner.sh "$@") >out 2>&1
}

test_expect_success 'VERSION is one line of three numbers' '
	grep -Ecx "[0-9]+[.][0-9]+[.][0-9]+" "$SRC_ROOT/VERSION" >count &&
	echo 1 >want &&
	test_cmp want count &&
	test_line_count -eq 1 "$SRC_ROOT/VERSION"
'

test_expect_success 'NEWS speaks of this version' '
	test_grep "^$(cat "$SRC_ROOT/VERSION")" "$SRC_ROOT/NEWS"
'

test_expect_success 'the licence is MIT' '
	test_grep "^MIT License" "$SRC_ROOT/LICENSE"
'

test_expect_success 'README opens with what it is, both commands and the line for a bare machine' '
	head -n 20 "$SRC_ROOT/README.md" >head &&
	test_grep "make demo" head &&
	test_grep "make test" head &&
	test_grep "apt-get update && apt-get install -y make" head
'

# README names them in backticks, CONTRIBUTING at the beginning of a line of its map.
test_expect_success 'every file that README and CONTRIBUTING name is there' '
	grep -Eo "\`(src|include|t|man|contrib|[.]ci)/[A-Za-z0-9_./-]+\`" "$SRC_ROOT/README.md" | tr -d "\`" >named && test -s named &&
	sed -n "/^THE MAP/,/^[A-Z ]* TESTS\$/p" "$SRC_ROOT/CONTRIBUTING" | grep "^	[A-Za-z.]" | sed "s/   .*//" | tr -d "\t" | tr "," "\n" |
		tr -d " " >map && test_line_count -gt 15 map && cat map >>named &&
	while read -r file
	do
		test -e "$SRC_ROOT/$file" || { echo "not there: $file"; return 1; }
	done <named
'

test_expect_success 'every folder of src/ is on the map of CONTRIBUTING' '
	for dir in "$SRC_ROOT"/src/*/
	do
		test_grep -F "src/$(basename "$dir")/" "$SRC_ROOT/CONTRIBUTING" || return 1
	done
'

test_expect_success 'every test script can be run and every promise has a name of its own in its file' '
	for script in "$SRC_ROOT"/t/t[0-9]*.sh
	do
		test -x "$script" || { echo "not executable: $script"; return 1; }
		sed -n "s/^test_expect_[a-z]* //p" "$script" | sort | uniq -d >twice &&
		test_must_be_empty twice || return 1
	done
'

test_expect_success 'no unit test is skipped where CI=true' '
	test_must_fail grep -n "[^_]skip()" "$SRC_ROOT"/t/unit/u_*.c >bare && test_must_be_empty bare
'

test_expect_success 'the command prints the version of VERSION' '
	store version >out &&
	test_grep -F "$(cat "$SRC_ROOT/VERSION")" out
'

test_expect_success 'the test library is red for a script that fails, and keeps and names the folder' '
	test_must_fail run_inner <<-\EOF &&
	test_expect_success "fails" "echo seen && false"
	EOF
	test_grep "^not ok 1 - fails" out &&
	test_grep "^# seen" out &&
	kept=$(sed -n "s/^# folder kept: //p" out) &&
	test -d "$kept"
'

test_expect_success 'the test library is red for a command that no && joins' '
	test_must_fail run_inner <<-\EOF &&
	test_expect_success "unjoined" "false
	true"
	EOF
	test_grep "^not ok 1 - unjoined" out
'

test_expect_success 'the test library is red for a script that ends the shell' '
	test_must_fail run_inner <<-\EOF &&
	test_expect_success "leaves" "exit 0"
	EOF
	test_grep "^Bail out" out
'

test_expect_success 'the test library takes no death by a signal for an honest failure' '
	test_must_fail run_inner <<-\EOF &&
	test_expect_success "killed" "test_must_fail sh -c \"kill -9 \\\$\\\$\""
	EOF
	test_grep "^not ok 1 - killed" out
'

test_expect_success 'the test library skips at home, and is red for a skip where CI=true' '
	run_inner <<-\EOF &&
	test_expect_success MOON "needs the moon" "false"
	EOF
	test_grep "^ok 1 - needs the moon # SKIP" out &&
	test_must_fail run_inner <<-\EOF &&
	CI=true
	test_expect_success MOON "needs the moon" "true"
	EOF
	test_grep "^not ok 1 - needs the moon" out
'

test_expect_success 'the test library runs with -r what is asked for, and is red when there is no such promise' '
	cat >inner/two <<-\EOF &&
	test_expect_success "setup: always" "echo set >&5"
	test_expect_success "first of two" "echo one >&5"
	test_expect_success "second of two" "echo two >&5"
	EOF
	run_inner -r "second*" <inner/two && test_grep "^two" out && test_grep "^set" out && test_grep ! "^one" out &&
	test_must_fail run_inner -r third <inner/two && test_grep "^not ok 4 - no promise" out &&
	run_inner <inner/two && test_grep "^one" out
'

test_expect_success 'the test library leaves nothing behind when all is green' '
	mkdir clean &&
	cp -R inner/t clean/t &&
	(TMPDIR="$TRASH/clean" && export TMPDIR && unset CI &&
	printf ". \"\$(dirname \"\$0\")/test-lib.sh\"\ntest_expect_success green true\ntest_done\n" >clean/t/t9998-inner.sh &&
	sh clean/t/t9998-inner.sh) >out &&
	test_grep "^ok 1 - green" out &&
	ls clean >left &&
	echo t >want &&
	test_cmp want left
'

test_done
