/tmp/h-tests/b/fault/obj/t/unit/u_format.o: t/unit/u_format.c \
 src/base/banned.h src/data/format.h src/base/buf.h src/data/hash.h \
 src/data/id.h t/unit/texts.h src/base/error.h include/store.h
src/base/banned.h:
src/data/format.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
t/unit/texts.h:
src/base/error.h:
include/store.h:
