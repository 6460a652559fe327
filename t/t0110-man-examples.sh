#!/bin/sh
# Every block of EXAMPLES of every manual page of the command runs, in order, in a scratch repository of its own.  In a block a
# line that begins with "$ " is a command, which must succeed; the lines below it, if any, are all that it prints.
. "$(dirname "$0")/test-lib.sh"

# The blocks of a page as a script of lines: run COMMAND WANTED.
examples_of()
{
	awk '
	function quoted(s) { gsub(/\047/, "\047\\\047\047", s); return "\047" s "\047" }
	function flush() { if (command != "") print "run " quoted(command) " " quoted(wanted); command = wanted = "" }
	/^\.Sh/ { inside = /^\.Sh EXAMPLES/ }
	/^\.Ed/ { flush(); block = 0 }
	inside && block {
		gsub(/\\e/, "\\"); gsub(/\\&/, "")
		if (sub(/^\$ /, "")) { flush(); command = $0 } else if ($0 != "") wanted = wanted $0 "\n"
	}
	inside && /^\.Bd/ { block = 1 }' "$1"
}

# Two commits on main, and a working tree with unsaved changes; what the examples speak of.
prepare()
{
	store init -q . &&
		mkdir src &&
		echo 'the island' >README &&
		echo 'int main(void) { return 0; }' >src/main.c &&
		ln -s src/main.c latest &&
		store add -q . &&
		store commit -q -m 'the island' &&
		echo 'and the boat' >>README &&
		seq 30000 >numbers &&
		store add -q -A &&
		store commit -q -m 'the boat' &&
		echo 'a third line' >>README &&
		echo 'buy bread' >todo
}

# run_page PAGE: its examples in pages/NAME/work.
run_page()
{
	page=${1##*/}
	mkdir -p "pages/$page/work" && examples_of "$1" >"pages/$page/script" && test -s "pages/$page/script" || return 1
	(
		log=$PWD/pages/$page
		cd "$log/work" || exit 1
		unset OLDPWD
		case $page in
		store.1 | store-init.1) ;;
		*) cp -a ../../../prepared/. . || exit 1 ;;
		esac
		run()
		{
			if ! eval "$1" >"$log/out" 2>"$log/err"; then
				echo "$page: failed: $1"
				cat "$log/out" "$log/err"
				exit 1
			fi
			printf '%s' "$2" >"$log/want"
			if [ -n "$2" ] && ! test_cmp "$log/want" "$log/out"; then
				echo "$page: prints something else: $1"
				exit 1
			fi
		}
		# shellcheck source=/dev/null
		. "$log/script"
	)
}

test_expect_success 'setup: what most examples begin with' '
	mkdir prepared && cd prepared && prepare
'

for page in "$SRC_ROOT"/man/store.1 "$SRC_ROOT"/man/store-*.1; do
	name=${page##*/}
	test_expect_success "the examples of ${name%.1} run" "
		run_page \"\$SRC_ROOT/man/$name\"
	"
done

test_expect_success 'every page of a command has NAME, SYNOPSIS, DESCRIPTION, EXIT STATUS and EXAMPLES' '
	for page in "$SRC_ROOT"/man/store.1 "$SRC_ROOT"/man/store-*.1
	do
		for section in NAME SYNOPSIS DESCRIPTION "EXIT STATUS" EXAMPLES
		do
			echo "$page:.Sh $section"
		done
	done >want && grep -Hx -e "[.]Sh NAME" -e "[.]Sh SYNOPSIS" -e "[.]Sh DESCRIPTION" -e "[.]Sh EXIT STATUS" -e "[.]Sh EXAMPLES" \
		"$SRC_ROOT"/man/store.1 "$SRC_ROOT"/man/store-*.1 >got && test_cmp want got
'

test_expect_success 'the page of every command that reads objects lists exit code 4' '
	printf "%s\n" add branch cat check-ignore checkout commit fsck info log ls mv reflog reset restore rm root status switch tag >want &&
	awk "/^[.]Sh/ { inside = /^[.]Sh EXIT STATUS/ } inside && /^[.]It 4\$/ { print FILENAME }" "$SRC_ROOT"/man/store-*.1 |
		sed "s,.*/store-,,; s,[.]1\$,," | sort -u >got && comm -23 want got >lacking && test_must_be_empty lacking
'

test_expect_success 'the reader of examples finds commands, what they print, and failures' '
	cat >page.1 <<-\EOT &&
	.Sh EXAMPLES
	.Bd -literal
	$ echo "it\(aqs" | tr a-z A-Z >/dev/null
	$ printf "a\eb\en"
	a\e010
	.Ed
	.Bd -literal
	$ echo two; echo lines
	two
	lines
	.Ed
	.Sh SEE ALSO
	.Bd -literal
	$ false
	.Ed
	EOT
	examples_of page.1 >got &&
	test_grep -F "run '\''echo two; echo lines'\'' '\''two" got &&
	test_grep ! false got &&
	printf ".Sh EXAMPLES\n.Bd -literal\n$ false\n.Ed\n" >store-version.1 &&
	test_must_fail run_page "$TRASH/store-version.1" &&
	printf ".Sh EXAMPLES\n.Bd -literal\n$ echo a\nb\n.Ed\n" >store-init.1 &&
	test_must_fail run_page "$TRASH/store-init.1"
'

test_done
