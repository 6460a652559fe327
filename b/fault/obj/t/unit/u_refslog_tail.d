/tmp/h-tests/b/fault/obj/t/unit/u_refslog_tail.o: t/unit/u_refslog_tail.c \
 src/base/banned.h src/base/error.h include/store.h src/base/io.h \
 src/base/buf.h src/data/refslog.h src/data/hash.h src/data/id.h \
 src/data/ident.h src/data/text.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/buf.h:
src/data/refslog.h:
src/data/hash.h:
src/data/id.h:
src/data/ident.h:
src/data/text.h:
