/tmp/h-tests/b/fault/obj/src/odb/pack.o: src/odb/pack.c src/base/banned.h \
 src/odb/pack.h src/base/buf.h src/data/codec.h src/data/id.h \
 src/base/bytes.h src/base/error.h include/store.h src/base/mem.h \
 src/data/crc32c.h src/data/hash.h src/data/limits.h
src/base/banned.h:
src/odb/pack.h:
src/base/buf.h:
src/data/codec.h:
src/data/id.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
src/data/crc32c.h:
src/data/hash.h:
src/data/limits.h:
