/tmp/h-tests/b/fault/obj/src/odb/env_number.o: src/odb/env_number.c \
 src/base/banned.h src/base/bytes.h src/base/error.h include/store.h \
 src/odb/env.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/odb/env.h:
