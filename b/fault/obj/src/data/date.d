/tmp/h-tests/b/fault/obj/src/data/date.o: src/data/date.c \
 src/base/banned.h src/data/date.h src/base/error.h include/store.h \
 src/base/quote.h src/base/buf.h
src/base/banned.h:
src/data/date.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/base/buf.h:
