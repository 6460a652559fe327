/tmp/h-tests/b/fault/obj/src/work/checkout.o: src/work/checkout.c \
 src/base/banned.h src/base/clock.h src/base/error.h include/store.h \
 src/base/io.h src/base/buf.h src/base/quote.h src/data/hash.h \
 src/data/id.h src/data/refname.h src/odb/publish.h src/odb/env.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/odb/writer.h \
 src/odb/pack.h src/odb/tmp.h src/work/checkout_internal.h \
 src/data/limits.h src/graph/entry.h src/base/bytes.h src/graph/map.h \
 src/graph/nodes.h src/graph/refs.h src/data/ident.h src/data/text.h \
 src/graph/seq.h src/graph/stage.h src/work/compare.h src/work/worktree.h \
 src/work/repo.h src/work/config.h src/work/spool.h \
 src/work/repo_internal.h src/work/config_internal.h src/work/stats.h \
 src/work/view_internal.h src/graph/layer.h src/graph/rev.h \
 src/base/nearest.h src/graph/commit.h
src/base/banned.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/base/quote.h:
src/data/hash.h:
src/data/id.h:
src/data/refname.h:
src/odb/publish.h:
src/odb/env.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/writer.h:
src/odb/pack.h:
src/odb/tmp.h:
src/work/checkout_internal.h:
src/data/limits.h:
src/graph/entry.h:
src/base/bytes.h:
src/graph/map.h:
src/graph/nodes.h:
src/graph/refs.h:
src/data/ident.h:
src/data/text.h:
src/graph/seq.h:
src/graph/stage.h:
src/work/compare.h:
src/work/worktree.h:
src/work/repo.h:
src/work/config.h:
src/work/spool.h:
src/work/repo_internal.h:
src/work/config_internal.h:
src/work/stats.h:
src/work/view_internal.h:
src/graph/layer.h:
src/graph/rev.h:
src/base/nearest.h:
src/graph/commit.h:
