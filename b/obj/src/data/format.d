/tmp/h-tests/b/obj/src/data/format.o: src/data/format.c src/base/banned.h \
 src/data/format.h src/base/buf.h src/data/hash.h src/data/id.h \
 src/base/error.h include/store.h src/base/quote.h src/data/chunker.h \
 src/data/text.h
src/base/banned.h:
src/data/format.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/data/chunker.h:
src/data/text.h:
