/tmp/h-tests/b/fault/obj/t/unit/u_identity.o: t/unit/u_identity.c \
 src/base/banned.h src/base/error.h include/store.h src/work/repo.h \
 src/base/buf.h src/data/ident.h src/data/text.h src/data/id.h \
 src/graph/nodes.h src/data/hash.h src/graph/refs.h src/data/limits.h \
 src/odb/env.h src/odb/odb.h src/data/codec.h src/data/format.h \
 src/work/config.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/work/repo.h:
src/base/buf.h:
src/data/ident.h:
src/data/text.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/refs.h:
src/data/limits.h:
src/odb/env.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/work/config.h:
