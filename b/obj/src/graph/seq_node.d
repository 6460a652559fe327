/tmp/h-tests/b/obj/src/graph/seq_node.o: src/graph/seq_node.c \
 src/base/banned.h src/graph/seq_internal.h src/base/buf.h \
 src/base/bytes.h src/graph/seq.h src/graph/nodes.h src/data/hash.h \
 src/data/id.h src/base/error.h include/store.h src/base/mem.h \
 src/data/limits.h
src/base/banned.h:
src/graph/seq_internal.h:
src/base/buf.h:
src/base/bytes.h:
src/graph/seq.h:
src/graph/nodes.h:
src/data/hash.h:
src/data/id.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/limits.h:
