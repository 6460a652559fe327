/tmp/h-tests/b/obj/src/graph/entry.o: src/graph/entry.c src/base/banned.h \
 src/graph/entry.h src/base/buf.h src/base/bytes.h src/data/id.h \
 src/base/error.h include/store.h src/data/hash.h src/data/limits.h \
 src/graph/map.h src/graph/nodes.h
src/base/banned.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/base/error.h:
include/store.h:
src/data/hash.h:
src/data/limits.h:
src/graph/map.h:
src/graph/nodes.h:
