/tmp/h-tests/b/fault/obj/src/graph/refs.o: src/graph/refs.c \
 src/base/banned.h src/graph/refs.h src/data/id.h src/data/ident.h \
 src/base/buf.h src/data/text.h src/data/limits.h src/odb/env.h \
 src/base/bytes.h src/base/error.h include/store.h src/data/refslog.h \
 src/data/hash.h
src/base/banned.h:
src/graph/refs.h:
src/data/id.h:
src/data/ident.h:
src/base/buf.h:
src/data/text.h:
src/data/limits.h:
src/odb/env.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/refslog.h:
src/data/hash.h:
