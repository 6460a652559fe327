/tmp/h-tests/b/fault/obj/t/unit/u_seq.o: t/unit/u_seq.c src/base/banned.h \
 src/base/buf.h src/base/bytes.h src/base/error.h include/store.h \
 src/data/limits.h src/graph/seq.h src/graph/nodes.h src/data/hash.h \
 src/data/id.h
src/base/banned.h:
src/base/buf.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/graph/seq.h:
src/graph/nodes.h:
src/data/hash.h:
src/data/id.h:
