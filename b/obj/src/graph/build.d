/tmp/h-tests/b/obj/src/graph/build.o: src/graph/build.c src/base/banned.h \
 src/graph/build.h src/graph/entry.h src/base/buf.h src/base/bytes.h \
 src/data/id.h src/graph/nodes.h src/data/hash.h src/graph/stage.h \
 src/odb/env.h src/base/error.h include/store.h src/base/mem.h \
 src/data/limits.h src/graph/map.h
src/base/banned.h:
src/graph/build.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/stage.h:
src/odb/env.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/limits.h:
src/graph/map.h:
