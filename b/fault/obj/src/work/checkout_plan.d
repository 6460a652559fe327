/tmp/h-tests/b/fault/obj/src/work/checkout_plan.o: \
 src/work/checkout_plan.c src/base/banned.h src/base/bytes.h \
 src/base/error.h include/store.h src/base/io.h src/base/buf.h \
 src/base/quote.h src/graph/tree.h src/graph/entry.h src/data/id.h \
 src/graph/nodes.h src/data/hash.h src/work/checkout_internal.h \
 src/data/limits.h src/graph/map.h src/graph/refs.h src/data/ident.h \
 src/data/text.h src/odb/env.h src/graph/seq.h src/graph/stage.h \
 src/odb/tmp.h src/work/compare.h src/work/worktree.h src/work/repo.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/work/config.h \
 src/work/spool.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/base/quote.h:
src/graph/tree.h:
src/graph/entry.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/work/checkout_internal.h:
src/data/limits.h:
src/graph/map.h:
src/graph/refs.h:
src/data/ident.h:
src/data/text.h:
src/odb/env.h:
src/graph/seq.h:
src/graph/stage.h:
src/odb/tmp.h:
src/work/compare.h:
src/work/worktree.h:
src/work/repo.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
src/work/spool.h:
