/tmp/h-tests/b/fault/obj/src/base/io.o: src/base/io.c src/base/banned.h \
 src/base/io.h src/base/buf.h src/base/error.h include/store.h \
 src/base/fault.h src/base/owner.h src/base/quote.h
src/base/banned.h:
src/base/io.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/owner.h:
src/base/quote.h:
