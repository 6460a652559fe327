/tmp/h-tests/b/fault/obj/src/work/init.o: src/work/init.c \
 src/base/banned.h src/base/buf.h src/base/error.h include/store.h \
 src/base/io.h src/base/owner.h src/base/quote.h src/data/hash.h \
 src/data/id.h src/data/refname.h src/data/refslog.h src/data/ident.h \
 src/data/text.h src/graph/stage.h src/graph/entry.h src/base/bytes.h \
 src/odb/env.h src/odb/publish.h src/odb/odb.h src/data/codec.h \
 src/data/format.h src/odb/writer.h src/odb/pack.h \
 src/work/init_internal.h src/work/config_internal.h src/work/config.h \
 src/work/repo_internal.h src/work/repo.h src/graph/nodes.h \
 src/graph/refs.h src/data/limits.h
src/base/banned.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/owner.h:
src/base/quote.h:
src/data/hash.h:
src/data/id.h:
src/data/refname.h:
src/data/refslog.h:
src/data/ident.h:
src/data/text.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/bytes.h:
src/odb/env.h:
src/odb/publish.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/writer.h:
src/odb/pack.h:
src/work/init_internal.h:
src/work/config_internal.h:
src/work/config.h:
src/work/repo_internal.h:
src/work/repo.h:
src/graph/nodes.h:
src/graph/refs.h:
src/data/limits.h:
