/tmp/h-tests/b/fault/obj/src/base/quote.o: src/base/quote.c \
 src/base/banned.h src/base/quote.h src/base/buf.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/base/quote.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
