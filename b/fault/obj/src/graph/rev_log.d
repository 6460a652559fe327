/tmp/h-tests/b/fault/obj/src/graph/rev_log.o: src/graph/rev_log.c \
 src/base/banned.h src/graph/rev.h src/base/nearest.h src/data/ident.h \
 src/base/buf.h src/data/text.h src/data/id.h src/graph/commit.h \
 src/data/limits.h src/graph/layer.h src/graph/entry.h src/base/bytes.h \
 src/graph/nodes.h src/data/hash.h src/graph/refs.h src/odb/env.h \
 src/base/error.h include/store.h src/base/quote.h
src/base/banned.h:
src/graph/rev.h:
src/base/nearest.h:
src/data/ident.h:
src/base/buf.h:
src/data/text.h:
src/data/id.h:
src/graph/commit.h:
src/data/limits.h:
src/graph/layer.h:
src/graph/entry.h:
src/base/bytes.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/refs.h:
src/odb/env.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
