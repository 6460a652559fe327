/tmp/h-tests/b/fault/obj/src/work/checkout_fresh.o: \
 src/work/checkout_fresh.c src/base/banned.h src/base/error.h \
 include/store.h src/base/fault.h src/base/mem.h src/graph/map.h \
 src/graph/entry.h src/base/buf.h src/base/bytes.h src/data/id.h \
 src/graph/nodes.h src/data/hash.h src/odb/publish.h src/odb/env.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/odb/writer.h \
 src/odb/pack.h src/work/checkout_internal.h src/data/limits.h \
 src/graph/refs.h src/data/ident.h src/data/text.h src/graph/seq.h \
 src/graph/stage.h src/odb/tmp.h src/work/compare.h src/work/worktree.h \
 src/work/repo.h src/work/config.h src/work/spool.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/mem.h:
src/graph/map.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/odb/publish.h:
src/odb/env.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/checkout_internal.h:
src/data/limits.h:
src/graph/refs.h:
src/data/ident.h:
src/data/text.h:
src/graph/seq.h:
src/graph/stage.h:
src/odb/tmp.h:
src/work/compare.h:
src/work/worktree.h:
src/work/repo.h:
src/work/config.h:
src/work/spool.h:
