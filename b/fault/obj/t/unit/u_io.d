/tmp/h-tests/b/fault/obj/t/unit/u_io.o: t/unit/u_io.c src/base/banned.h \
 src/base/error.h include/store.h src/base/fault.h src/base/io.h \
 src/base/buf.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/buf.h:
