/tmp/h-tests/b/fault/obj/t/unit/u_buf.o: t/unit/u_buf.c src/base/banned.h \
 src/base/buf.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/fault.h
src/base/banned.h:
src/base/buf.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
