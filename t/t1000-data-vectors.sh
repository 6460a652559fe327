#!/bin/sh
# The frozen vectors of chunk borders are what the independent model (t/vectors/gear.py) says today.
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

test_done
