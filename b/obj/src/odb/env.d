/tmp/h-tests/b/obj/src/odb/env.o: src/odb/env.c src/base/banned.h \
 src/odb/env.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/fault.h src/base/io.h src/base/buf.h src/base/trace.h \
 src/odb/env_internal.h src/odb/env_door.h src/odb/env_pages.h \
 src/odb/env_registry.h
src/base/banned.h:
src/odb/env.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/buf.h:
src/base/trace.h:
src/odb/env_internal.h:
src/odb/env_door.h:
src/odb/env_pages.h:
src/odb/env_registry.h:
