/tmp/h-tests/b/fault/obj/src/data/text.o: src/data/text.c \
 src/base/banned.h src/data/text.h src/base/buf.h src/data/id.h \
 src/base/error.h include/store.h src/base/quote.h src/data/limits.h
src/base/banned.h:
src/data/text.h:
src/base/buf.h:
src/data/id.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/data/limits.h:
