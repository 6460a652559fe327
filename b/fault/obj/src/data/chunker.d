/tmp/h-tests/b/fault/obj/src/data/chunker.o: src/data/chunker.c \
 src/base/banned.h src/data/chunker.h src/base/error.h include/store.h \
 src/data/chunker_internal.h
src/base/banned.h:
src/data/chunker.h:
src/base/error.h:
include/store.h:
src/data/chunker_internal.h:
