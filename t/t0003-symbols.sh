#!/bin/sh
# Names: an object exports what bears its own name or store_, and the linked library shows the world store_ only.
. "$(dirname "$0")/test-lib.sh"

lib=$STORE_RELEASE_BIN/libstore.a
parts=$STORE_RELEASE_BIN/obj/libparts.a

# Names besides its own that an object may export, because its header tells of several things.
others='
entry change_ meta_ totals_
publish writer_register
'

# From nm -A lines "lib:object.o:value type name" print those names that do not begin with the name of their object, and
# are not that name itself.  Every beginning of the object's name counts, cut at an underscore: chunker_avx2.o may
# export chunker_next_avx2, map_edit.o map_editor_new.
find_foreign()
{
	sed -n 's/^.*:\([^:]*\)\.o:[0-9a-fA-F]* [A-Z] \(.*\)$/\1 \2/p' "$1" | awk -v others="$others" '
	function begins(name, prefix) { return substr(name, 1, length(prefix)) == prefix }
	function is_own(object, name, i, prefix) {
		if (name == object || name ~ /^(store_|__odr_asan[.]|__asan_|DW[.]ref[.])/) return 1
		for (i = 1; i <= n; i++)
			if (row[i] == object && begins(name, beginning[i])) return 1
		for (prefix = object; ; sub(/_[^_]*$/, "", prefix)) {
			if (begins(name, prefix "_")) return 1
			if (prefix !~ /_/) return 0
		}
	}
	BEGIN {
		lines = split(others, line, "\n")
		for (l = 1; l <= lines; l++) {
			words = split(line[l], word, " ")
			for (w = 2; w <= words; w++) { row[++n] = word[1]; beginning[n] = word[w] }
		}
	}
	!is_own($1, $2) { print $1 ".o exports " $2 }'
}

# Print what the library shows when it is linked as a shared one: the names whose prototypes carry STORE_API.
list_shown()
{
	${CC:-cc} -shared -s -o libstore.so -Wl,--whole-archive "$lib" -Wl,--no-whole-archive \
		-lcrypto -llmdb -lz -lzstd -lisal -ldeflate -linih -lpthread -ldl &&
		nm -D --defined-only libstore.so | sed 's/.* //' | LC_ALL=C sort
}

# Print the names of all functions that store.h promises.
list_promised()
{
	${CC:-cc} -E -P -I"$SRC_ROOT/include" -include "$SRC_ROOT/include/store.h" -x c /dev/null |
		grep -Eo '\<store_[a-z0-9_]+\(' | tr -d '(' | LC_ALL=C sort -u
}

test_expect_success 'setup: the names of the objects, of the linked library and of its header' '
	nm -A --defined-only -g "$parts" >exported && list_shown >shown && list_promised >promised &&
	test -s exported && test -s shown && test -s promised
'

test_expect_success 'every object exports only names that begin with its own or with store_' '
	find_foreign exported >foreign &&
	test_must_be_empty foreign
'

test_expect_success 'the search finds a foreign name, and knows shared beginnings, whole names and the table' '
	printf "%s\n" "l.a:buf.o:0000000000000000 T buf_init" "l.a:buf.o:0 T io_open" "l.a:chunker_avx2.o:0 T chunker_next_avx2" \
		"l.a:env.o:0 D envelope" "l.a:open.o:0 T store_open" "l.a:crc32c.o:0 T crc32c" "l.a:entry.o:0 T meta_encode" \
		"l.a:layer.o:0 T meta_encode" "l.a:publish.o:0 T writer_new" >names &&
	find_foreign names >foreign &&
	printf "%s\n" "buf.o exports io_open" "env.o exports envelope" "layer.o exports meta_encode" \
		"publish.o exports writer_new" >want &&
	test_cmp want foreign
'

test_expect_success 'every line of the table is needed' '
	printf "%s\n" "$others" | sed "/^\$/d" >table && test -s table &&
	while read -r object prefixes
	do
		for prefix in $prefixes
		do
			test_grep ":$object[.]o:.* $prefix" exported || return 1
		done
	done <table
'

test_expect_success 'linked as a shared library it shows only what store.h promises' '
	test_grep "^store_open\$" shown &&
	LC_ALL=C comm -23 shown promised >unpromised &&
	test_must_be_empty unpromised
'

test_expect_success 'every function that store.h promises is there, and its prototype carries STORE_API' '
	LC_ALL=C comm -13 shown promised >lacking &&
	test_must_be_empty lacking
'

test_expect_success 'the command needs nothing from the library but what store.h promises' '
	nm -u "$STORE_RELEASE_BIN"/obj/src/cli/*.o | sed -n "s/^ *U //p" | sort -u >used && test -s used &&
	nm --defined-only -g "$lib" | sed -n "s/.* [TDRB] //p" | sort -u >there &&
	comm -12 used there | sed "/^store_/d" >inside &&
	test_must_be_empty inside
'

test_done
