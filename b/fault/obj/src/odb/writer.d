/tmp/h-tests/b/fault/obj/src/odb/writer.o: src/odb/writer.c \
 src/base/banned.h src/odb/writer_internal.h src/data/hash.h \
 src/data/id.h src/odb/odb_internal.h src/odb/cache.h src/base/buf.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/odb/env.h \
 src/odb/pack_write.h src/odb/pack.h src/odb/tmp.h src/odb/pending.h \
 src/odb/writer.h src/base/bytes.h src/base/error.h include/store.h \
 src/base/io.h src/base/trace.h src/data/limits.h
src/base/banned.h:
src/odb/writer_internal.h:
src/data/hash.h:
src/data/id.h:
src/odb/odb_internal.h:
src/odb/cache.h:
src/base/buf.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/env.h:
src/odb/pack_write.h:
src/odb/pack.h:
src/odb/tmp.h:
src/odb/pending.h:
src/odb/writer.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/trace.h:
src/data/limits.h:
