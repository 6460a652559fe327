/tmp/h-tests/b/fault/obj/t/unit/u_spool.o: t/unit/u_spool.c \
 src/base/banned.h include/store.h src/work/spool.h src/base/buf.h
src/base/banned.h:
include/store.h:
src/work/spool.h:
src/base/buf.h:
