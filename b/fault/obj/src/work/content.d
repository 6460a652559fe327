/tmp/h-tests/b/fault/obj/src/work/content.o: src/work/content.c \
 src/base/banned.h src/base/error.h include/store.h src/data/limits.h \
 src/graph/seq.h src/graph/nodes.h src/base/buf.h src/data/hash.h \
 src/data/id.h src/work/view_internal.h src/graph/entry.h \
 src/base/bytes.h src/graph/layer.h src/graph/rev.h src/base/nearest.h \
 src/data/ident.h src/data/text.h src/graph/commit.h src/graph/refs.h \
 src/odb/env.h src/graph/stage.h src/work/repo.h src/odb/odb.h \
 src/data/codec.h src/data/format.h src/work/config.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/graph/seq.h:
src/graph/nodes.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/work/view_internal.h:
src/graph/entry.h:
src/base/bytes.h:
src/graph/layer.h:
src/graph/rev.h:
src/base/nearest.h:
src/data/ident.h:
src/data/text.h:
src/graph/commit.h:
src/graph/refs.h:
src/odb/env.h:
src/graph/stage.h:
src/work/repo.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
