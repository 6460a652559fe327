/tmp/h-tests/b/fault/obj/src/graph/stage_batch.o: src/graph/stage_batch.c \
 src/base/banned.h src/graph/stage_internal.h src/base/buf.h \
 src/base/bytes.h src/data/limits.h src/graph/stage.h src/graph/entry.h \
 src/data/id.h src/odb/env.h src/base/error.h include/store.h \
 src/base/mem.h src/odb/writer.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/data/hash.h src/odb/pack.h
src/base/banned.h:
src/graph/stage_internal.h:
src/base/buf.h:
src/base/bytes.h:
src/data/limits.h:
src/graph/stage.h:
src/graph/entry.h:
src/data/id.h:
src/odb/env.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/odb/writer.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/odb/pack.h:
