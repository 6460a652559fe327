/tmp/h-tests/b/obj/src/odb/odb.o: src/odb/odb.c src/base/banned.h \
 src/odb/odb_internal.h src/odb/cache.h src/base/buf.h src/odb/odb.h \
 src/data/codec.h src/data/format.h src/data/hash.h src/data/id.h \
 src/odb/env.h src/base/bytes.h src/base/clock.h src/base/error.h \
 include/store.h src/base/io.h src/base/owner.h src/base/trace.h \
 src/odb/tmp.h
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
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/owner.h:
src/base/trace.h:
src/odb/tmp.h:
