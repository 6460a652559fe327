/tmp/h-tests/b/obj/src/base/error.o: src/base/error.c src/base/banned.h \
 src/base/error.h include/store.h
src/base/banned.h:
src/base/error.h:
include/store.h:
