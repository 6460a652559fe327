#!/bin/sh
# The floors: includes go down or sideways, never up, and each foreign header has one owner.
. "$(dirname "$0")/test-lib.sh"

# Where a floor stands; a file may include its own floor and those below.  cli is no floor of this row: it sees
# <store.h> and its own folder only.
floors='base data odb graph work'

# header pattern, then the files that may name it (patterns of the shell).  Besides these pthread.h is allowed to a
# file whose first comment has a line that begins with "Threads:".
owners='
lmdb.h src/odb/env_internal.h
openssl/* src/data/hash.c
zlib.h src/data/codec*.c
zstd.h src/data/codec*.c
isa-l.h src/data/codec*.c src/data/crc32c.c
isa-l/* src/data/codec*.c src/data/crc32c.c
libdeflate.h src/data/codec*.c
ini.h src/work/config.c
pthread.h src/base/pipeline.[ch] src/base/queue.[ch] src/base/trace.c
sys/xattr.h src/work/xattr.c
git2.h src/work/patch_git2.c
git2/* src/work/patch_git2.c
curl/*
'

# Print FILE KIND HEADER for every include below the tree $1, KIND being < or ".
list_includes()
{
	(cd "$1" && grep -EnH '^[[:space:]]*#[[:space:]]*include' src/*/*.c src/*/*.h include/*.h 2>/dev/null) |
		sed -n 's/^\([^:]*\):[0-9]*:[^<"]*\([<"]\)\([^>"]*\)[>"].*/\1 \2 \3/p'
}

# Print every include of the tree $1 that goes up, or leads out of src/.
find_climbs()
{
	list_includes "$1" | awk -v floors="$floors" '
	BEGIN { n = split(floors, floor, " "); for (i = 1; i <= n; i++) rank[floor[i]] = i }
	{ file = $1; kind = $2; header = substr($0, length($1) + 4); split(file, part, "/"); split(header, to, "/") }
	file ~ /^include\// {
		if (kind != "<") print file " includes \"" header "\": the promise stands alone"
		next
	}
	file ~ /^src\/cli\// {
		if (kind == "\"" && header !~ /^cli\//)
			print file " includes \"" header "\": the command sees only <store.h> and src/cli/"
		next
	}
	header == "store.h" {
		# error.h hands the public codes and the error object to all floors; the top one keeps the promise.
		if (file != "src/base/error.h" && file !~ /^src\/work\//)
			print file " includes store.h: only base/error.h may below the top floor"
		next
	}
	kind == "<" { next }
	!(part[2] in rank) { print file " lies on no floor"; next }
	!(to[1] in rank) { print file " includes \"" header "\": write it from src/, as \"base/buf.h\""; next }
	rank[to[1]] > rank[part[2]] { print file " includes \"" header "\": a climb" }'
}

# Does the first comment of the file say what it does with threads?
says_threads()
{
	awk '{ print } index($0, "*/") { exit }' "$1" | grep -Eq '^[ /*]*Threads:'
}

# Is $1 among the patterns of the list $2?
is_among()
{
	for among_pattern in $2; do
		# shellcheck disable=SC2254 # the word is a pattern, and is meant as such
		case $1 in
		$among_pattern) return 0 ;;
		esac
	done
	return 1
}

# Print every foreign header of the tree $1 that stands in a file which does not own it.
find_trespass()
{
	list_includes "$1" | grep ' < ' | (
		set -f
		while read -r file _ header; do
			while read -r pattern allowed; do
				is_among "$header" "$pattern" || continue
				! is_among "$file" "$allowed" || continue
				[ "$pattern" = pthread.h ] && says_threads "$1/$file" && continue
				echo "$file includes <$header>, which belongs to: ${allowed:-nobody yet}"
			done <<-EOT
			$owners
			EOT
		done
	)
}

# A small tree with one file, to see that the searches find what they are for: try FILE LINE...
try()
{
	rm -rf tree && mkdir -p "tree/$(dirname "$1")" tree/src/base && : >tree/src/base/empty.h || return 1
	try_file=$1
	shift
	printf '%s\n' "$@" >"tree/$try_file"
	{
		find_climbs tree
		find_trespass tree
	} >found
}

test_expect_success 'no include of the tree climbs' '
	find_climbs "$SRC_ROOT" >climbs &&
	test_must_be_empty climbs
'

test_expect_success 'every foreign header stands with its owner' '
	find_trespass "$SRC_ROOT" >trespass &&
	test_must_be_empty trespass
'

test_expect_success 'there are includes to look at on every floor' '
	list_includes "$SRC_ROOT" >all &&
	for floor in $floors cli
	do
		test_grep "^src/$floor/" all || return 1
	done
'

test_expect_success 'no source file lies outside the floors' '
	(cd "$SRC_ROOT" && find src -type f ! -path "src/*/*.[ch]") >stray &&
	test_must_be_empty stray &&
	(cd "$SRC_ROOT/src" && ls -d */) | tr -d / >dirs &&
	for dir in $(cat dirs)
	do
		case " $floors cli serve remote " in
		*" $dir "*) ;;
		*) echo "unknown folder src/$dir"; return 1 ;;
		esac
	done
'

test_expect_success 'the search finds a climb from base to odb' '
	try src/base/a.c "#include \"odb/env.h\"" &&
	test_grep "a climb" found
'

test_expect_success 'the search finds the command looking into the library' '
	try src/cli/a.c "#  include \"base/buf.h\"" &&
	test_grep "only <store.h>" found
'

test_expect_success 'the search finds store.h below the top floor' '
	try src/odb/a.c "#include <store.h>" &&
	test_grep "only base/error.h" found
'

test_expect_success 'the search finds an include that is not written from src/' '
	try src/odb/a.c "#include \"env.h\"" &&
	test_grep "write it from src/" found
'

test_expect_success 'the search finds lmdb.h in a second file' '
	try src/odb/stage.c "#include <lmdb.h>" &&
	test_grep "belongs to: src/odb/env_internal.h" found
'

test_expect_success 'the search finds a library that nobody owns' '
	try src/work/a.c "#include <curl/curl.h>" &&
	test_grep "nobody yet" found
'

test_expect_success 'threads are for the pipeline and for files whose first comment says so' '
	try src/work/a.c "/* A file. */" "#include <pthread.h>" "/* Threads: none. */" &&
	test_grep "pthread.h" found &&
	try src/work/a.c "/*" " * Threads: one per item." " */" "#include <pthread.h>" &&
	test_must_be_empty found
'

test_expect_success 'the search is quiet about what is allowed' '
	try src/graph/a.c "#include \"graph/map.h\"" "#include \"odb/env.h\"" "#include \"base/buf.h\"" "#include <errno.h>" &&
	test_must_be_empty found &&
	try src/odb/env_internal.h "#include <lmdb.h>" &&
	test_must_be_empty found &&
	try src/cli/a.c "#include <store.h>" "#include \"cli/opt.h\"" "#include <stdio.h>" &&
	test_must_be_empty found
'

test_done
