/tmp/h-tests/b/fault/obj/t/unit/u_list.o: t/unit/u_list.c \
 src/base/banned.h t/unit/repo_fixture.h src/base/error.h include/store.h \
 src/graph/commit.h src/base/buf.h src/data/id.h src/data/limits.h \
 src/data/ident.h src/data/text.h src/graph/layer.h src/graph/entry.h \
 src/base/bytes.h src/graph/map.h src/graph/nodes.h src/data/hash.h \
 src/graph/refs.h src/odb/env.h src/graph/seq.h src/odb/publish.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/odb/writer.h \
 src/odb/pack.h src/work/repo.h src/work/config.h
src/base/banned.h:
t/unit/repo_fixture.h:
src/base/error.h:
include/store.h:
src/graph/commit.h:
src/base/buf.h:
src/data/id.h:
src/data/limits.h:
src/data/ident.h:
src/data/text.h:
src/graph/layer.h:
src/graph/entry.h:
src/base/bytes.h:
src/graph/map.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/refs.h:
src/odb/env.h:
src/graph/seq.h:
src/odb/publish.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/repo.h:
src/work/config.h:
