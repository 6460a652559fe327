/tmp/h-tests/b/fault/obj/src/work/fsck_paths.o: src/work/fsck_paths.c \
 src/base/banned.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/mem.h src/data/crc32c.h src/data/hash.h src/data/id.h \
 src/graph/refs.h src/data/ident.h src/base/buf.h src/data/text.h \
 src/data/limits.h src/odb/env.h src/work/fsck_internal.h \
 src/graph/entry.h src/graph/map.h src/graph/nodes.h src/graph/seq.h \
 src/odb/pack.h src/data/codec.h src/work/repo.h src/odb/odb.h \
 src/data/format.h src/work/config.h src/work/view_internal.h \
 src/graph/layer.h src/graph/rev.h src/base/nearest.h src/graph/commit.h \
 src/graph/stage.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/crc32c.h:
src/data/hash.h:
src/data/id.h:
src/graph/refs.h:
src/data/ident.h:
src/base/buf.h:
src/data/text.h:
src/data/limits.h:
src/odb/env.h:
src/work/fsck_internal.h:
src/graph/entry.h:
src/graph/map.h:
src/graph/nodes.h:
src/graph/seq.h:
src/odb/pack.h:
src/data/codec.h:
src/work/repo.h:
src/odb/odb.h:
src/data/format.h:
src/work/config.h:
src/work/view_internal.h:
src/graph/layer.h:
src/graph/rev.h:
src/base/nearest.h:
src/graph/commit.h:
src/graph/stage.h:
