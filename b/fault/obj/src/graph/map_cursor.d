/tmp/h-tests/b/fault/obj/src/graph/map_cursor.o: src/graph/map_cursor.c \
 src/base/banned.h src/graph/map_internal.h src/data/limits.h \
 src/graph/map.h src/graph/entry.h src/base/buf.h src/base/bytes.h \
 src/data/id.h src/graph/nodes.h src/data/hash.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/graph/map_internal.h:
src/data/limits.h:
src/graph/map.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/base/error.h:
include/store.h:
