#!/bin/sh
# Names: an object exports what bears its own name or store_, and the linked library shows the world store_ only.
. "$(dirname "$0")/test-lib.sh"

lib=$STORE_RELEASE_BIN/libstore.a

# From nm -A lines "lib:object.o:value type name" print those names that do not begin with the name of their object.
# Every beginning of the object's name counts, cut at an underscore: chunker_avx2.o may export chunker_next_avx2.
find_foreign()
{
	sed -n 's/^.*:\([^:]*\)\.o:[0-9a-fA-F]* [A-Z] \(.*\)$/\1 \2/p' "$1" | while read -r object name; do
		case $name in
		store_* | __odr_asan.* | __asan_* | DW.ref.*) continue ;;
		esac
		prefix=$object
		while :; do
			case $name in
			"$prefix"_*) continue 2 ;;
			esac
			case $prefix in
			*_*) prefix=${prefix%_*} ;;
			*) break ;;
			esac
		done
		echo "$object.o exports $name"
	done
}

test_expect_success 'every object exports only names that begin with its own or with store_' '
	nm -A --defined-only -g "$lib" >names &&
	test -s names &&
	find_foreign names >foreign &&
	test_must_be_empty foreign
'

test_expect_success 'the search finds a foreign name and knows shared beginnings' '
	printf "%s\n" "l.a:buf.o:0000000000000000 T buf_init" "l.a:buf.o:0 T io_open" "l.a:chunker_avx2.o:0 T chunker_next_avx2" \
		"l.a:env.o:0 D envelope" "l.a:repo.o:0 T store_repo_open" >names &&
	find_foreign names >foreign &&
	printf "%s\n" "buf.o exports io_open" "env.o exports envelope" >want &&
	test_cmp want foreign
'

test_expect_success 'linked as a shared library it shows store_ names only, each of them promised in store.h' '
	${CC:-cc} -shared -o libstore.so -Wl,--whole-archive "$lib" -Wl,--no-whole-archive \
		-lcrypto -llmdb -lz -lzstd -lisal -ldeflate -linih -lpthread &&
	nm -D --defined-only libstore.so | sed "s/.* //" | sort >shown &&
	test_grep "^store_repo_" shown &&
	while read -r name
	do
		test_grep "\<$name *(" "$SRC_ROOT/include/store.h" >/dev/null || { echo "not in store.h: $name"; return 1; }
	done <shown
'

test_expect_success 'all functions that store.h promises are there' '
	${CC:-cc} -E -P -I"$SRC_ROOT/include" -include "$SRC_ROOT/include/store.h" -x c /dev/null |
		grep -Eo "\<store_[a-z0-9_]+\(" | tr -d "(" | sort -u >promised &&
	test -s promised &&
	nm --defined-only -g "$lib" | sed -n "s/.* [TDRB] //p" | sort -u >there &&
	comm -23 promised there >lacking &&
	test_must_be_empty lacking
'

test_expect_success 'the command needs nothing from the library but what store.h promises' '
	for object in "$STORE_RELEASE_BIN"/obj/src/cli/*.o
	do
		nm -u "$object" | sed "s/.* //"
	done | sort -u >used &&
	nm --defined-only -g "$lib" | sed -n "s/.* [TDRB] //p" | sort -u >there &&
	comm -12 used there | sed "/^store_/d" >inside &&
	test_must_be_empty inside
'

test_done
