#!/bin/sh
# The build: from a tarball without git, in a folder with blanks, with a source tree that nobody may write to, into O.
. "$(dirname "$0")/test-lib.sh"

# The tree as a tarball has it, in a folder with blanks; $tree is where.
tree="$TRASH/a path with blanks/store 0.1"
unpack()
{
	mkdir -p "$tree" &&
		(cd "$SRC_ROOT" && tar -cf - Makefile LICENSE NEWS VERSION README.md CONTRIBUTING .clang-format .clang-tidy \
			contrib include man src t) | (cd "$tree" && tar -xf -)
}

# A tree of one C file per kind, for tests that need many small builds.  Of the headers that are probed it has one.
small_tree()
{
	rm -rf small && mkdir -p small/src/base small/src/cli small/include small/contrib small/man small/t/unit &&
		cp "$SRC_ROOT/Makefile" "$SRC_ROOT/VERSION" small/ &&
		grep "header *lmdb.h" "$SRC_ROOT/contrib/deps" >small/contrib/deps &&
		cp "$SRC_ROOT/contrib/store.pc.in" small/contrib/ && cp "$SRC_ROOT/src/base/banned.h" small/src/base/ &&
		echo '__attribute__((visibility("default"))) int base_one(void); int base_one(void) { return 1; }' >small/src/base/base.c &&
		printf "%s\n" "#include <store.h>" "int base_one(void); int main(void) { return base_one() - 1; }" >small/src/cli/main.c &&
		: >small/include/store.h && : >small/man/store.1 &&
		find small -type f -exec touch -d '1 hour ago' {} +
}
# The same with what `make` left in it, made once and copied.
built_tree()
{
	if [ ! -d built ]; then
		small_tree && build -C small >built.log && cp -a small built || return 1
	fi
	rm -rf small && cp -a built small
}

list_tree()
{
	(cd "$1" && find . -type f | sort | xargs -d '\n' cksum)
}

# What a plain `make` is when nothing of the caller's make leaks in.
build()
{
	env -u CC -u CFLAGS -u O -u WERROR make "$@"
}

# The compiler of the whole tree.  The first file of each floor and the one that has the version are compiled; of the others the
# object of the release build is taken, if it is there: the next promise sees to it that it comes out of the tarball as well.
# out/compiled tells of each which it was.
make_cc()
{
	mkdir -p objects/src && { [ ! -d "$STORE_RELEASE_BIN/obj/src" ] || cp -r "$STORE_RELEASE_BIN/obj/src" objects/; } &&
		firsts='src/work/repo.c' && for floor in $floors; do
		set -- "$SRC_ROOT/src/$floor"/*.c && firsts="$firsts | ${1#"$SRC_ROOT/"}" || return 1
	done &&
		cat >cc <<-EOF && chmod +x cc
			#!/bin/sh
			for source; do :; done
			object=$TRASH/objects/\${source%.c}.o how=copied
			case \$source in
			$firsts) how=compiled ;;
			src/*.c) [ -e "\$object" ] || how=compiled ;;
			*) exec cc "\$@" ;;
			esac
			echo "\$how \$source" >>"$TRASH/out/compiled"
			[ \$how = copied ] || exec cc "\$@"
			while [ "\$1" != -o ]; do shift; done
			exec cp "\$object" "\$2"
		EOF
}
floors='base data odb graph work cli'

test_expect_success 'a tarball in a folder with blanks builds into O, and the read-only source tree stays as it was' '
	unpack && make_cc &&
	list_tree "$tree" >before &&
	mkdir out && test_give_to_user out &&
	chmod -R a-w "$tree" &&
	test_as_user env -u O -u WERROR make -C "$tree" -j2 O=../../out CC="$TRASH/cc" CFLAGS=-O0 >log 2>&1 &&
	test -x out/store &&
	test -f out/libstore.a &&
	list_tree "$tree" >after &&
	test_cmp before after &&
	for floor in $floors; do test_grep "^compiled src/$floor/" out/compiled || return 1; done
'

test_expect_success 'what is compiled there is every source, and all that the release build of one read is in the tarball' '
	sed "s/.* //" out/compiled | sort >got && (cd "$tree" && ls src/*/*.c) | sort >want && test_cmp want got &&
	sed -n "s,^copied \(.*\)c\$,objects/\1d,p" out/compiled | xargs cat | tr " :\\\\" "[\n*]" | grep "[.][a-z]*\$" | grep -v "[.]o\$" | sort -u >read &&
	test_grep "^src/base/banned.h\$" read && test_grep "^include/store.h\$" read && test_grep "^src/cli/.*[.]c\$" read &&
	(cd "$tree" && find include src -type f) | sort | comm -23 read - >missing && test_must_be_empty missing
'

test_expect_success 'that command runs and says the version' '
	out/store version >version &&
	test_grep -F "$(cat "$SRC_ROOT/VERSION")" version
'

test_expect_success 'a second make compiles nothing' '
	test_as_user env -u O -u WERROR make -C "$tree" O=../../out CC="$TRASH/cc" CFLAGS=-O0 >log 2>&1 &&
	test_grep ! -E "CC|LINK|AR" log
'

test_expect_success 'plain make leaves build/store and build/libstore.a, quietly, and V=1 shows the commands' '
	small_tree &&
	build -C small >log &&
	test -x small/build/store &&
	test -f small/build/libstore.a &&
	test_grep ! "std=c11" log &&
	build -C small clean >log &&
	build -C small V=1 >log &&
	test_grep "std=c11" log
'

test_expect_success 'a touched header or source compiles again what depends on it, and nothing else' '
	built_tree &&
	build -C small >log &&
	test_grep ! "CC" log &&
	touch small/include/store.h &&
	build -C small >log &&
	test_grep "CC  *src/cli/main.c" log &&
	test_grep ! "CC  *src/base/base.c" log
'

test_expect_success 'other flags in the same O compile anew' '
	built_tree &&
	build -C small CFLAGS=-O1 >log &&
	test_grep "CC  *src/base/base.c" log &&
	build -C small CFLAGS=-O1 >log &&
	test_grep ! "CC" log
'

test_expect_success 'builds with fault points and sanitizers have folders of their own' '
	small_tree &&
	for flags in FAULTS=1 SAN=address,undefined SAN=thread
	do
		build -n -C small $flags >plan && cat plan >>plans || return 1
	done &&
	test_grep "LINK build/fault/store" plans &&
	test_grep "LINK build/asan/store" plans &&
	test_grep "LINK build/tsan/store" plans
'

test_expect_success 'CPU variants get their flags by name' '
	built_tree && touch small/src/base/base.c &&
	echo "int base_two(void); int base_two(void) { return 2; }" >small/src/base/base_avx2.c &&
	build -C small V=1 >log &&
	case "$(cc -dumpmachine)" in
	x86_64*) grep "base_avx2.c\$" log >line && test_grep " -mavx2 " line ;;
	esac &&
	grep "base/base.c\$" log >line &&
	test_grep ! " -mavx2 " line
'

test_expect_success 'a missing header is one line that names it and its package' '
	small_tree &&
	cat >cc <<-\EOF &&
	#!/bin/sh
	for last; do :; done
	grep -q lmdb.h "$TRASH"/small/build/probed.c 2>/dev/null && exit 1
	exec cc "$@"
	EOF
	chmod +x cc &&
	test_must_fail build -C small CC="$TRASH/cc" >log 2>err &&
	grep -v "^make" err >said &&
	echo "missing lmdb.h: install liblmdb-dev (or run contrib/install-deps)" >want &&
	test_cmp want said
'

test_expect_success 'an O with blanks is refused in one line' '
	small_tree &&
	test_must_fail build -C small O="a b" >log 2>err &&
	test_grep "must be one word" err &&
	test_line_count -eq 1 err
'

test_expect_success 'WERROR=1 turns a warning into an error' '
	built_tree &&
	echo "int base_bare(void) { return 3; }" >>small/src/base/base.c &&
	build -C small >log 2>&1 &&
	test_must_fail build -C small O=strict WERROR=1 >log 2>&1 &&
	test_grep "Werror" log
'

test_expect_success 'a banned call does not compile' '
	built_tree &&
	printf "%s\n" "#include <string.h>" "char *base_copy(char *a, char *b); char *base_copy(char *a, char *b)" \
		"{ return strcpy(a, b); }" >>small/src/base/base.c &&
	test_must_fail build -C small >log 2>&1 &&
	test_grep "poisoned .*strcpy" log
'

test_expect_success 'install goes below DESTDIR, blanks and all, and uninstall takes everything back' '
	built_tree &&
	build -C small install DESTDIR="$TRASH/d e s t" PREFIX=/usr >log &&
	(cd "d e s t" && find . ! -type d | sort) >files &&
	cat >want <<-EOF &&
	./usr/bin/store
	./usr/include/store.h
	./usr/lib/libstore.a
	./usr/lib/libstore.so
	./usr/lib/libstore.so.0
	./usr/lib/libstore.so.$(cat small/VERSION)
	./usr/lib/pkgconfig/store.pc
	./usr/share/man/man1/store.1
	EOF
	test_cmp want files &&
	build -C small uninstall DESTDIR="$TRASH/d e s t" PREFIX=/usr >log &&
	find "d e s t" ! -type d >files &&
	test_must_be_empty files
'

test_expect_success 'clean removes what make made and nothing that is not its own' '
	built_tree &&
	mv small/build small/o &&
	echo mine >small/o/mine &&
	build -C small O=o clean >log &&
	ls small/o >left &&
	echo mine >want &&
	test_cmp want left
'

test_expect_success 'dist without git packs a tree that builds' '
	small_tree &&
	build -C small O=o dist >log &&
	mkdir fresh &&
	tar -C fresh -xzf "small/o/store-$(cat "$SRC_ROOT/VERSION").tar.gz" &&
	build -C "fresh/store-$(cat "$SRC_ROOT/VERSION")" >log &&
	test -x "fresh/store-$(cat "$SRC_ROOT/VERSION")/build/store"
'

test_expect_success 'the release has no fault points, and the build for tests has them' '
	grep -ac STORE_FAULT "$STORE_BIN/store" &&
	test -x "$STORE_RELEASE_BIN/store" &&
	test_must_fail grep -ac STORE_FAULT "$STORE_RELEASE_BIN/store" &&
	nm "$STORE_BIN/obj/libparts.a" 2>/dev/null | grep " T fault_" >points &&
	nm "$STORE_RELEASE_BIN/obj/libparts.a" 2>/dev/null >names &&
	test_grep ! " T fault_" names
'

test_done
