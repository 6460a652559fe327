/tmp/h-tests/b/fault/obj/t/unit/u_pack_write.o: t/unit/u_pack_write.c \
 src/base/banned.h src/base/error.h include/store.h src/base/fault.h \
 src/base/io.h src/base/buf.h src/data/hash.h src/data/id.h \
 src/odb/pack_write.h src/odb/pack.h src/data/codec.h src/odb/tmp.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/odb/pack_write.h:
src/odb/pack.h:
src/data/codec.h:
src/odb/tmp.h:
