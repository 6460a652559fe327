/tmp/h-tests/b/obj/src/base/buf.o: src/base/buf.c src/base/banned.h \
 src/base/buf.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/mem.h
src/base/banned.h:
src/base/buf.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
