/tmp/h-tests/b/fault/obj/src/odb/odb_read.o: src/odb/odb_read.c \
 src/base/banned.h src/odb/odb_internal.h src/odb/cache.h src/base/buf.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/data/hash.h \
 src/data/id.h src/odb/env.h src/base/bytes.h src/base/error.h \
 include/store.h src/base/fault.h src/base/io.h src/base/trace.h \
 src/data/limits.h src/odb/pack.h
src/base/banned.h:
src/odb/odb_internal.h:
src/odb/cache.h:
src/base/buf.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/data/id.h:
src/odb/env.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/trace.h:
src/data/limits.h:
src/odb/pack.h:
