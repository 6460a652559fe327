/tmp/h-tests/b/fault/obj/src/work/compare.o: src/work/compare.c \
 src/base/banned.h src/work/compare.h src/data/hash.h src/data/id.h \
 src/graph/nodes.h src/base/buf.h src/graph/stage.h src/graph/entry.h \
 src/base/bytes.h src/odb/env.h src/work/worktree.h src/base/error.h \
 include/store.h src/base/fault.h src/base/io.h src/base/quote.h \
 src/base/trace.h src/graph/seq.h src/work/repo.h src/data/ident.h \
 src/data/text.h src/graph/refs.h src/data/limits.h src/odb/odb.h \
 src/data/codec.h src/data/format.h src/work/config.h src/work/xattr.h \
 src/graph/xattr_list.h
src/base/banned.h:
src/work/compare.h:
src/data/hash.h:
src/data/id.h:
src/graph/nodes.h:
src/base/buf.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/bytes.h:
src/odb/env.h:
src/work/worktree.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/quote.h:
src/base/trace.h:
src/graph/seq.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/refs.h:
src/data/limits.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
src/work/xattr.h:
src/graph/xattr_list.h:
