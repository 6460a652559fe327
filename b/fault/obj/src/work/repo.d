/tmp/h-tests/b/fault/obj/src/work/repo.o: src/work/repo.c \
 src/base/banned.h src/work/repo.h src/base/buf.h src/data/ident.h \
 src/data/text.h src/data/id.h src/graph/nodes.h src/data/hash.h \
 src/graph/refs.h src/data/limits.h src/odb/env.h src/odb/odb.h \
 src/data/codec.h src/data/format.h include/store.h src/work/config.h \
 src/base/error.h src/base/io.h src/base/quote.h src/data/refslog.h \
 src/graph/closure.h src/graph/rev.h src/base/nearest.h \
 src/graph/commit.h src/graph/layer.h src/graph/entry.h src/base/bytes.h \
 src/odb/publish.h src/odb/writer.h src/odb/pack.h \
 src/work/repo_internal.h src/work/config_internal.h
src/base/banned.h:
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
include/store.h:
src/work/config.h:
src/base/error.h:
src/base/io.h:
src/base/quote.h:
src/data/refslog.h:
src/graph/closure.h:
src/graph/rev.h:
src/base/nearest.h:
src/graph/commit.h:
src/graph/layer.h:
src/graph/entry.h:
src/base/bytes.h:
src/odb/publish.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/repo_internal.h:
src/work/config_internal.h:
