/tmp/h-tests/b/obj/src/work/discover.o: src/work/discover.c \
 src/base/banned.h src/base/buf.h src/base/error.h include/store.h \
 src/base/io.h src/base/quote.h src/work/repo_internal.h \
 src/work/config_internal.h src/work/config.h src/work/repo.h \
 src/data/ident.h src/data/text.h src/data/id.h src/graph/nodes.h \
 src/data/hash.h src/graph/refs.h src/data/limits.h src/odb/env.h \
 src/odb/odb.h src/data/codec.h src/data/format.h
src/base/banned.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/quote.h:
src/work/repo_internal.h:
src/work/config_internal.h:
src/work/config.h:
src/work/repo.h:
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
