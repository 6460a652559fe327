/tmp/h-tests/b/fault/obj/t/unit/u_mem.o: t/unit/u_mem.c src/base/banned.h \
 src/base/arena.h src/base/error.h include/store.h src/base/fault.h \
 src/base/mem.h
src/base/banned.h:
src/base/arena.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/mem.h:
