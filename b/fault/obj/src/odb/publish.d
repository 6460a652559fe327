/tmp/h-tests/b/fault/obj/src/odb/publish.o: src/odb/publish.c \
 src/base/banned.h src/odb/publish.h src/odb/env.h src/odb/odb.h \
 src/base/buf.h src/data/codec.h src/data/format.h src/data/hash.h \
 src/data/id.h src/odb/writer.h src/odb/pack.h src/base/bytes.h \
 src/base/error.h include/store.h src/base/fault.h src/base/io.h \
 src/base/trace.h src/data/refslog.h src/data/ident.h src/data/text.h \
 src/odb/writer_internal.h src/odb/odb_internal.h src/odb/cache.h \
 src/odb/pack_write.h src/odb/tmp.h src/odb/pending.h
src/base/banned.h:
src/odb/publish.h:
src/odb/env.h:
src/odb/odb.h:
src/base/buf.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/data/id.h:
src/odb/writer.h:
src/odb/pack.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/trace.h:
src/data/refslog.h:
src/data/ident.h:
src/data/text.h:
src/odb/writer_internal.h:
src/odb/odb_internal.h:
src/odb/cache.h:
src/odb/pack_write.h:
src/odb/tmp.h:
src/odb/pending.h:
