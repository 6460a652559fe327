#!/bin/sh
# The frozen vectors of the borders of chunks, sequences and maps are what the independent models (t/vectors) say today.
. "$(dirname "$0")/test-lib.sh"

model=$SRC_ROOT/t/vectors/gear.py
frozen=$SRC_ROOT/t/golden/vectors

test_expect_success 'the gear table follows from the text of the format' '
	python3 "$model" table >table &&
	test_cmp "$frozen/gear-table.txt" table
'

test_expect_success 'the table the library is built with is the same' '
	python3 "$model" c >table.c &&
	test_cmp "$SRC_ROOT/src/data/chunker_table.c" table.c
'

test_expect_success 'the frozen chunk borders follow from the text of the format' '
	python3 "$model" cuts >cuts &&
	test_cmp "$frozen/chunk-cuts.txt" cuts
'

# All but the two of millions of chunks, which take half a minute.
test_expect_success 'the frozen roots of sequences follow from the text of the format' '
	python3 "$SRC_ROOT/t/vectors/seq.py" 200000 >roots &&
	grep -v -e "^level-2-node-repeated " -e "^three-levels " "$frozen/seq-roots.txt" >want &&
	test_line_count -eq $(($(grep -c "" "$frozen/seq-roots.txt") - 2)) want &&
	test_cmp want roots
'

test_expect_success 'the frozen roots of maps follow from the text of the format' '
	python3 "$SRC_ROOT/t/vectors/map.py" >roots &&
	test_cmp "$frozen/map-roots.txt" roots
'

test_done
