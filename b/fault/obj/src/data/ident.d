/tmp/h-tests/b/fault/obj/src/data/ident.o: src/data/ident.c \
 src/base/banned.h src/data/ident.h src/base/buf.h src/data/text.h \
 src/data/id.h src/base/error.h include/store.h src/base/quote.h \
 src/data/limits.h
src/base/banned.h:
src/data/ident.h:
src/base/buf.h:
src/data/text.h:
src/data/id.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/data/limits.h:
