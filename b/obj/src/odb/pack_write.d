/tmp/h-tests/b/obj/src/odb/pack_write.o: src/odb/pack_write.c \
 src/base/banned.h src/odb/pack_write.h src/odb/pack.h src/base/buf.h \
 src/data/codec.h src/data/id.h src/odb/tmp.h src/base/bytes.h \
 src/base/error.h include/store.h src/base/fault.h src/base/io.h \
 src/base/mem.h src/base/trace.h src/data/hash.h src/data/limits.h
src/base/banned.h:
src/odb/pack_write.h:
src/odb/pack.h:
src/base/buf.h:
src/data/codec.h:
src/data/id.h:
src/odb/tmp.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/mem.h:
src/base/trace.h:
src/data/hash.h:
src/data/limits.h:
