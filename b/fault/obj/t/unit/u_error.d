/tmp/h-tests/b/fault/obj/t/unit/u_error.o: t/unit/u_error.c \
 src/base/banned.h src/base/error.h include/store.h
src/base/banned.h:
src/base/error.h:
include/store.h:
