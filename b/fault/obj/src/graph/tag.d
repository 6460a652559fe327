/tmp/h-tests/b/fault/obj/src/graph/tag.o: src/graph/tag.c \
 src/base/banned.h src/graph/tag.h src/base/buf.h src/data/id.h \
 src/data/ident.h src/data/text.h src/base/error.h include/store.h \
 src/data/limits.h src/data/refname.h
src/base/banned.h:
src/graph/tag.h:
src/base/buf.h:
src/data/id.h:
src/data/ident.h:
src/data/text.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/data/refname.h:
