# store: GNU make, no configure step.  `make` leaves $(O)/store and $(O)/libstore.a; `make check` tests them;
# `make test` and `make demo` install what is missing first (contrib/install-deps).  README.md has the rest.
#
# Everything that is made goes below $(O), so the source tree may be read-only.  Paths stay relative, so the tree
# may lie in a folder with blanks in its name; only O itself may hold none, because make splits names at blanks.
#
#	O=DIR       where to build                 V=1        show the commands
#	FAULTS=1    with fault points (tests)      WERROR=1   warnings are errors
#	SAN=LIST    -fsanitize=LIST                JOBS=N     processes of make check and its kin

CC ?= cc
AR ?= ar
OBJCOPY ?= objcopy
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
PROVE ?= prove
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

FLAVOUR := $(if $(SAN),/$(if $(findstring thread,$(SAN)),tsan,asan),$(if $(FAULTS),/fault))
O ?= build$(FLAVOUR)
ifneq ($(words $(O)),1)
$(error O='$(O)' must be one word: make cannot build in a folder with blanks in its name)
endif

VERSION := $(shell cat VERSION)
# Of the shared library: a program that was linked with one runs with every later one of the same number.
ABI = 0
FLOORS = base data odb graph work
LIB_SRC := $(sort $(wildcard $(FLOORS:%=src/%/*.c)))
CLI_SRC := $(sort $(wildcard src/cli/*.c))
UNIT_SRC := $(sort $(wildcard t/unit/u_*.c))
EXAMPLE_SRC := $(sort $(wildcard contrib/examples/*.c))
HEADERS := $(sort $(wildcard include/*.h src/*/*.h t/unit/*.h contrib/examples/*.h))
MAN := $(sort $(wildcard man/*.[1-9]))
# All shell and all Python of the tree: t0005 holds these two lists against what is there.
SCRIPTS = .ci/run contrib/install-deps contrib/demo $(wildcard t/*.sh t/perf/bench-memory t/mutants/run t/golden/make-repo t/golden/describe)
PYTHON = $(wildcard t/second-reader t/*.py t/golden/*.py t/perf/bench t/perf/widest-pack t/perf/*.py t/vectors/*.py)

WARN = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings
DEFS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc -include base/banned.h \
	-DSTORE_VERSION='"$(VERSION)"' $(if $(FAULTS),-DSTORE_FAULTS)
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# The suite starts programs by the ten thousand, and most of a start goes into pages that relocations touch and into names
# that are looked up.  What is built for tests lies at a fixed address and takes its libraries as archives, where there
# are archives: 7.5 ms instead of 12, and sanitized 31 instead of 107.
FOR_TESTS = $(SAN)$(FAULTS)
SANLIBS = $(if $(SAN),$(if $(findstring clang,$(CC)),,$(if $(findstring thread,$(SAN)),-static-libtsan,-static-libasan -static-libubsan)))
COMPILE = $(CC) $(DEFS) $(WARN) $(if $(WERROR),-Werror) -fPIC -fvisibility=hidden $(CPPFLAGS) $(CFLAGS) $(SANFLAGS)
# Some seventy programs are linked with each build for tests: gold takes half the time of the usual linker.
GOLD := $(if $(FOR_TESTS),$(if $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -fuse-ld=gold -x c -o /dev/null - 2>&1 || echo no),,-fuse-ld=gold))
LINK = $(CC) $(CFLAGS) $(SANFLAGS) $(SANLIBS) $(if $(FOR_TESTS),-no-pie $(GOLD)) $(LDFLAGS)
LIBS = -lcrypto -llmdb -lz -lzstd -lisal -ldeflate -linih -lpthread -ldl
ifneq ($(FOR_TESTS),)
SYSTEM = -lpthread -ldl
LIBS := $(foreach l,$(patsubst -l%,%,$(filter-out $(SYSTEM),$(LIBS))),$(if $(filter /%,$(shell $(CC) -print-file-name=lib$l.a)),-l:lib$l.a,-l$l)) $(SYSTEM)
endif

LIB_OBJ := $(LIB_SRC:%.c=$(O)/obj/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(O)/obj/%.o)
UNIT_OBJ := $(UNIT_SRC:%.c=$(O)/obj/%.o)
UNITS := $(UNIT_SRC:t/unit/%.c=$(O)/unit/%)
EXAMPLE_OBJ := $(EXAMPLE_SRC:%.c=$(O)/obj/%.o)
EXAMPLES := $(addprefix $(O)/examples/,ingest mirror serve)

ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-5s %s\n'
endif
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
# Where python3 is a script that looks for the interpreter, that is asked once for all tests.
PYTHON_PATH = $(shell python3 -c 'import os, sys; print(os.path.dirname(sys.executable) + ":")' 2>/dev/null)$$PATH
# A test that is skipped where CI=true is set is a failure; see t/test-lib.sh.  Tests wait for the disk and for each
# other a fifth of their time: one more than there are processors fills it.
RUN_TESTS = $(MEMORY) PATH="$(PYTHON_PATH)" CMOCKA_MESSAGE_OUTPUT=TAP STORE_RELEASE_BIN="$(O)" $(PROVE) -j$(shell expr $(JOBS) + 1) --failures --comments $(PROVEFLAGS)

# Half of the suite's time is the kernel's, for tens of thousands of files: where memory is ample the scratch folders lie
# in it, but for those of scripts that are about the disk (test_on_disk).
MEMORY = $(shell [ -w /dev/shm ] && df -Pk /dev/shm | awk 'NR == 2 && $$4 >= 8388608 \
	{ print "STORE_TEST_DISK=\"$${TMPDIR:-/tmp}\" TMPDIR=/dev/shm" }')

.PHONY: all unit lib examples check check-build check-unit check-san check-tsan check-style format test demo
.PHONY: style-format style-cppcheck style-shell style-python style-man style-tidy bench bench-peers bench-seeds bench-memory mutants install uninstall dist clean FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

SHARED = $(O)/libstore.so.$(VERSION)
all: $(O)/store $(O)/libstore.a $(if $(FOR_TESTS),,$(SHARED))
lib: $(O)/libstore.a $(O)/obj/libparts.a
unit: $(UNITS) $(EXAMPLES)
examples: $(EXAMPLES)

# CPU variants are twin files that are named after what they need and chosen at run time.
ifneq ($(filter x86_64% i%86,$(shell $(CC) -dumpmachine 2>/dev/null)),)
$(O)/obj/%_sse42.o: CPU = -msse4.2
$(O)/obj/%_pclmul.o: CPU = -msse4.2 -mpclmul
$(O)/obj/%_avx2.o: CPU = -mavx2 -mbmi2
$(O)/obj/%_avx512.o: CPU = -mavx512f -mavx512bw -mavx512dq -mavx512vl
$(O)/obj/%_shani.o: CPU = -msse4.1 -msha
endif

$(O)/obj/%.o: %.c $(O)/flags | $(O)/probed
	$(say) CC $<
	$(Q){ [ -d $(@D) ] || mkdir -p $(@D); } && $(COMPILE) $(CPU) -MMD -MP -c -o $@ $<

# Two files in three have no fault point in them: beside a release build, compiled with the same flags, they are copied.
ifneq ($(PLAIN_FROM),)
PLAIN := $(patsubst %.c,$(PLAIN_FROM)/%.o,$(shell grep -LiE fault $(LIB_SRC) $(CLI_SRC)))
$(patsubst $(PLAIN_FROM)/%,$(O)/obj/%,$(wildcard $(PLAIN))): $(O)/obj/%.o: $(PLAIN_FROM)/%.o $(O)/flags
	$(Q){ [ -d $(@D) ] || mkdir -p $(@D); } && sed 's,$(PLAIN_FROM)/,$(O)/obj/,' $(<:.o=.d) >$(@:.o=.d) && cp $< $@
endif

# libstore.a is one object whose inner names are local, so that a program's own text_add or buf_init is not in its way;
# libparts.a is the same objects with their names, for the unit tests.
$(O)/libstore.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)mkdir -p $(@D) && rm -f $@ && $(LD) -r -o $(O)/obj/libstore.o $^ && $(OBJCOPY) --localize-hidden $(O)/obj/libstore.o && \
		$(AR) rcs $@ $(O)/obj/libstore.o

# The command itself is linked with the archive: it starts sooner, and works where it lies.
$(SHARED): $(O)/libstore.a
	$(say) LINK $@
	$(Q)$(LINK) -shared -Wl,-soname,libstore.so.$(ABI) -Wl,-z,defs -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive $(LIBS) && \
		ln -sf $(@F) $(O)/libstore.so.$(ABI) && ln -sf $(@F) $(O)/libstore.so

$(O)/obj/libparts.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/store: $(CLI_OBJ) $(O)/libstore.a
	$(say) LINK $@
	$(Q)$(LINK) -o $@ $^ $(LIBS)

$(O)/unit/%: $(O)/obj/t/unit/%.o $(O)/obj/libparts.a | $(O)/probed-test
	$(say) LINK $@
	$(Q)mkdir -p $(@D) && $(LINK) $(WRAPPED) -o $@ $^ -lcmocka $(LIBS)
$(UNIT_OBJ): | $(O)/probed-test
# These stand between libstore and what allocates: the linker misses one that nomem_fixture.h has not, and the reverse.
NOMEM = $(patsubst %,$(O)/unit/%,$(filter u_nomem%,$(notdir $(UNITS))))
$(NOMEM): WRAPPED = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup strndup realpath getcwd free mem_pages mem_pages_free \
	fdopendir closedir fopen fclose regcomp pthread_create ZSTD_createCCtx ZSTD_freeCCtx ZSTD_createDCtx ZSTD_freeDCtx \
	libdeflate_alloc_decompressor libdeflate_free_decompressor mdb_env_create mdb_env_open mdb_txn_begin mdb_dbi_open mdb_cursor_open)
$(NOMEM): LIBS := $(patsubst -l:lib%.a,-l%,$(LIBS))
comma = ,

# Other people's programs, as they would build them: they know <store.h> only.
$(O)/examples/%: $(O)/obj/contrib/examples/%.o $(O)/libstore.a
	$(say) LINK $@
	$(Q)mkdir -p $(@D) && $(LINK) -o $@ $(filter %.o,$^) $(O)/libstore.a $(LIBS)
$(O)/examples/ingest $(O)/examples/serve: $(O)/obj/contrib/examples/listen.o
.SECONDARY: $(EXAMPLE_OBJ)

# Objects depend on the very words they were compiled with: other flags in the same folder compile anew.
$(O)/flags: FORCE
	@mkdir -p $(@D); echo "$$WORDS" | cmp -s - $@ || echo "$$WORDS" >$@
$(O)/flags: export WORDS = $(COMPILE) $(GOLD) $(LDFLAGS)

# Each header of contrib/deps is compiled and linked once; the first that is missing stops the build in one line.
$(O)/probed: WHEN = build
$(O)/probed-test: WHEN = test
$(O)/probed $(O)/probed-test: contrib/deps
	@mkdir -p $(@D); while read -r when kind header lib package rest; do \
		case "$$when $$kind" in "$(WHEN) header") ;; *) continue ;; esac; \
		case $$lib in -) lib= ;; *) lib=-l$$lib ;; esac; \
		{ for h in stdio.h stdarg.h stddef.h setjmp.h stdint.h "$$header"; do echo "#include <$$h>"; done; \
		echo 'int main(void) { return 0; }'; } >$@.c && $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@.tmp $@.c $$lib \
		>$@.log 2>&1 || { echo "missing $$header: install $$package (or run contrib/install-deps)" >&2; exit 1; }; \
	done <contrib/deps && rm -f $@.c $@.tmp $@.log && : >$@

# --- tests: check installs nothing, test installs what is missing --------------------------------------------
test:
	@sh contrib/install-deps
	+@$(SUBMAKE) check

check-build: all lib
	+@$(SUBMAKE) O=$(O)/fault FAULTS=1 SAN= $(if $(SAN),,PLAIN_FROM=$(O)/obj) all lib unit

# Those that take longest begin first, or one of them would run alone at the end.
LONG = $(wildcard $(addprefix t/t,0006-* 9100-* 4300-* 2130-* 4905-* 2210-* 4400-* 4020-* 2100-* 4050-* 4500-* 4906-* 3200-* 2140-* 2150-*))
SCRIPTS_IN_ORDER = $(LONG) $(filter-out $(LONG),$(wildcard t/t[0-9]*.sh))

check: check-build
	STORE_BIN=$(O)/fault $(RUN_TESTS) $(SCRIPTS_IN_ORDER) $(UNITS:$(O)/%=$(O)/fault/%)

# The units need the library only, not the command.
check-unit:
	+@$(SUBMAKE) O=$(O)/fault FAULTS=1 SAN= unit
	STORE_BIN=$(O)/fault $(RUN_TESTS) $(UNITS:$(O)/%=$(O)/fault/%)

# Those in which the sanitized program takes no part; t0005 has the reason for each.
SAN_LEFT_OUT = t0001 t0002 t0003 t0004 t0005 t0006 t1000 t3905 t9100 t9110 t9120
SAN_SCRIPTS = $(filter-out $(addsuffix -%,$(addprefix t/,$(SAN_LEFT_OUT))),$(SCRIPTS_IN_ORDER))
# Random tests take fewer cases there (test_cases).  gcc warns of more than there is where it instruments: no WERROR.
check-san: all lib
	+@$(SUBMAKE) O=$(O)/asan WERROR= FAULTS=1 SAN=address,undefined CFLAGS="-O1 -g1" all lib unit
	STORE_TEST_LIGHT=1 STORE_BIN=$(O)/asan $(RUN_TESTS) $(SAN_SCRIPTS) $(UNITS:$(O)/%=$(O)/asan/%)

# The unit programs and scripts that run several threads are named in t/tsan.list.
TSAN_LIST = $(shell sed -n 's/^\([ut][a-z0-9_.-]*\)$$/\1/p' t/tsan.list)
check-tsan: all lib
	+@$(SUBMAKE) O=$(O)/tsan WERROR= FAULTS=1 SAN=thread CFLAGS="-O1 -g1" all lib \
		examples $(patsubst %,$(O)/tsan/unit/%,$(filter $(notdir $(UNITS)),$(TSAN_LIST)))
	STORE_BIN=$(O)/tsan $(RUN_TESTS) $(wildcard $(patsubst %,t/%,$(filter %.sh,$(TSAN_LIST)))) \
		$(patsubst %,$(O)/tsan/unit/%,$(filter $(notdir $(UNITS)),$(TSAN_LIST)))

PERF_SRC = $(wildcard t/perf/*.c)
C_ALL = $(LIB_SRC) $(CLI_SRC) $(EXAMPLE_SRC) $(PERF_SRC) $(UNIT_SRC)
check-style: style-format style-cppcheck style-shell style-python style-man style-tidy
style-format:
	clang-format --dry-run -Werror $(C_ALL) $(HEADERS)
style-cppcheck:
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		-j$(JOBS) -D_GNU_SOURCE -DSTORE_FAULTS -Iinclude -Isrc $(C_ALL)
style-shell:
	shellcheck $(SCRIPTS)
style-python:
	python3 -W error::SyntaxWarning -W error::DeprecationWarning -c 'import sys; [compile(open(f).read(), f, "exec") for f in sys.argv[1:]]' $(PYTHON)
style-man:
	$(if $(MAN),mandoc -Tlint -Wwarning $(MAN))
# clang's own warnings are errors here.  Unit programs are not followed path by path: what they leave open is found when they
# run under the sanitizers.  Elsewhere a function is followed through 50,000 states: the 225,000 that the analyzer has built in
# take four times as long, and of 29 leaks put at the ends of functions in the files it takes longest for, either number finds
# all.  A start takes 0.2 s, a fifth of what a file does: eight files share one, but for those with a va_list, for of several the
# analyzer tells that it is not initialized.
TIDY = -- $(subst ','\'',$(DEFS)) -DSTORE_FAULTS $(WARN) -Xclang -analyzer-config -Xclang max-nodes=50000 2>/dev/null
FOLLOWED = $(LIB_SRC) $(CLI_SRC) $(EXAMPLE_SRC) $(PERF_SRC)
style-tidy: VARIADIC = $(shell grep -l va_list $(FOLLOWED))
style-tidy:
	@for f in $(filter-out $(VARIADIC),$(FOLLOWED)); do echo "$$f"; done | xargs -P $(JOBS) -n 8 sh -c 'clang-tidy --quiet "$$@" $(TIDY)' sh
	@for f in $(VARIADIC); do echo "$$f"; done | xargs -P $(JOBS) -n 1 sh -c 'clang-tidy --quiet "$$@" $(TIDY)' sh
	@for f in $(UNIT_SRC); do echo "$$f"; done | xargs -P $(JOBS) -n 8 sh -c 'clang-tidy --quiet --checks=-clang-analyzer-* "$$@" $(TIDY)' sh

format:
	clang-format -i $(C_ALL) $(HEADERS)

demo:
	@sh contrib/install-deps --build
	+@$(SUBMAKE) all
	@sh contrib/demo $(O)/store

# Are the tests awake?  All mutants, some minutes; t/mutants/run --fast makes a few.
mutants:
	$(MEMORY) t/mutants/run

# How fast, beside every other tool that is installed; make bench DIR=... does it with a folder of yours.  t/perf/bench tells
# the rest: RUNS, BENCH_ONLY, BENCH_SCALE, BENCH_DIR.
bench: all
	STORE_BIN=$(O) t/perf/bench --json $(O)/bench.json --svg $(O)/bench.svg $(if $(DIR),--dir "$(DIR)")

# Installs the other tools, and fetches the releases of a source tree that input D is made of.
bench-peers:
	@sh contrib/install-deps --peers
	t/perf/bench --peers

# The figures that the seed systems gave, each beside its bound.
bench-seeds: all
	STORE_BIN=$(O) t/perf/bench --seeds --json $(O)/bench-seeds.json

bench-memory: all
	STORE_BIN=$(O) t/perf/bench-memory

# --- installing ----------------------------------------------------------------------------------------------
# What `store completion` prints, where the shells look for it: $$from and $$to.
EACH_COMPLETION = for from in $(sort $(wildcard contrib/completion/*)); do case $${from\#\#*/} in \
	store.bash) to=bash-completion/completions/store ;; _store) to=zsh/site-functions/_store ;; \
	*) to=fish/vendor_completions.d/$${from\#\#*/} ;; esac; to="$(DESTDIR)$(DATADIR)/$$to";
install: all
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(INCLUDEDIR)"
	install -m 755 $(O)/store "$(DESTDIR)$(BINDIR)/store"
	install -m 644 $(O)/libstore.a "$(DESTDIR)$(LIBDIR)/libstore.a"
	install -m 755 $(SHARED) "$(DESTDIR)$(LIBDIR)/$(notdir $(SHARED))"
	ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/libstore.so.$(ABI)"
	ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/libstore.so"
	install -m 644 include/store.h "$(DESTDIR)$(INCLUDEDIR)/store.h"
	install -d "$(DESTDIR)$(LIBDIR)/pkgconfig"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBS@|$(LIBS)|' contrib/store.pc.in >"$(DESTDIR)$(LIBDIR)/pkgconfig/store.pc"
	@for m in $(MAN); do d="$(DESTDIR)$(MANDIR)/man$${m##*.}"; \
		install -d "$$d" && install -m 644 "$$m" "$$d/" || exit 1; done
	@$(EACH_COMPLETION) install -d "$${to%/*}" && install -m 644 "$$from" "$$to" || exit 1; done

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/store" "$(DESTDIR)$(INCLUDEDIR)/store.h"
	cd "$(DESTDIR)$(LIBDIR)" && rm -f libstore.a libstore.so libstore.so.$(ABI) $(notdir $(SHARED)) pkgconfig/store.pc
	@for m in $(MAN); do rm -f "$(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}" || exit 1; done
	@$(EACH_COMPLETION) rm -f "$$to" || exit 1; done

# From a git tree what is committed, from an unpacked tarball the tree as it lies.
dist: NAME = store-$(VERSION)
dist:
	@mkdir -p $(O)
	@if [ -e .git ]; then git archive --format=tar --prefix=$(NAME)/ HEAD; else \
		tar -cf - --exclude=./build --exclude=./$(O) --transform='s,^\.,$(NAME),' .; fi | gzip -9n >$(O)/$(NAME).tar.gz
	@echo $(O)/$(NAME).tar.gz

# Only what this file makes is removed, so that a wrong O costs nothing.
clean:
	rm -rf $(foreach d,$(O) $(O)/fault $(O)/asan $(O)/tsan,$(addprefix $(d)/,obj unit examples store libstore.a libstore.so* flags probed* store-*.tar.gz bench*.json bench.svg))
	-@rmdir $(O)/fault $(O)/asan $(O)/tsan $(O) 2>/dev/null || :

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(UNIT_OBJ) $(EXAMPLE_OBJ))
