#!/bin/sh
# What is printed: where it goes, in which form, for whom; pagers, colours, progress, JSON.
. "$(dirname "$0")/test-lib.sh"

# on_terminal COMMAND: what it shows on a terminal, line ends as they are on disk, into seen.
on_terminal()
{
	script -qec "$1" /dev/null </dev/null | tr -d '\r' >"$TRASH/seen"
}
esc=$(printf '\033')

test_expect_success 'setup: two commits, a directory, an odd name, a change' '
	store init -q repo && cd repo && mkdir -p sub/deep && echo 1 >f && echo 2 >sub/deep/g && echo 3 >"$(printf "odd\377")" &&
	store -q add . && store -q commit -m one && echo 4 >f && store -q add . && store -q commit -m two && echo 55 >f && echo new >sub/new
'

test_expect_success 'data goes to standard output, talk to standard error, and -q leaves the data' '
	cd repo && store add -n f >out 2>err && test_grep " f\$" out && test_grep "^store: would be staged" err &&
	store -q add -n f >out.q 2>err && test_cmp out out.q && test_must_be_empty err &&
	store -v root >out 2>err && test_line_count -eq 1 out && test_grep "^store: repository .*/repo/[.]store" err && rm out out.q err
'

test_expect_success 'paths are relative to the current directory, in machine forms from the top' '
	cd repo/sub && echo ../f >want && store status -s >got && test_grep "^ M ../f\$" got && test_grep "^?? new\$" got &&
	store status --porcelain >got && test_grep "^ M f\$" got && test_grep "^?? sub/new\$" got &&
	store ls -r ../ >got && test_grep "^deep/g\$" got && test_grep "^../f\$" got &&
	store -z ls -r ../ | tr "\0" "\n" >got && test_grep "^sub/deep/g\$" got && test_grep "^f\$" got &&
	store --json ls -r ../ >got && test_grep "\"path\":\"sub/deep/g\"" got && store add -n new >got && test_grep " new\$" got &&
	store add -n -z new | tr "\0" "\n" >got && test_grep " sub/new\$" got && rm got want
'

test_expect_success 'names with odd bytes are quoted as C has it, with -z they are as they are' '
	cd repo && store ls >got && test_grep "^\"odd.377\"\$" got && store -z ls | tr "\0" "\n" >got && grep -a "^odd$(printf "\377")\$" got && rm got
'

test_expect_success 'with --json a path that is not UTF-8 is path_b64; what else its lines have is told by t0130' '
	cd repo && store -q add f && store --json commit -m three >out && test_grep "^{\"schema\":\"store/commit/1\"," out &&
	store --json ls >out && test_grep "\"path_b64\":\"b2Rk/w==\"" out && test_grep ! "\"path\":\"odd" out && rm out
'

test_expect_success 'colours only on a terminal, by --color, and not with NO_COLOR or TERM=dumb' '
	cd repo && store log --oneline >out && test_grep ! -F "$esc" out && store --color=always log --oneline >out && test_grep -F "$esc[33m" out &&
	on_terminal "TERM=xterm store --no-pager log --oneline" && test_grep -F "$esc[33m" ../seen &&
	on_terminal "TERM=xterm NO_COLOR=1 store --no-pager log --oneline" && test_grep ! -F "$esc" ../seen && test_grep " two\$" ../seen &&
	on_terminal "TERM=xterm NO_COLOR= store --no-pager log --oneline" && test_grep -F "$esc[33m" ../seen &&
	on_terminal "TERM=dumb store --no-pager log --oneline" && test_grep ! -F "$esc" ../seen &&
	on_terminal "TERM=xterm store --no-pager --color=never log --oneline" && test_grep ! -F "$esc" ../seen && rm out
'

test_expect_success 'the pager is STORE_PAGER, core.pager, PAGER; only on a terminal; --no-pager, -z and --json leave it' '
	cd repo && sed1="sed s/^/one:/" sed2="sed s/^/two:/" sed3="sed s/^/three:/" && export sed1 sed2 sed3 &&
	STORE_PAGER=$sed1 store log --oneline >out && test_grep ! one: out &&
	on_terminal "STORE_PAGER=\"$sed1\" PAGER=\"$sed3\" store -c core.pager=\"$sed2\" log --oneline" && test_grep "^one:.* two\$" ../seen &&
	on_terminal "PAGER=\"$sed3\" store -c core.pager=\"$sed2\" log --oneline" && test_grep "^two:.* two\$" ../seen &&
	on_terminal "PAGER=\"$sed3\" store log --oneline" && test_grep "^three:.* two\$" ../seen &&
	on_terminal "PAGER=\"$sed3\" store ls" && test_grep "^three:f\$" ../seen &&
	for options in "--no-pager log --oneline" "--json log" "log -z --oneline" status "cat f"; do
		on_terminal "PAGER=\"$sed3\" store $options" && test_grep ! three: ../seen || return 1
	done && for none in "" cat no-such-pager-here; do
		on_terminal "STORE_PAGER=\"$none\" store log --oneline" && test_grep "^[0-9a-f]* two\$" ../seen && test_line_count -eq 3 ../seen ||
			return 1
	done && rm out
'

test_expect_success 'interrupts are for the pager as long as it runs' '
	cd repo && cat >../keys.py <<-\EOF &&
	import os, terminal
	sent = []

	def on_output(fd, run):
	    # Each key waits for the echo of the one before; many, because signals that wait become one.
	    echoed = run.out.count(b"^C")
	    if b"ready" in run.out and len(sent) == echoed <= 50:
	        sent.append(echoed)
	        os.write(fd, b"\x03" if echoed < 50 else b"key\n")

	pager = "trap \"\" INT; cat >/dev/null; echo ready; read line </dev/tty && echo got $line"
	r = terminal.run(["store", "log"], env={"STORE_PAGER": "true; " + pager}, on_output=on_output)
	assert b"got key" in r.out and r.code == 0, (r.out, r.code)
	EOF
	PYTHONPATH=$SRC_ROOT/t python3 -B ../keys.py && rm ../keys.py
'

test_expect_success ROOT 'the pager that the configuration of another user names is not run' '
	cp -a repo foreign && printf "[core]\n\tpager = touch %s/ran; cat\n" "$TRASH" >>foreign/.store/config &&
	(cd foreign && on_terminal "store log --oneline") && test -e ran && rm ran && chown -R 1234:1234 foreign &&
	cd foreign && on_terminal "PAGER=cat store log --oneline" && test_grep " two\$" ../seen && test_path_is_missing ../ran
'

test_expect_success 'progress is drawn on a terminal when the work lasts, its last line is kept; never with --no-progress, -q, --json' '
	store init -q work && cd work && head -c 3000000 /dev/urandom >big && echo 1 >small &&
	slow() { on_terminal "strace -f -qq -o /dev/null -P big -e trace=pread64 -e inject=pread64:delay_enter=400000 \
		store $* --threads 1 add -f big"; } &&
	slow && test_grep -E "add: [0-9]+(/[0-9]+)? files, .*/s" ../seen && test_grep -E "1 added" ../seen &&
	for option in --no-progress -q --json; do
		printf x >>big && slow $option && test_grep ! "files, .*/s" ../seen || return 1
	done &&
	printf x >>big && strace -f -qq -o /dev/null -P big -e trace=pread64 -e inject=pread64:delay_enter=400000 \
		store --threads 1 add big 2>err && test_grep ! "files, .*/s" err && grep -v "^strace:" err >lines && test_line_count -eq 1 lines
'

cat >want.long <<'EOT'
On branch main

Changes to be committed:
	modified:  a  (7 bytes)

Changes not staged:
	modified:  b  (7 bytes)
	deleted:   c
	new kind:  l  (2 bytes)

Untracked:
	u/

1 staged (7 bytes), 3 not staged (9 bytes), 1 untracked
next: store commit -m TEXT
EOT

test_expect_success 'status tells branch, groups with bytes, totals, and what to type next' '
	store init -q long && cd long && store status >../out && test_grep "^On branch main\$" ../out && test_grep "^No commits yet\$" ../out &&
	test_grep "^next: store add PATH" ../out &&
	echo 1 >a && echo 22 >b && echo 3 >c && ln -s a l && store -q add . && store -q commit -m one && echo more >>a && store -q add a &&
	echo 333 >>b && rm c && rm l && echo f >l && mkdir -p u/v && echo u >u/v/f &&
	store status >../out && test_cmp ../want.long ../out &&
	store -q commit -m two && store status >../out && test_grep "^next: store add -u, or store add PATH\$" ../out &&
	store -q add -u && store -q commit -m three && store status >../out && test_grep "^next: store add PATH\$" ../out &&
	store -q add -A && store -q commit -m four && store status >../out &&
	test_grep "^nothing to commit, the working tree is clean\$" ../out &&
	id=$(store log --oneline -n 1 | cut -c1-12) && store checkout -q -f "$id" && store status >../out && test_grep "^HEAD detached at $id\$" ../out &&
	store checkout -q - && store status >../out && test_grep "^On branch main\$" ../out
'

test_expect_success 'info tells path, format, root, objects, logical and stored bytes, ratio, packs' '
	cd repo && store info >../out && root=$(store root) && test_grep "^path:  *$PWD/.store\$" ../out && test_grep "^format:  *1\$" ../out &&
	test_grep "^root:  *$root\$" ../out && test_grep "^commits:  *3 (along first parents)\$" ../out && test_grep "^objects:  *[1-9]" ../out &&
	test_grep "^logical bytes:  *7 (7 bytes)\$" ../out && test_grep -E "^ratio: +[0-9]+[.][0-9]{2}\$" ../out &&
	packs=$(find .store/packs -type f | wc -l) && test_grep "^packs:  *$packs\$" ../out &&
	stored=$(find .store/packs -type f -printf "%s\n" | awk "{ n += \$1 } END { print n }") && test_grep "^stored bytes:  *$stored " ../out &&
	test_grep "^garbage:  *0 (0 bytes)\$" ../out
'

test_expect_success 'info counts the pack of a killed command as garbage, until the next one has removed it' '
	cp -a repo killed && cd killed && ls .store/packs | sort >../before && store info | grep -E "^(packs|stored)" >../want &&
	echo 6 >f && test_must_fail sh -c "STORE_FAULT=publish.sync:1:kill store add f; exit 1" &&
	ls .store/packs | sort | comm -13 ../before - >../left && test_line_count -eq 1 ../left &&
	bytes=$(wc -c <".store/packs/$(cat ../left)") && store info >../out && test_grep "^garbage:  *$bytes " ../out &&
	grep -E "^(packs|stored)" ../out >../got && test_cmp ../want ../got &&
	store --json info >../out && test_grep "\"garbage_packs\":1,\"garbage_bytes\":$bytes," ../out &&
	store add f && store info >../out && test_grep "^garbage:  *0 " ../out
'

test_expect_success 'root prints the root of a revision with kind, height and size; a root is the same whoever commits it' '
	cd repo && store root >../out && test_grep -E "^[0-9a-f]{64} directory 0 7\$" ../out && store root HEAD~1 >../one &&
	test_must_fail cmp -s ../one ../out && store --json root >../json && test_grep "\"schema\":\"store/root/1\"" ../json
'

test_expect_success 'log: the newest first, -n, ranges, a revision; --oneline is id and subject' '
	cd repo && store log --oneline | cut -d" " -f2 >../got && printf "%s\n" three two one >../want && test_cmp ../want ../got &&
	store log --oneline -n 1 >../got && test_line_count -eq 1 ../got && test_grep -E "^[0-9a-f]{12} three\$" ../got &&
	store log --oneline HEAD~1 | cut -d" " -f2 >../got && printf "%s\n" two one >../want && test_cmp ../want ../got &&
	store log --oneline HEAD~2..HEAD | cut -d" " -f2 >../got && printf "%s\n" three two >../want && test_cmp ../want ../got &&
	store log --oneline HEAD~1.. | cut -d" " -f2 >../got && echo three >../want && test_cmp ../want ../got &&
	store log --oneline HEAD...HEAD~1 | cut -d" " -f2 >../got && test_cmp ../want ../got &&
	store log HEAD~2 >../got && test_grep -E "^commit [0-9a-f]{64}\$" ../got && test_grep "^Author: A U Thor <author@example.com>\$" ../got &&
	test_grep "^    one\$" ../got
'

test_expect_success 'cat: several operands one after the other, and none is printed when one cannot be named' '
	cd repo && store cat f HEAD~2:f sub/deep/g >../got && printf "%s\n" 55 1 2 >../want && test_cmp ../want ../got &&
	test_expect_code 2 store cat f nope >../got 2>../err && test_must_be_empty ../got
'

test_expect_success 'cat -o writes a file whole or not at all, keeps its mode, and follows a link' '
	cd repo && echo before >../kept && chmod 640 ../kept && ln -sf kept ../link && store cat -o ../link f && echo 55 >../want && test_cmp ../want ../kept &&
	test -L ../link && test "$(stat -c %a ../kept)" = 640 && test_expect_code 2 store cat -o ../kept nope && test_cmp ../want ../kept &&
	store cat -o ../fresh f && test "$(stat -c %a ../fresh)" = 644 && test_expect_code 2 store cat -o .. f 2>../err &&
	test_grep "it is a directory" ../err && store cat -o /dev/null f && test_expect_code 2 store cat -o /dev/full f 2>../err &&
	test_grep "No space left" ../err && test "$(find .. -maxdepth 1 -name ".store-out*" | wc -l)" = 0
'

test_expect_success 'setup: eight bytes' '
	store init -q bytes && cd bytes && printf abcdefgh >f && store -q add f && store -q commit -m f
'

while IFS='|' read -r range want; do
	test_expect_success "cat --bytes $range gives '$want'" '
		cd bytes && printf %s "$want" >../want && store cat --bytes "$range" f >../got && test_cmp ../want ../got
	'
done <<'EOT'
0-0|a
2-4|cde
5-|fgh
-3|fgh
-100|abcdefgh
6-100|gh
0-|abcdefgh
7-7|h
EOT

test_expect_success 'cat --bytes of what is no range, or begins behind the end, is refused in words' '
	cd bytes && for range in 8- 8-9 4-2 -0 x 1 1-x -; do
		test_expect_code 2 store cat --bytes "$range" f >../got 2>../err && test_must_be_empty ../got && test_line_count -eq 1 ../err &&
		test_grep -E "behind its end|bytes is A-B" ../err || return 1
	done
'

test_done
