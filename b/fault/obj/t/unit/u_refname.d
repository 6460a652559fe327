/tmp/h-tests/b/fault/obj/t/unit/u_refname.o: t/unit/u_refname.c \
 src/base/banned.h src/base/error.h include/store.h src/data/limits.h \
 src/data/refname.h src/base/buf.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/data/refname.h:
src/base/buf.h:
