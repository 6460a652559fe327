/tmp/h-tests/b/fault/obj/src/graph/commit.o: src/graph/commit.c \
 src/base/banned.h src/graph/commit.h src/base/buf.h src/data/id.h \
 src/data/limits.h src/data/ident.h src/data/text.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/graph/commit.h:
src/base/buf.h:
src/data/id.h:
src/data/limits.h:
src/data/ident.h:
src/data/text.h:
src/base/error.h:
include/store.h:
