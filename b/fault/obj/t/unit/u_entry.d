/tmp/h-tests/b/fault/obj/t/unit/u_entry.o: t/unit/u_entry.c \
 src/base/banned.h src/base/error.h include/store.h src/data/hash.h \
 src/data/id.h src/data/limits.h src/graph/entry.h src/base/buf.h \
 src/base/bytes.h src/graph/map.h src/graph/nodes.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/hash.h:
src/data/id.h:
src/data/limits.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/graph/map.h:
src/graph/nodes.h:
