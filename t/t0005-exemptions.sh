#!/bin/sh
# Exemptions: whoever silences a checker says why on the same line, and raises the number here, so that a reviewer sees it.
. "$(dirname "$0")/test-lib.sh"

exemptions=8

# Print every line below the tree $1 that silences a checker.
find_exemptions()
{
	(cd "$1" && grep -rnE \
		'NOLINT($|[^E]*\(|[^E]*:|NEXTLINE|BEGIN|[[:space:]])|cppcheck-suppress|shellcheck disable|^disable=|clang-format off|[-]Wno-|diagnostic ignored|no_sanitize|[-]-suppress' \
		src include t contrib .ci Makefile .shellcheckrc 2>/dev/null) | grep -v '^t/t0005-exemptions.sh:'
}

# Of those print the lines without a reason of at least two words where the tool of that kind lets one stand.
find_unreasoned()
{
	grep -vE \
		-e 'NOLINT[A-Z]*(\([^)]*\))?: *[[:alpha:]]+[ ,][^ ]' \
		-e 'cppcheck-suppress(-[a-z]+)?[[:space:]]+[^;]*; *[[:alpha:]]+[ ,][^ ]' \
		-e 'disable=[A-Z0-9,]+ +# *[[:alpha:]]+[ ,][^ ]' \
		-e '(clang-format off|-Wno-|diagnostic ignored|no_sanitize|--suppress).*(/\*|//|#) *[[:alpha:]]+[ ,][^ ]' \
		-e 'clang-format off: *[[:alpha:]]+[ ,][^ ]' "$1"
}

test_expect_success 'every exemption carries its reason' '
	{ find_exemptions "$SRC_ROOT" >all || :; } &&
	test -s all &&
	{ find_unreasoned all >bare || :; } &&
	test_must_be_empty bare
'

test_expect_success 'there are as many exemptions as this file says' '
	{ find_exemptions "$SRC_ROOT" >all || :; } &&
	test_line_count -eq "$exemptions" all
'

test_expect_success 'the search finds every kind, and tells a reason from none' '
	mkdir -p tree/src &&
	cat >tree/src/a.c <<-\EOF &&
	int a; /* NOLINT */
	int b; /* NOLINT(bugprone-x) */
	/* NOLINTNEXTLINE(bugprone-x) */
	/* cppcheck-suppress nullPointer */
	# shellcheck disable=SC1000
	/* clang-format off */
	#pragma GCC diagnostic ignored "-Wshadow"
	EOF
	cat >tree/src/b.c <<-\EOF &&
	int b; /* NOLINT(bugprone-x): the table is sorted */
	/* NOLINTNEXTLINE(bugprone-x): the table is sorted */
	/* cppcheck-suppress nullPointer ; checked by the caller */
	# shellcheck disable=SC1000 # words are meant to be split
	/* clang-format off: a table in columns */
	#pragma GCC diagnostic ignored "-Wshadow" /* the macro of the library shadows */
	EOF
	find_exemptions tree >all &&
	test_line_count -eq 13 all &&
	find_unreasoned all >bare &&
	test_line_count -eq 7 bare &&
	test_grep ! "b[.]c" bare
'

# Print the files of the tree whose first line says that $1 runs them, or whose name ends so.
scripts_of()
{
	(cd "$SRC_ROOT" && find .ci contrib man src t -type f ! -name "*.pyc" -exec awk -v runs="^#!.*[/ ]($1)( |\$)" \
		'FNR == 1 { if ($0 ~ runs) print FILENAME; nextfile }' {} + && find .ci contrib src t -name "$2") | sort -u
}
# Print the words that the target $1 of the Makefile checks.
checked_by()
{
	make -n -C "$SRC_ROOT" O="$TRASH/out" "$1" | tr ' ' '\n' | grep -E '^(\.ci|contrib|t)/' | sort -u
}

test_expect_success 'every shell script of the tree is given to shellcheck' '
	scripts_of "sh|bash|dash" "*.sh" >there && test_line_count -gt 20 there &&
	checked_by style-shell >checked && test_cmp there checked
'

test_expect_success 'every Python program of the tree is compiled with warnings as errors, and there is no Perl' '
	scripts_of "python3?" "*.py" >there && test_line_count -gt 4 there &&
	checked_by style-python >checked && test_cmp there checked &&
	scripts_of perl "*.p[lm]" >perl && test_must_be_empty perl
'

# Scripts that do not run under the sanitizers, each with its reason; "none" is seen to: no command there is a store.
cat >left-out.want <<'EOF'
t0001-house.sh house: files of the tree and the test library; of ours it runs store version only, as t0130 does
t0002-floors.sh none: it reads includes
t0003-symbols.sh none: it reads the objects of the release build
t0004-install-deps.sh none: contrib/install-deps among stubs, and plans of make
t0005-exemptions.sh house: it reads sources, and plans of make (and has words here that look like a start)
t0006-build.sh build: it builds anew
t1000-data-vectors.sh none: models in Python beside frozen files
t3905-second-writer.sh other: second reader and second writer are by themselves
t9100-memory.sh release: it measures the release build
t9110-memory-hands.sh release: it measures the release build
t9120-bench.sh release: it measures the release build
EOF

# Does the script $1 run the command: by its name where a command begins, or by its path?
starts_store()
{
	grep -qE '(^|[&|;({!]|test_[a-z_]+( [0-9])?)[[:space:]]*store [-a-z$"]|[B]IN["}]*/store|[S]TORE_BIN' "$1"
}

test_expect_success 'the search finds a script that starts a store' '
	for line in "store init" "	cd r && store add f" "test_expect_code 2 store -C r log" "x=\$(store root)" "\"\$STORE_BIN/store\" log"
	do
		echo "$line" >line && starts_store line || { echo "not found: $line"; return 1; }
	done && echo "# a store is no command here, restore -n neither" >line && ! starts_store line
'

test_expect_success 'a script is left out under the sanitizers for a reason, and CONTRIBUTING names all of them' '
	make -n -C "$SRC_ROOT" O="$TRASH/out" check-san | tr " " "\n" | sed -n "s,^t/\(t[0-9].*sh\)\$,\1,p" | sort -u >run && test_line_count -gt 40 run &&
	(cd "$SRC_ROOT/t" && ls t[0-9]*.sh) | sort >there && comm -13 run there >left-out &&
	sed "s/ .*//" left-out.want >want && test_cmp want left-out &&
	sed -n "s/ none: .*//p" left-out.want >storeless && test_line_count -eq 4 storeless && while read -r script
	do
		! starts_store "$SRC_ROOT/t/$script" || { echo "it starts a store: $script"; return 1; }
	done <storeless &&
	test_grep "(t0001 to t0006, t1000, t3905, t9100, t9110, t9120)" "$SRC_ROOT/CONTRIBUTING"
'

test_expect_success 'every mutant changes one line of the source, and the promises that are to notice it are there' '
	sh "$SRC_ROOT/t/mutants/run" --check
'

test_expect_success 'every check that .clang-tidy leaves out is explained there' '
	sed -n "s/^  -\([a-zA-Z].*[a-zA-Z]\),*\$/\1/p" "$SRC_ROOT/.clang-tidy" >left-out &&
	test -s left-out &&
	while read -r check
	do
		test_grep -E "^# $check +[^ ]+ [^ ]" "$SRC_ROOT/.clang-tidy" || return 1
	done <left-out
'

test_done
