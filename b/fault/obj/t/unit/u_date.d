/tmp/h-tests/b/fault/obj/t/unit/u_date.o: t/unit/u_date.c \
 src/base/banned.h src/base/error.h include/store.h src/data/date.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/date.h:
