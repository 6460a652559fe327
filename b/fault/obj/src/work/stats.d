/tmp/h-tests/b/fault/obj/src/work/stats.o: src/work/stats.c \
 src/base/banned.h src/work/stats.h src/base/io.h src/base/buf.h \
 src/base/error.h include/store.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/data/hash.h src/data/id.h src/odb/env.h \
 src/work/repo.h src/data/ident.h src/data/text.h src/graph/nodes.h \
 src/graph/refs.h src/data/limits.h src/work/config.h
src/base/banned.h:
src/work/stats.h:
src/base/io.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/data/hash.h:
src/data/id.h:
src/odb/env.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/nodes.h:
src/graph/refs.h:
src/data/limits.h:
src/work/config.h:
