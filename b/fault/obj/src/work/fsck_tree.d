/tmp/h-tests/b/fault/obj/src/work/fsck_tree.o: src/work/fsck_tree.c \
 src/base/banned.h src/base/error.h include/store.h src/base/mem.h \
 src/data/hash.h src/data/id.h src/graph/commit.h src/base/buf.h \
 src/data/limits.h src/data/ident.h src/data/text.h src/graph/layer.h \
 src/graph/entry.h src/base/bytes.h src/graph/xattr_list.h \
 src/work/fsck_internal.h src/graph/map.h src/graph/nodes.h \
 src/graph/seq.h src/odb/pack.h src/data/codec.h src/work/repo.h \
 src/graph/refs.h src/odb/env.h src/odb/odb.h src/data/format.h \
 src/work/config.h src/work/view_internal.h src/graph/rev.h \
 src/base/nearest.h src/graph/stage.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/hash.h:
src/data/id.h:
src/graph/commit.h:
src/base/buf.h:
src/data/limits.h:
src/data/ident.h:
src/data/text.h:
src/graph/layer.h:
src/graph/entry.h:
src/base/bytes.h:
src/graph/xattr_list.h:
src/work/fsck_internal.h:
src/graph/map.h:
src/graph/nodes.h:
src/graph/seq.h:
src/odb/pack.h:
src/data/codec.h:
src/work/repo.h:
src/graph/refs.h:
src/odb/env.h:
src/odb/odb.h:
src/data/format.h:
src/work/config.h:
src/work/view_internal.h:
src/graph/rev.h:
src/base/nearest.h:
src/graph/stage.h:
