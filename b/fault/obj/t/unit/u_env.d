/tmp/h-tests/b/fault/obj/t/unit/u_env.o: t/unit/u_env.c src/base/banned.h \
 src/base/bytes.h src/base/error.h include/store.h src/base/fault.h \
 src/odb/env.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/odb/env.h:
