/tmp/h-tests/b/fault/obj/t/unit/u_refslog.o: t/unit/u_refslog.c \
 src/base/banned.h src/base/io.h src/base/buf.h src/data/refslog.h \
 src/data/hash.h src/data/id.h src/data/ident.h src/data/text.h \
 t/unit/texts.h src/base/error.h include/store.h
src/base/banned.h:
src/base/io.h:
src/base/buf.h:
src/data/refslog.h:
src/data/hash.h:
src/data/id.h:
src/data/ident.h:
src/data/text.h:
t/unit/texts.h:
src/base/error.h:
include/store.h:
