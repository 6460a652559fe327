/tmp/h-tests/b/fault/obj/src/data/chunker_table.o: \
 src/data/chunker_table.c src/base/banned.h src/data/chunker_internal.h
src/base/banned.h:
src/data/chunker_internal.h:
