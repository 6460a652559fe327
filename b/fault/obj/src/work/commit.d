/tmp/h-tests/b/fault/obj/src/work/commit.o: src/work/commit.c \
 src/base/banned.h src/base/clock.h src/base/error.h include/store.h \
 src/base/fault.h src/data/limits.h src/graph/build.h src/graph/entry.h \
 src/base/buf.h src/base/bytes.h src/data/id.h src/graph/nodes.h \
 src/data/hash.h src/graph/stage.h src/odb/env.h src/graph/changes.h \
 src/graph/commit.h src/data/ident.h src/data/text.h src/graph/layer.h \
 src/graph/map.h src/odb/publish.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/odb/writer.h src/odb/pack.h src/work/repo.h \
 src/graph/refs.h src/work/config.h src/work/settle.h src/work/spool.h \
 src/work/stats.h src/work/view_internal.h src/graph/rev.h \
 src/base/nearest.h
src/base/banned.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/data/limits.h:
src/graph/build.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/stage.h:
src/odb/env.h:
src/graph/changes.h:
src/graph/commit.h:
src/data/ident.h:
src/data/text.h:
src/graph/layer.h:
src/graph/map.h:
src/odb/publish.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/repo.h:
src/graph/refs.h:
src/work/config.h:
src/work/settle.h:
src/work/spool.h:
src/work/stats.h:
src/work/view_internal.h:
src/graph/rev.h:
src/base/nearest.h:
