#!/bin/sh
# Publication: the map that grows, orphans, a torn refs.log, void records, numbers that are never used twice.
test_on_disk=t
test_leaks=0
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/crash-lib.sh"

# fsck looks at all; where the second reader does, too, it is said.
quick=t
with_second_reader='test_when_finished quick=t && quick='

# Where the program is slow fewer of each kind.
map_sizes='65536 131072 262144 1048576' pages_step=1 cut_sizes='0 1 4096 5000 8192 8193 12288 16384 40000'
[ -z "${STORE_TEST_LIGHT-}" ] || map_sizes='65536 1048576' pages_step=4 cut_sizes='0 4096 8193 40000'

for size in $map_sizes; do
	case $size in
	1048576) bytes=900000 files=3000 ;;
	*) bytes=300000 files=800 ;;
	esac
	test_expect_success "a database that may hold $size bytes grows while things are added and committed" '
		rm -rf r &&
		STORE_TEST_MAP_SIZE=$size &&
		export STORE_TEST_MAP_SIZE &&
		test_when_finished "unset STORE_TEST_MAP_SIZE" &&
		store init -q --chunk-average 256 r &&
		mkdir r/d &&
		random_bytes 1 $bytes >r/d/big &&
		cp r/d/big want &&
		(cd r/d && seq 1 $files | xargs touch) &&
		timeout 60 store -C r add -q . &&
		timeout 60 store -C r commit -q -m one >/dev/null &&
		random_bytes 2 $bytes >r/d/big &&
		rm r/d/1?? &&
		timeout 60 store -C r add -q . &&
		timeout 60 store -C r commit -q -m two >/dev/null &&
		test "$(wc -c <r/.store/db/data.mdb)" -gt $size &&
		unset STORE_TEST_MAP_SIZE &&
		cat r/d/big >>want &&
		store -C r cat HEAD~1:d/big d/big >got &&
		test_cmp want got &&
		is_whole r
	'
done

# LMDB takes pages for its list of free ones inside the commit, when the pack has its name already and refs.log its record.  So many
# pages are tried that the last is room enough.
test_expect_success 'wherever the database is full, in the commit itself too, all that is published stays' '
	STORE_TEST_FSYNC=0 && export STORE_TEST_FSYNC && test_when_finished unset STORE_TEST_FSYNC &&
	store init -q tight && rm tight/.store/ballast && (cd tight && seq 200 | xargs touch && store add -q . && store commit -q -m one) &&
	for n in $(seq 200); do echo "$n" >tight/"$n"; done && full=$(wc -c <tight/.store/db/data.mdb) &&
	for pages in $(seq 0 $pages_step 20); do
		rm -rf r && cp -a tight r && STORE_TEST_MAP_SIZE=$((full + pages * 4096)) store -C r add -q . &&
		store -C r fsck >fsck.out 2>&1 && set -- r/.store/packs/* && test $# -ge 3 || {
			echo "with $pages pages free" >&7 && cat fsck.out >&7
			return 1
		}
		[ $pages -ne 0 ] || test "$(wc -c <r/.store/db/data.mdb)" -gt $full || return 1
	done &&
	test "$(wc -c <r/.store/db/data.mdb)" -le $((full + 20 * 4096))
'

test_expect_success 'a repository to look at' '
	make_stories
'

# next_number DIR: what the next publication will have, as a pack name says it.
next_number()
{
	STORE_TRACE=publish:"$PWD/next.trace" store -C "$1" commit -q --allow-empty -m next &&
		sed -n "s/.*number=\([0-9]*\) .*/\1/p" next.trace | tail -n 1 | awk '{ printf "%016x\n", $1 + 1 }'
}
# flip_row KIND: one bit of the row of the last pack in table `packs`, in every copy of it: of its key or of its value.
flip_row()
{
	for flip_pack in r/.store/packs/*; do :; done
	python3 - "$1" r/.store/db/data.mdb "${flip_pack##*/}" <<-\EOF
		import sys
		number, random = sys.argv[3].split("-")
		row = bytes.fromhex(number + random)
		at = 0 if sys.argv[1] == "key" else 8
		data = open(sys.argv[2], "rb").read()
		assert row in data
		open(sys.argv[2], "wb").write(data.replace(row, row[:at] + bytes([row[at] ^ 64]) + row[at + 1:]))
	EOF
}

test_expect_success 'a pack that the database does not know is removed by the next who takes the gate' '
	copy_story before-commit &&
	ls r/.store/packs >packs &&
	number=$(next_number r) &&
	echo junk >"r/.store/packs/$number-00112233445566778899aabbccddeeff" &&
	store -C r log >/dev/null &&
	store -C r fsck >out 2>&1 &&
	test_grep "$number-00112233445566778899aabbccddeeff was never published" out &&
	test -e "r/.store/packs/$number-00112233445566778899aabbccddeeff" &&
	store -C r commit -q --allow-empty -m two >/dev/null &&
	test_path_is_missing "r/.store/packs/$number-00112233445566778899aabbccddeeff" &&
	while read -r pack; do
		test -e "r/.store/packs/$pack" || return 1
	done <packs &&
	eval "$with_second_reader" &&
	is_whole r
'

for what in key value; do
	test_expect_success "one flipped bit in the $what of a row of packs removes no pack: the next write is refused, fsck tells" '
		copy_story before-commit &&
		ls r/.store/packs >want &&
		flip_row '$what' &&
		test_expect_code 4 store -C r add . 2>err &&
		test_line_count -eq 1 err &&
		test_grep "packs.*fsck --rebuild" err &&
		test_expect_code 4 store -C r fsck >out 2>&1 &&
		test_grep "packs/.*fsck --rebuild" out &&
		test_grep ! "never published" out &&
		ls r/.store/packs >got &&
		test_cmp want got &&
		store -C r fsck --rebuild >/dev/null 2>&1 &&
		store -C r cat :d/big >got &&
		test_cmp r/d/big got &&
		ends_well
	'
done

test_expect_success 'a pack that nobody published and that cannot be removed stops the next write' '
	copy_story before-commit &&
	pack=r/.store/packs/$(next_number r)-00112233445566778899aabbccddeeff &&
	mkdir "$pack" &&
	test_expect_code 2 store -C r commit --allow-empty -m two 2>err &&
	test_line_count -eq 1 err &&
	test_grep "cannot remove .*00112233445566778899aabbccddeeff" err &&
	rmdir "$pack" &&
	store -C r commit -q --allow-empty -m two &&
	is_whole r
'

test_expect_success 'no two packs ever bear one number' '
	copy_story before-add &&
	for point in publish.sync:1 env.commit:2 publish.sync:2 env.commit:3; do
		STORE_FAULT=$point:kill store -C r add -q . 2>/dev/null
		echo "$point" >>r/small
	done &&
	store -C r add -q . &&
	for point in publish.sync:1 refslog.sync:1 env.commit:2; do
		STORE_FAULT=$point:kill store -C r commit -q --allow-empty -m x >/dev/null 2>&1
		echo "$point" >>r/small
	done &&
	store -C r add -q . &&
	store -C r commit -q -m end >/dev/null &&
	ls r/.store/packs | cut -c1-16 | sort >numbers &&
	uniq -d numbers >twice &&
	test_must_be_empty twice &&
	test_line_count -gt 2 numbers &&
	eval "$with_second_reader" &&
	is_whole r
'

test_expect_success 'what is in tmp/ without an owner goes at the next command, what has one stays' '
	copy_story before-commit &&
	echo x >r/.store/tmp/p-00112233445566778899aabbccddeeff &&
	echo x >r/.store/tmp/w-00112233445566778899aabbccddeeff &&
	echo x >r/.store/tmp/p-held &&
	rm -f held &&
	{ hold r/.store/tmp/p-held held 20 & holder=$!; } &&
	wait_for held &&
	store -C r log >/dev/null &&
	ls r/.store/tmp >got &&
	echo p-held | test_cmp - got &&
	rm held &&
	wait $holder &&
	store -C r log >/dev/null &&
	ls r/.store/tmp >got &&
	test_must_be_empty got
'

test_expect_success 'a torn tail of refs.log is cut, and the history goes on' '
	copy_story before-commit &&
	cp r/.store/refs.log good &&
	printf "ref change 99\nhalf a reco" >>r/.store/refs.log &&
	store -C r log >log.out &&
	test_grep "$(cat one)" log.out &&
	store -C r commit -q -m two >/dev/null &&
	head -c "$(wc -c <good)" r/.store/refs.log | cmp - good &&
	test_grep ! "half a reco" r/.store/refs.log &&
	ends_well
'

test_expect_success 'taking the gate reads the end of refs.log, however long the log is' '
	copy_story before-commit &&
	python3 - r/.store/refs.log <<-\EOF &&
		import sys
		head, end = b"store refs 1\n", b"\nend "
		text = open(sys.argv[1], "rb").read()
		first = text[len(head):text.index(b"\n", text.index(end) + 1) + 1]
		# Each but the last of these is void by the next: the history is what it was.
		open(sys.argv[1], "wb").write(head + first * 20000 + text[len(head):])
	EOF
	test "$(wc -c <r/.store/refs.log)" -gt 2000000 &&
	for what in "add -q ." "commit -q -m two"; do
		strace -f -y -o trace -e trace=read,pread64,readv,preadv,mmap store -C r $what >/dev/null &&
		grep "/refs.log>" trace >reads &&
		sed -n "s/.* = \([0-9]*\)\$/\1/p" reads | awk "{ sum += \$1 } END { exit !(sum > 0 && sum <= 8192) }" &&
		test_grep ! mmap reads || return 1
	done &&
	store -C r log --oneline >log.out &&
	test_line_count -eq 2 log.out &&
	ends_well
'

test_expect_success 'a record whose publication never committed is made void by the next, and no reader believes it' '
	copy_story before-commit &&
	cp r/.store/refs.log good &&
	STORE_FAULT=env.commit:2:kill test_expect_code 137 store -C r commit -q -m lost >/dev/null 2>&1 &&
	test "$(wc -c <r/.store/refs.log)" -gt "$(wc -c <good)" &&
	test_grep ! -q "^void" r/.store/refs.log &&
	"$SECOND_READER" r/.store refs >got &&
	store -C r commit -q -m two >/dev/null &&
	test_grep "void" r/.store/refs.log &&
	store -C r log --oneline >log.out &&
	test_line_count -eq 2 log.out &&
	test_grep ! " lost\$" log.out &&
	"$SECOND_READER" r/.store refs >got &&
	id=$(store -C r log | sed -n "s/^commit //p;1q") &&
	test_grep "refs/heads/main .*$id" got &&
	eval "$with_second_reader" &&
	ends_well
'

test_expect_success 'a db/ that is older than refs.log writes nothing and names fsck --rebuild' '
	copy_story before-commit &&
	cp -a r/.store/db db-before &&
	store -C r commit -q -m two >/dev/null &&
	echo more >r/small &&
	store -C r add -q . &&
	store -C r commit -q -m three >/dev/null &&
	rm -rf r/.store/db &&
	mv db-before r/.store/db &&
	cp r/.store/refs.log want &&
	ls r/.store/packs >packs-before &&
	echo again >r/small &&
	test_expect_code 4 store -C r add . 2>err &&
	test_grep "fsck --rebuild" err &&
	test_cmp want r/.store/refs.log &&
	ls r/.store/packs >packs-after &&
	test_cmp packs-before packs-after &&
	store -C r fsck --rebuild >/dev/null 2>&1 &&
	store -C r log --oneline >log.out &&
	test_line_count -eq 3 log.out &&
	echo other >r/small &&
	ends_well
'

test_expect_success 'a db/ that is older than packs/ removes none of them: what was staged since comes back by fsck --rebuild' '
	copy_story before-add &&
	cp -a r/.store/db db-before &&
	store -C r add -q . &&
	echo more >r/small &&
	store -C r add -q . &&
	rm -rf r/.store/db &&
	mv db-before r/.store/db &&
	ls r/.store/packs >want &&
	test_expect_code 4 store -C r add . 2>err &&
	test_grep "db/ is older than packs" err &&
	ls r/.store/packs >got &&
	test_cmp want got &&
	store -C r fsck --rebuild >/dev/null 2>&1 &&
	store -C r cat :small >got &&
	test_cmp r/small got &&
	echo other >r/small &&
	ends_well
'

# Opening it is what refuses: each size is met by log and by one of the other commands in turn.
test_expect_success 'a data.mdb that is cut off, wherever, is refused by every command, and fsck --rebuild makes it anew' '
	test_when_finished "brief=" &&
	set -- status "add ." "commit -m two" fsck &&
	for size in $cut_sizes; do
		copy_story before-commit &&
		truncate -s $size r/.store/db/data.mdb &&
		for what in log "$1"; do
			test_expect_code 4 store -C r $what >out 2>err &&
			test_grep "data.mdb.*fsck --rebuild" err || {
				echo "store $what of $size bytes" >&7 && return 1
			}
		done &&
		set -- "$2" "$3" "$4" "$1" &&
		test "$(wc -c <r/.store/db/data.mdb)" -eq $size &&
		store -C r fsck --rebuild >/dev/null 2>&1 &&
		ends_well && brief=t || return 1
	done
'

test_expect_success 'a record that never committed is made void even when the void record itself was torn' '
	copy_story before-commit &&
	STORE_FAULT=env.commit:2:kill test_expect_code 137 store -C r commit -q -m lost >/dev/null 2>&1 &&
	printf "void" >>r/.store/refs.log &&
	echo more >r/small &&
	store -C r add -q . &&
	test_grep -a "void" r/.store/refs.log &&
	echo other >r/small &&
	store -C r add -q . &&
	store -C r fsck --rebuild >/dev/null 2>&1 &&
	store -C r log --oneline >log.out &&
	test_line_count -eq 1 log.out &&
	ends_well
'

test_expect_success 'a pack whose fsync failed is not used again: its objects are in another one' '
	copy_story before-add &&
	STORE_FAULT=pack.sync:1:EIO test_expect_code 2 store -C r add -q . 2>err &&
	ls r/.store/tmp >got &&
	test_must_be_empty got &&
	ends_well
'

test_done
