/tmp/h-tests/b/fault/obj/src/graph/layer.o: src/graph/layer.c \
 src/base/banned.h src/graph/layer.h src/base/buf.h src/data/id.h \
 src/graph/entry.h src/base/bytes.h src/base/error.h include/store.h \
 src/data/text.h
src/base/banned.h:
src/graph/layer.h:
src/base/buf.h:
src/data/id.h:
src/graph/entry.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/text.h:
