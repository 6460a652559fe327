/tmp/h-tests/b/obj/src/odb/env_open.o: src/odb/env_open.c \
 src/base/banned.h src/base/error.h include/store.h src/base/io.h \
 src/base/buf.h src/base/owner.h src/odb/env_internal.h src/odb/env.h \
 src/odb/env_door.h src/odb/env_pages.h src/odb/env_registry.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/base/owner.h:
src/odb/env_internal.h:
src/odb/env.h:
src/odb/env_door.h:
src/odb/env_pages.h:
src/odb/env_registry.h:
