#!/bin/sh
# contrib/install-deps: silent when all is there, and otherwise it asks for exactly what is missing, by the door that is
# open.  It runs here in a world of its own: PATH is a folder with stubs of every tool, a compiler that knows no header
# named in "absent", and an apt-get that writes down how it was called.
. "$(dirname "$0")/test-lib.sh"

deps=$SRC_ROOT/contrib/deps

stub()
{
	cat >"bin/$1" && chmod +x "bin/$1"
}

# A fresh world: all tools and headers there, uid $1, no sudo.
new_world()
{
	rm -rf bin && cp -a bin.all bin && : >absent && : >calls && printf '#!/bin/sh\necho %s\n' "$1" >bin/id
}

# A folder with stubs of every tool of the table, as each world begins.  The compiler reads what it is to look for.
mkdir bin
while read -r _ kind name _; do
	[ "$kind" != tool ] || printf '#!/bin/sh\n' >"bin/$name"
done <"$deps"
printf '#!/bin/sh\nexec /usr/bin/env "$@"\n' >bin/env
cat >bin/cc <<EOF
#!/bin/sh
while read -r _ header; do
	while read -r gone; do
		[ "\$header" != "<\$gone>" ] || exit 1
	done <"$TRASH/absent"
done
EOF
cat >bin/apt-get <<EOF
#!/bin/sh
echo "apt-get \$*; \$DEBIAN_FRONTEND" >>"$TRASH/calls"
EOF
: >bin/id
chmod +x bin/* && mv bin bin.all

install_deps()
{
	(unset CC && PATH=$TRASH/bin && export PATH && /bin/sh "$SRC_ROOT/contrib/install-deps" "$@") >out 2>err </dev/null
}

# What a successful apt-get brings: from now on nothing is absent.
apt_brings_all()
{
	printf ': >"%s/absent"\n' "$TRASH" >>bin/apt-get
}

apt='env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends'

test_expect_success 'with all there it is silent and calls nothing, for an ordinary user without sudo' '
	new_world 1000 &&
	rm bin/apt-get &&
	install_deps --ci &&
	install_deps --build &&
	install_deps &&
	test_must_be_empty out &&
	test_must_be_empty err &&
	test_must_be_empty calls
'

test_expect_success 'on this very machine it is silent too' '
	sh "$SRC_ROOT/contrib/install-deps" >out 2>&1 &&
	test_must_be_empty out
'

test_expect_success 'root sees the exact command, and it is run without questions' '
	new_world 0 &&
	echo lmdb.h >absent &&
	apt_brings_all &&
	install_deps &&
	test_must_be_empty out &&
	echo "+ $apt install liblmdb-dev" >want &&
	test_cmp want err &&
	echo "apt-get -y --no-install-recommends install liblmdb-dev; noninteractive" >want &&
	test_cmp want calls
'

test_expect_success 'only what is missing is asked for, every package once' '
	new_world 0 &&
	printf "%s\n" zlib.h isa-l.h >absent &&
	rm bin/prove &&
	stub apt-get <<-EOF &&
	#!/bin/sh
	echo "\$*" >>"$TRASH/calls"
	: >"$TRASH/absent"
	/bin/cp "$TRASH/bin/make" "$TRASH/bin/prove"
	EOF
	install_deps &&
	echo "-y --no-install-recommends install zlib1g-dev libisal-dev perl" >want &&
	test_cmp want calls
'

test_expect_success 'package lists that are too old are renewed once' '
	new_world 0 &&
	echo zstd.h >absent &&
	stub apt-get <<-EOF &&
	#!/bin/sh
	echo "\$*" >>"$TRASH/calls"
	case "\$*" in
	update) : >"$TRASH/fresh" ;;
	*) [ -e "$TRASH/fresh" ] && : >"$TRASH/absent" ;;
	esac
	EOF
	install_deps &&
	cat >want <<-\EOF &&
	-y --no-install-recommends install libzstd-dev
	update
	-y --no-install-recommends install libzstd-dev
	EOF
	test_cmp want calls
'

test_expect_success 'a failing apt-get is exit 2, and what is missing is named' '
	new_world 0 &&
	echo zstd.h >absent &&
	printf "#!/bin/sh\nexit 100\n" | stub apt-get &&
	test_expect_code 2 install_deps &&
	test_grep "missing: zstd.h" err
'

test_expect_success 'an apt-get that brings nothing is not believed' '
	new_world 0 &&
	echo zstd.h >absent &&
	test_expect_code 2 install_deps &&
	test_grep "still missing after the installation: zstd.h" err
'

test_expect_success 'sudo without a password is used, for apt-get alone' '
	new_world 1000 &&
	echo ini.h >absent &&
	apt_brings_all &&
	stub sudo <<-EOF &&
	#!/bin/sh
	echo "sudo \$*" >>"$TRASH/calls"
	[ "\$1" = -n ] || exit 1
	shift
	[ "\$1" = true ] || "\$@"
	EOF
	install_deps &&
	cat >want <<-EOF &&
	sudo -n true
	sudo -n $apt install libinih-dev
	apt-get -y --no-install-recommends install libinih-dev; noninteractive
	EOF
	test_cmp want calls &&
	echo "+ sudo -n $apt install libinih-dev" >want &&
	test_cmp want err
'

test_expect_success 'on a terminal sudo may ask for a password' '
	new_world 1000 &&
	echo ini.h >absent &&
	apt_brings_all &&
	stub sudo <<-EOF &&
	#!/bin/sh
	[ "\$1" != -n ] || exit 1
	echo "sudo \$*" >>"$TRASH/calls"
	"\$@"
	EOF
	python3 -c "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))" \
		env -u CC PATH="$TRASH/bin" /bin/sh "$SRC_ROOT/contrib/install-deps" >out &&
	test_grep "^sudo $apt install libinih-dev" calls &&
	test_grep "^apt-get" calls
'

test_expect_success 'without a terminal a sudo that asks is not waited for: exit 2 with the command' '
	new_world 1000 &&
	printf "%s\n" ini.h lmdb.h >absent &&
	printf "#!/bin/sh\n[ \"\$1\" != -n ] || exit 1\nread -r password </dev/tty\n" | stub sudo &&
	test_expect_code 2 install_deps &&
	test_grep "^.DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends install liblmdb-dev libinih-dev\$" err &&
	test_must_be_empty calls
'

test_expect_success 'without root and sudo it is exit 2 with the command, and apt-get is not called' '
	new_world 1000 &&
	echo cmocka.h >absent &&
	test_expect_code 2 install_deps &&
	test_grep "apt-get -y --no-install-recommends install libcmocka-dev\$" err &&
	test_must_be_empty calls
'

test_expect_success 'without apt-get the packages of Fedora, Arch and Homebrew are named' '
	new_world 0 &&
	rm bin/apt-get &&
	echo lmdb.h >absent &&
	echo openssl/sha.h >>absent &&
	test_expect_code 2 install_deps &&
	test_grep "Fedora: *dnf install openssl-devel lmdb-devel\$" err &&
	test_grep "Arch: *pacman -S openssl lmdb\$" err &&
	test_grep "Homebrew: *brew install openssl@3 lmdb\$" err
'

test_expect_success 'a machine without a compiler is given one, with the C library' '
	new_world 0 &&
	rm bin/cc &&
	stub apt-get <<-EOF &&
	#!/bin/sh
	echo "\$*" >>"$TRASH/calls"
	/bin/cp "$TRASH/bin/make" "$TRASH/bin/cc"
	EOF
	install_deps --build &&
	test_grep "install gcc" calls &&
	test_grep "libc6-dev" "$deps"
'

test_expect_success 'the build alone asks for no test tool, CI for the linters' '
	new_world 1000 &&
	rm bin/prove bin/shellcheck &&
	install_deps --build &&
	test_expect_code 2 install_deps &&
	test_grep "install perl\$" err &&
	test_expect_code 2 install_deps --ci &&
	test_grep "install perl shellcheck\$" err
'

test_expect_success 'make bench-peers asks for the tools that store is compared with, and make test for none of them' '
	new_world 1000 &&
	rm bin/restic bin/borg bin/casync bin/npm &&
	install_deps &&
	test_expect_code 2 install_deps --peers &&
	test_grep "install restic borgbackup casync npm\$" err &&
	make -n -C "$SRC_ROOT" O="$TRASH/out" bench-peers >plan && test_grep "contrib/install-deps --peers\$" plan &&
	make -n -C "$SRC_ROOT" O="$TRASH/out" bench bench-seeds >plan && test_grep "t/perf/bench --seeds" plan && test_grep ! "install-deps\( --.*\)*\$" plan
'

test_expect_success 'an unknown option is refused' '
	new_world 0 &&
	test_expect_code 2 install_deps --all &&
	test_grep "^usage:" err
'

test_expect_success 'every library that the Makefile links has its line in the table' '
	sed -n "s/^LIBS = //p" "$SRC_ROOT/Makefile" | tr " " "\n" | sed "s/^-l//" | grep -vx -e pthread -e dl | sort >linked &&
	awk "\$1 == \"build\" && \$2 == \"header\" && \$4 != \"-\" { print \$4 }" "$deps" | sort >listed &&
	test -s linked &&
	test_cmp linked listed
'

test_expect_success 'make test and make demo call it; make, make check and make install never do' '
	make -n -C "$SRC_ROOT" O="$TRASH/out" test >plan && test_grep "contrib/install-deps\$" plan &&
	make -n -C "$SRC_ROOT" O="$TRASH/out" demo >plan && test_grep "contrib/install-deps --build\$" plan &&
	make -n -C "$SRC_ROOT" O="$TRASH/out" all check check-unit check-san install >plan &&
	sed "/or run contrib.install-deps)/d" plan >calls && test_grep "t/t0004-" calls && test_grep "install -m 644" calls && test_grep ! "install-deps\$" calls
'

test_done
