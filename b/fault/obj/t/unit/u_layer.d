/tmp/h-tests/b/fault/obj/t/unit/u_layer.o: t/unit/u_layer.c \
 src/base/banned.h src/graph/layer.h src/base/buf.h src/data/id.h \
 src/graph/entry.h src/base/bytes.h t/unit/texts.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/graph/layer.h:
src/base/buf.h:
src/data/id.h:
src/graph/entry.h:
src/base/bytes.h:
t/unit/texts.h:
src/base/error.h:
include/store.h:
