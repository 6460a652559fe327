/tmp/h-tests/b/fault/obj/src/graph/closure.o: src/graph/closure.c \
 src/base/banned.h src/graph/closure.h src/base/bytes.h src/base/error.h \
 include/store.h src/data/hash.h src/data/id.h src/graph/commit.h \
 src/base/buf.h src/data/limits.h src/data/ident.h src/data/text.h \
 src/graph/entry.h src/graph/layer.h src/graph/map.h src/graph/nodes.h \
 src/graph/seq.h src/graph/stage.h src/odb/env.h src/graph/tag.h \
 src/odb/writer.h src/odb/odb.h src/data/codec.h src/data/format.h \
 src/odb/pack.h
src/base/banned.h:
src/graph/closure.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/hash.h:
src/data/id.h:
src/graph/commit.h:
src/base/buf.h:
src/data/limits.h:
src/data/ident.h:
src/data/text.h:
src/graph/entry.h:
src/graph/layer.h:
src/graph/map.h:
src/graph/nodes.h:
src/graph/seq.h:
src/graph/stage.h:
src/odb/env.h:
src/graph/tag.h:
src/odb/writer.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/pack.h:
