/tmp/h-tests/b/fault/obj/src/data/refname.o: src/data/refname.c \
 src/base/banned.h src/data/refname.h src/base/buf.h src/base/error.h \
 include/store.h src/base/quote.h src/data/limits.h
src/base/banned.h:
src/data/refname.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/data/limits.h:
