/tmp/h-tests/b/obj/src/odb/tmp.o: src/odb/tmp.c src/base/banned.h \
 src/odb/tmp.h src/base/error.h include/store.h src/base/fault.h \
 src/base/io.h src/base/buf.h src/base/owner.h src/base/trace.h \
 src/data/hash.h src/data/id.h
src/base/banned.h:
src/odb/tmp.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/buf.h:
src/base/owner.h:
src/base/trace.h:
src/data/hash.h:
src/data/id.h:
