/tmp/h-tests/b/obj/src/data/id.o: src/data/id.c src/base/banned.h \
 src/data/id.h src/base/bytes.h src/base/error.h include/store.h
src/base/banned.h:
src/data/id.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
