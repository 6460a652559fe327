/tmp/h-tests/b/obj/src/odb/pending.o: src/odb/pending.c src/base/banned.h \
 src/odb/pending.h src/data/id.h src/odb/odb.h src/base/buf.h \
 src/data/codec.h src/data/format.h src/data/hash.h src/odb/env.h \
 src/base/error.h include/store.h src/base/mem.h
src/base/banned.h:
src/odb/pending.h:
src/data/id.h:
src/odb/odb.h:
src/base/buf.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/odb/env.h:
src/base/error.h:
include/store.h:
src/base/mem.h:
