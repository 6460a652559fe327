/tmp/h-tests/b/fault/obj/src/work/fsck_stage.o: src/work/fsck_stage.c \
 src/base/banned.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/mem.h src/graph/stage.h src/graph/entry.h src/base/buf.h \
 src/data/id.h src/odb/env.h src/work/fsck_internal.h src/graph/map.h \
 src/graph/nodes.h src/data/hash.h src/graph/seq.h src/odb/pack.h \
 src/data/codec.h src/work/repo.h src/data/ident.h src/data/text.h \
 src/graph/refs.h src/data/limits.h src/odb/odb.h src/data/format.h \
 src/work/config.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/buf.h:
src/data/id.h:
src/odb/env.h:
src/work/fsck_internal.h:
src/graph/map.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/seq.h:
src/odb/pack.h:
src/data/codec.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/refs.h:
src/data/limits.h:
src/odb/odb.h:
src/data/format.h:
src/work/config.h:
