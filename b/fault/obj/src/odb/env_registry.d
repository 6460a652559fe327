/tmp/h-tests/b/fault/obj/src/odb/env_registry.o: src/odb/env_registry.c \
 src/base/banned.h src/odb/env_registry.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/odb/env_registry.h:
src/base/error.h:
include/store.h:
