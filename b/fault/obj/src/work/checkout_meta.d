/tmp/h-tests/b/fault/obj/src/work/checkout_meta.o: \
 src/work/checkout_meta.c src/base/banned.h src/base/error.h \
 include/store.h src/base/io.h src/base/buf.h src/base/quote.h \
 src/work/checkout_internal.h src/data/limits.h src/graph/entry.h \
 src/base/bytes.h src/data/id.h src/graph/map.h src/graph/nodes.h \
 src/data/hash.h src/graph/refs.h src/data/ident.h src/data/text.h \
 src/odb/env.h src/graph/seq.h src/graph/stage.h src/odb/tmp.h \
 src/work/compare.h src/work/worktree.h src/work/repo.h src/odb/odb.h \
 src/data/codec.h src/data/format.h src/work/config.h src/work/spool.h \
 src/work/xattr.h src/graph/xattr_list.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/base/quote.h:
src/work/checkout_internal.h:
src/data/limits.h:
src/graph/entry.h:
src/base/bytes.h:
src/data/id.h:
src/graph/map.h:
src/graph/nodes.h:
src/data/hash.h:
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
src/work/xattr.h:
src/graph/xattr_list.h:
