/tmp/h-tests/b/fault/obj/src/work/info.o: src/work/info.c \
 src/base/banned.h src/base/error.h include/store.h \
 src/work/view_internal.h src/graph/entry.h src/base/buf.h \
 src/base/bytes.h src/data/id.h src/graph/layer.h src/graph/rev.h \
 src/base/nearest.h src/data/ident.h src/data/text.h src/graph/commit.h \
 src/data/limits.h src/graph/nodes.h src/data/hash.h src/graph/refs.h \
 src/odb/env.h src/graph/stage.h src/work/repo.h src/odb/odb.h \
 src/data/codec.h src/data/format.h src/work/config.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/work/view_internal.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/layer.h:
src/graph/rev.h:
src/base/nearest.h:
src/data/ident.h:
src/data/text.h:
src/graph/commit.h:
src/data/limits.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/refs.h:
src/odb/env.h:
src/graph/stage.h:
src/work/repo.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
