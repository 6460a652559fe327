/tmp/h-tests/b/fault/obj/src/data/hash.o: src/data/hash.c \
 src/base/banned.h src/data/hash.h src/data/id.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/data/hash.h:
src/data/id.h:
src/base/error.h:
include/store.h:
