/tmp/h-tests/b/obj/src/odb/env_rows.o: src/odb/env_rows.c \
 src/base/banned.h src/base/error.h include/store.h src/base/fault.h \
 src/odb/env_internal.h src/odb/env.h src/odb/env_door.h \
 src/odb/env_pages.h src/odb/env_registry.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/odb/env_internal.h:
src/odb/env.h:
src/odb/env_door.h:
src/odb/env_pages.h:
src/odb/env_registry.h:
