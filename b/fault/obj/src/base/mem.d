/tmp/h-tests/b/fault/obj/src/base/mem.o: src/base/mem.c src/base/banned.h \
 src/base/mem.h src/base/error.h include/store.h src/base/fault.h
src/base/banned.h:
src/base/mem.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
