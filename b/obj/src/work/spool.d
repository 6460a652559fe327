/tmp/h-tests/b/obj/src/work/spool.o: src/work/spool.c src/base/banned.h \
 src/work/spool.h src/base/buf.h src/base/bytes.h src/base/error.h \
 include/store.h src/base/io.h src/odb/tmp.h
src/base/banned.h:
src/work/spool.h:
src/base/buf.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/odb/tmp.h:
