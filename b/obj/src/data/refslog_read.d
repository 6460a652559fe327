/tmp/h-tests/b/obj/src/data/refslog_read.o: src/data/refslog_read.c \
 src/base/banned.h src/data/refslog_internal.h src/data/refslog.h \
 src/base/buf.h src/data/hash.h src/data/id.h src/data/ident.h \
 src/data/text.h src/base/error.h include/store.h src/base/io.h \
 src/base/mem.h
src/base/banned.h:
src/data/refslog_internal.h:
src/data/refslog.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/data/ident.h:
src/data/text.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/mem.h:
