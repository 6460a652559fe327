/tmp/h-tests/b/fault/obj/t/unit/u_chunker.o: t/unit/u_chunker.c \
 src/base/banned.h src/base/bytes.h src/data/chunker.h src/data/hash.h \
 src/data/id.h include/store.h
src/base/banned.h:
src/base/bytes.h:
src/data/chunker.h:
src/data/hash.h:
src/data/id.h:
include/store.h:
