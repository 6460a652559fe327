/tmp/h-tests/b/obj/src/work/list.o: src/work/list.c src/base/banned.h \
 src/base/error.h include/store.h src/base/mem.h src/base/quote.h \
 src/base/buf.h src/graph/map.h src/graph/entry.h src/base/bytes.h \
 src/data/id.h src/graph/nodes.h src/data/hash.h src/graph/stage.h \
 src/odb/env.h src/graph/tree.h src/work/list_internal.h \
 src/work/view_internal.h src/graph/layer.h src/graph/rev.h \
 src/data/ident.h src/data/text.h src/graph/commit.h src/data/limits.h \
 src/graph/refs.h src/work/repo.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/work/config.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/base/quote.h:
src/base/buf.h:
src/graph/map.h:
src/graph/entry.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/stage.h:
src/odb/env.h:
src/graph/tree.h:
src/work/list_internal.h:
src/work/view_internal.h:
src/graph/layer.h:
src/graph/rev.h:
src/data/ident.h:
src/data/text.h:
src/graph/commit.h:
src/data/limits.h:
src/graph/refs.h:
src/work/repo.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
