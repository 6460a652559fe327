/tmp/h-tests/b/fault/obj/src/work/fsck.o: src/work/fsck.c \
 src/base/banned.h src/base/bytes.h src/base/clock.h src/base/error.h \
 include/store.h src/base/io.h src/base/buf.h src/base/mem.h \
 src/odb/publish.h src/odb/env.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/data/hash.h src/data/id.h src/odb/writer.h \
 src/odb/pack.h src/work/fsck_internal.h src/graph/entry.h \
 src/graph/map.h src/graph/nodes.h src/graph/seq.h src/work/repo.h \
 src/data/ident.h src/data/text.h src/graph/refs.h src/data/limits.h \
 src/work/config.h src/work/stats.h
src/base/banned.h:
src/base/bytes.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/base/mem.h:
src/odb/publish.h:
src/odb/env.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/data/id.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/fsck_internal.h:
src/graph/entry.h:
src/graph/map.h:
src/graph/nodes.h:
src/graph/seq.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/refs.h:
src/data/limits.h:
src/work/config.h:
src/work/stats.h:
