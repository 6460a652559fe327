#!/bin/sh
# The format stands on its page, without the command: a reader and a writer made from store-format(5) alone, t/second-reader
# and t/second-writer.py, agree with each other in every id, ref, name and byte, and whoever breaks one rule of the page is
# caught.  No C of ours runs here, so the script is left out under the sanitizers.
. "${0%/*}/test-lib.sh"
. "$SRC_ROOT/t/second-lib.sh"

# refused PATTERN REPOSITORY: one line that fits, and exit code 1.
refused()
{
	test_expect_code 1 "$reader" "$2" verify >refused.out 2>refused.err &&
		grep -v "second-reader: warning" refused.err >refused.line &&
		test_line_count -eq 1 refused.line &&
		test_grep -E "$1" refused.line
}
# a_pack REPOSITORY NUMBER: path of a pack.
a_pack()
{
	find "$1/.store/packs" -type f | sort | sed -n "$2p"
}
# FROM and TO of broken.py, and what the second reader says then.
cat >broken <<'EOT'
a seq node that ends too early|len(node) == 1024|len(node) == 100|should not have ended
a seq node that ends too late|len(node) >= 16|len(node) >= 200|should have ended
a seq node with another threshold|2 ** 57|2 ** 58|should not have ended
runs that are not joined|if rows and rows[-1][:2] == (oid, length)|if rows and rows[-1][2] < 7 and rows[-1][:2] == (oid, length)|one run
a map node with another weight|weight + 8|weight + 40|should (not )?have ended
a root that stands above a single node|if len(above) == 1:|if len(above) == 1 and lev > 0:|above a single node
totals that are not true|sums = [a + b for a, b in zip(sums, add)]|sums = [a + b + 1 for a, b in zip(sums, add)]|totals are
a number in a longer form|out.append(n)|out.extend([n + 128, 0] if n == 7 else [n])|shortest form
a changes map that is not the difference|bytes([1, 0, DIRECTORY])|bytes([1, 0, 1])|its changes have
counts of a layer that are not true|added %d\nmodified 0|added 1%d\nmodified 0|added, modified and deleted
a generation that is not 0 without a parent|generation 0|generation 1|generation
a layer with its lines in another order|files %d\ndirectories %d|directories %d\nfiles %d|not as the format has it
a header line that it does not know|store commit 1\nlayer|store commit 1\nnote\nlayer|not as the format has it
ids that are not sorted|for oid in sorted(self.ids)|for oid in sorted(self.ids, reverse=True)|not in order
a footer that names other bytes|offset += len(data)|offset += len(data) - 1|not inside a block|footer
a block of a class it does not know|pack.add(2,|pack.add(4,|class
a map node of another kind|self.map(1, items, 48)|self.map(2, items, 48)|no map node of kind 1
a refs.log that it cannot follow|ref refs/heads/main - |ref HEAD - |was not what the record says
parameters that do not fit|digest(text.encode())|digest(b"")|parameters
sixteen chunking classes|for c in options.classes|for c in [(n, 256) for n in range(1, 17)]|more than 15 class lines
a time zone of sixty minutes|+0000|+0060|wrong lines
a time zone that has another spelling|+0000|-0000|wrong lines
attributes that say nothing|return b"\x01" + leb(st.st_mode|return b"\x00" or leb(st.st_mode|meta flags 0
an object that the footer leaves out|self.ids[oid] = (len|if kind != CHUNK or len(self.ids) != 3: self.ids[oid] = (len|is not in the footer
EOT

test_expect_success 'setup: a tree with every kind of entry' '
	python3 make-tree.py tree && make_small tree small
'

for options in '--codec none' '--codec zlib --meta' '--codec zlib --class 100:1024 --class 20000:512' '--average 65536'; do
	test_expect_success "the second reader gives back what the second writer wrote ($options)" '
		rm -rf repo out &&
		python3 "$writer" --average 256 $options --list small.list small repo >made &&
		cut -d" " -f1-3 made >want &&
		"$reader" -o root repo root , -o stage-root repo stage-root , -z -o ls repo ls , -z -o stage repo stage , repo extract main out , repo verify &&
		test_cmp want root &&
		test_cmp want stage-root &&
		test_cmp small.list ls &&
		test_cmp small.list stage &&
		diff -r --no-dereference small out &&
		test -x out/program && test ! -x out/empty
	'
done

# Whoever breaks one rule of the page is caught by the other one.
test_expect_success 'setup: writers that each break one rule, and one that breaks none' '
	{ echo "whole|store|store" && awk -F"|" "{ print \"broken-\" NR \"|\" \$2 \"|\" \$3 }" broken; } >cases && test_line_count -eq 25 cases &&
	python3 broken.py "$SRC_ROOT/t" small verify <cases && cat whole.said && test_grep "^verified: " whole.said
'
n=0
while IFS='|' read -r promise from to pattern; do
	n=$((n + 1))
	test_expect_success "the second reader refuses $promise" '
		test_line_count -eq 1 broken-$n.said && test_grep -E "^refused: .*($pattern)" broken-$n.said
	'
done <broken

test_expect_success 'what is refused is one line of the command and exit code 1' '
	for n in 1 7 20; do
		sed "s/^refused/second-reader/" broken-$n.said >want && refused . broken-$n && test_cmp want refused.line || return 1
	done
'

test_expect_success 'the same object may stand in several blocks of a pack, and the footer names one of them' '
	rm -rf out &&
	echo "twice|for obj in objects:|for obj in (objects + objects if klass == 2 else objects):" | python3 broken.py "$SRC_ROOT/t" small &&
	test_cmp whole.made twice.made &&
	cat >surplus.py <<-\EOF &&
	import struct, sys
	for name in sys.argv[1:]:
	    data, at, listed = open(name, "rb").read(), 32, 0
	    while data[at:at + 4] == b"STBK":
	        _, stored, count, table = struct.unpack_from("<IIII", data, at + 8)
	        at, listed = at + 32 + table + stored, listed + count
	    print(listed - struct.unpack_from("<I", data, at + 12)[0])
	EOF
	python3 surplus.py twice/.store/packs/* >surplus &&
	test_grep "[1-9]" surplus &&
	"$reader" twice verify , twice extract main out &&
	diff -r --no-dereference small out
'

test_expect_success 'each of twenty damaged bytes is named with pack and offset' '
	pack=$(a_pack whole 1) &&
	cat >damaged.py <<-\EOF &&
	import importlib.machinery, importlib.util, os, sys
	loader = importlib.machinery.SourceFileLoader("second_reader", sys.argv[1])
	reader = importlib.util.module_from_spec(importlib.util.spec_from_loader("second_reader", loader))
	loader.exec_module(reader)
	with open(sys.argv[3], "r+b", buffering=0) as f:
	    size = f.seek(0, 2)
	    for n in range(20):
	        at = n * (size - 1) // 19
	        f.seek(at)
	        byte = f.read(1)
	        f.seek(at)
	        f.write(bytes([byte[0] ^ 1]))
	        try:
	            reader.Store(sys.argv[2]).verify()
	            print(at, "verified")
	        except reader.Bad as e:
	            print(at, e)
	        f.seek(at)
	        f.write(byte)
	EOF
	python3 damaged.py "$reader" whole "$pack" >said &&
	test_line_count -eq 20 said &&
	grep -E "^[0-9]+ pack ${pack##*/} offset [0-9]+" said >named && test_cmp said named &&
	"$reader" whole verify
'

test_expect_success 'packs without their footers give everything back' '
	rm -rf repo out && cp -a whole repo &&
	"$reader" -z repo stage >want &&
	for n in 1 2; do
		pack=$(a_pack repo $n) &&
		size=$(wc -c <"$pack") &&
		chmod u+w "$pack" && truncate -s $((size - 40)) "$pack" || return 1
	done &&
	"$reader" repo extract HEAD out , -z -o got repo stage 2>err &&
	test_line_count -eq 2 err &&
	test_grep "footer is lost" err &&
	diff -r --no-dereference small out &&
	test_cmp want got &&
	refused "footer is lost" repo
'

test_expect_success 'a half-written block at the end of a pack costs nothing but itself' '
	rm -rf repo out && cp -a whole repo &&
	pack=$(a_pack repo 2) && chmod u+w "$pack" &&
	{ printf STBK && head -c 50 tree/none/noise; } >>"$pack" &&
	test_must_fail "$reader" repo verify &&
	truncate -s $(($(wc -c <"$pack") - 54 - 64)) "$pack" &&
	"$reader" repo extract HEAD out &&
	diff -r --no-dereference small out
'

# record REPOSITORY LINES: append a record with its checksum.
record()
{
	printf "%b" "$2" >record.txt &&
		{
			cat record.txt &&
				printf "end %s\n" "$(sha256sum record.txt | cut -c1-16)"
		} >>"$1/.store/refs.log"
}

# as_now NUMBER: a copy of repo as it is now, to be asked with the others.
as_now()
{
	rm -rf "now-$1" && cp -a repo "now-$1" && set_asked="$set_asked -o got-$1 now-$1 refs ,"
}

test_expect_success 'void, torn and unfinished records of refs.log are passed over' '
	rm -rf repo && cp -a whole repo && set_asked= &&
	"$reader" repo refs >want &&
	test_line_count -eq 2 want &&
	zero=$(printf %064d 0) &&
	main=$(sed -n "s,^refs/heads/main ,,p" want) &&
	who="1767323045 +0000 A U Thor <author@example.com>" &&
	record repo "record 4 $who\nref refs/heads/main $main $zero\n" && as_now 1 &&
	record repo "void 4\n" && as_now 2 &&
	record repo "record 5 $who\nref refs/heads/other - $main\nref ORIG_HEAD - $main\nwhy branch\n" &&
	record repo "record 6 $who\nref ORIG_HEAD $main -\n" && as_now 3 &&
	{ cat want && echo "refs/heads/other $main"; } >want2 &&
	printf "record 7 $who\nref refs/heads/other $main -\nend 0123" >>repo/.store/refs.log && as_now 4 &&
	"$reader" $set_asked repo verify &&
	test_cmp want got-1 && test_cmp want got-2 && test_cmp want2 got-3 && test_cmp want2 got-4
'

test_expect_success 'a damaged record of refs.log with a whole one behind it is refused' '
	record repo "\nrecord 8 $who\nref refs/heads/third - $main\n" &&
	printf "record 9 $who\nref refs/heads/third - $main\n" >record.txt &&
	printf "end %s\n" "$(sha256sum record.txt | cut -c1-16)" >>record.txt &&
	cat record.txt >>repo/.store/refs.log &&
	refused "refs.log line [0-9]+: a damaged record" repo
'

test_done
