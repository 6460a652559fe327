/tmp/h-tests/b/obj/src/graph/changes.o: src/graph/changes.c \
 src/base/banned.h src/graph/changes.h src/graph/entry.h src/base/buf.h \
 src/base/bytes.h src/data/id.h src/graph/nodes.h src/data/hash.h \
 src/base/error.h include/store.h src/base/mem.h src/data/limits.h \
 src/graph/map.h
src/base/banned.h:
src/graph/changes.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/limits.h:
src/graph/map.h:
