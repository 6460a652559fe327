/tmp/h-tests/b/fault/obj/t/unit/u_text.o: t/unit/u_text.c \
 src/base/banned.h src/data/limits.h src/data/ident.h src/base/buf.h \
 src/data/text.h src/data/id.h t/unit/texts.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/data/limits.h:
src/data/ident.h:
src/base/buf.h:
src/data/text.h:
src/data/id.h:
t/unit/texts.h:
src/base/error.h:
include/store.h:
