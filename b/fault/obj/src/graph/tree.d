/tmp/h-tests/b/fault/obj/src/graph/tree.o: src/graph/tree.c \
 src/base/banned.h src/graph/tree.h src/graph/entry.h src/base/buf.h \
 src/base/bytes.h src/data/id.h src/graph/nodes.h src/data/hash.h \
 src/base/error.h include/store.h src/data/limits.h src/graph/map.h
src/base/banned.h:
src/graph/tree.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/graph/map.h:
