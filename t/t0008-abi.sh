#!/bin/sh
# libstore for other programs: the header alone, the shared library's name and names, store.pc, and a list of all that
# a program may have been compiled against, so that no change of it goes unannounced.
. "${0%/*}/test-lib.sh"

# A program that knows nothing but <store.h>.
make_program()
{
	cat >program.c <<-\EOF
	#include <store.h>
	#include <stdio.h>

	int main(void)
	{
		struct store_error err = { 0 };
		struct store_repo *repo = NULL;
		struct store_open_options options = { 0 };

		options.start = "/nowhere";
		printf("%s %d\n", store_version(), store_open(&repo, &options, &err));
		return 0;
	}
	EOF
}

# The declarations of store.h, one a line, and its constants: no comments, no blanks that say nothing.
list_abi()
{
	python3 -c '
import re, sys
text = re.sub(r"/\*.*?\*/", " ", sys.stdin.read(), flags=re.S)
text = re.sub(r"^#(define STORE_[A-Z_]+ .*)$", r"\1;", text, flags=re.M)
text = re.sub(r"^(#.*|extern \"C\" [{]|[}])$", "", text, flags=re.M)
for declaration in re.findall(r"(?:[^;{]|[{][^}]*[}])+;", text):
	print(" ".join(declaration.split()))
' <"$SRC_ROOT/include/store.h"
}

test_expect_success 'the header compiles alone, as C11 and as C++17' '
	echo "#include <store.h>" >alone.c &&
	cp alone.c alone.cc &&
	${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror -I"$SRC_ROOT/include" -fsyntax-only alone.c &&
	c++ -std=c++17 -pedantic -Wall -Wextra -Werror -I"$SRC_ROOT/include" -fsyntax-only alone.cc
'

test_expect_success 'setup: what make install leaves, in a folder of its own' '
	make_program &&
	mkdir -p root/lib/pkgconfig root/include &&
	cp -P "$STORE_RELEASE_BIN"/libstore.so* "$STORE_RELEASE_BIN/libstore.a" root/lib/ &&
	cp "$SRC_ROOT/include/store.h" root/include/ &&
	sed -e "s|@PREFIX@|$PWD/root|" -e "s|@LIBDIR@|$PWD/root/lib|" -e "s|@INCLUDEDIR@|$PWD/root/include|" \
		-e "s|@VERSION@|$(cat "$SRC_ROOT/VERSION")|" \
		-e "s|@LIBS@|$(sed -n "s/^LIBS = //p" "$SRC_ROOT/Makefile")|" "$SRC_ROOT/contrib/store.pc.in" >root/lib/pkgconfig/store.pc
'

test_expect_success 'store.pc compiles a program with the shared library' '
	PKG_CONFIG_PATH=$PWD/root/lib/pkgconfig &&
	export PKG_CONFIG_PATH &&
	test_when_finished "unset PKG_CONFIG_PATH" &&
	test "$(pkg-config --modversion store)" = "$(cat "$SRC_ROOT/VERSION")" &&
	${CC:-cc} $(pkg-config --cflags store) -o shared program.c $(pkg-config --libs store) &&
	LD_LIBRARY_PATH=$PWD/root/lib ./shared >out &&
	echo "$(cat "$SRC_ROOT/VERSION") -2" >want &&
	test_cmp want out
'

test_expect_success 'and with the archive' '
	PKG_CONFIG_PATH=$PWD/root/lib/pkgconfig &&
	export PKG_CONFIG_PATH &&
	test_when_finished "unset PKG_CONFIG_PATH" &&
	mkdir -p only &&
	cp root/lib/libstore.a only/ &&
	${CC:-cc} $(pkg-config --cflags store) -o static program.c -L"$PWD/only" $(pkg-config --libs --static store | sed "s| *-L[^ ]*root/lib||") &&
	./static >out &&
	echo "$(cat "$SRC_ROOT/VERSION") -2" >want &&
	test_cmp want out
'

test_expect_success 'the examples are built as their first lines tell' '
	PKG_CONFIG_PATH=$PWD/root/lib/pkgconfig &&
	export PKG_CONFIG_PATH &&
	test_when_finished "unset PKG_CONFIG_PATH" &&
	cp -R "$SRC_ROOT/contrib/examples" examples && sed -n "s/^ \*\t\(cc .*\)/\1/p" examples/*.c >commands && test_line_count -eq 3 commands &&
	(cd examples && . ../commands) && for program in ingest serve mirror
	do
		test_expect_code 2 env LD_LIBRARY_PATH="$PWD/root/lib" "examples/$program" 2>err && test_grep "usage: $program" err || return 1
	done
'

test_expect_success 'the shared library has a name of its own for each ABI, and a program asks for that' '
	abi=$(sed -n "s/^ABI = //p" "$SRC_ROOT/Makefile") &&
	readelf -d shared >needed &&
	test_grep "NEEDED.*libstore[.]so[.]$abi\\]" needed &&
	test "$(readlink root/lib/libstore.so)" = "libstore.so.$(cat "$SRC_ROOT/VERSION")"
'

test_expect_success 'it shows store_ and nothing else' '
	nm -D --defined-only root/lib/libstore.so >shown &&
	test_grep " T store_open\$" shown &&
	sed "s/.* //" shown | sed "/^store_/d" >others &&
	test_must_be_empty others
'

# Whoever changes it says so: sh t/t0008-abi.sh -v shows what changed.  What only adds a function or a member behind a
# version is written into the list; what would break a compiled program gives ABI in the Makefile a new number, too.
test_expect_success 'what programs are compiled against is what t/golden/abi lists' '
	list_abi >abi &&
	test "$(wc -l <abi)" -gt 100 &&
	test_cmp "$SRC_ROOT/t/golden/abi" abi
'

# A call that is new must be put to the same questions: unknown versions, and NULL.
test_expect_success 'u_options asks every call that takes options' '
	grep "(.*_options \*" "$SRC_ROOT/t/golden/abi" | sed "s/(.*//; s/.*[ *]//" | sort >want &&
	sed -n "s/^\t{ \"\(store_[a-z_]*\)\", .*/\1/p" "$SRC_ROOT/t/unit/u_options.c" | sort >asked &&
	test "$(wc -l <want)" -gt 20 &&
	test_cmp want asked
'

test_done
