/tmp/h-tests/b/fault/obj/t/unit/u_pack.o: t/unit/u_pack.c \
 src/base/banned.h src/base/bytes.h src/base/error.h include/store.h \
 src/data/crc32c.h src/data/hash.h src/data/id.h src/data/limits.h \
 src/odb/pack.h src/base/buf.h src/data/codec.h
src/base/banned.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/crc32c.h:
src/data/hash.h:
src/data/id.h:
src/data/limits.h:
src/odb/pack.h:
src/base/buf.h:
src/data/codec.h:
