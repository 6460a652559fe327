/tmp/h-tests/b/obj/src/work/status.o: src/work/status.c src/base/banned.h \
 src/work/status_internal.h src/graph/entry.h src/base/buf.h \
 src/base/bytes.h src/data/id.h src/graph/map.h src/graph/nodes.h \
 src/data/hash.h src/graph/stage.h src/odb/env.h src/work/compare.h \
 src/work/worktree.h src/work/repo.h src/data/ident.h src/data/text.h \
 src/graph/refs.h src/data/limits.h src/odb/odb.h src/data/codec.h \
 src/data/format.h include/store.h src/work/config.h src/work/spool.h \
 src/base/clock.h src/base/error.h src/graph/commit.h \
 src/work/view_internal.h src/graph/layer.h src/graph/rev.h
src/base/banned.h:
src/work/status_internal.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/map.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/stage.h:
src/odb/env.h:
src/work/compare.h:
src/work/worktree.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/refs.h:
src/data/limits.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
include/store.h:
src/work/config.h:
src/work/spool.h:
src/base/clock.h:
src/base/error.h:
src/graph/commit.h:
src/work/view_internal.h:
src/graph/layer.h:
src/graph/rev.h:
