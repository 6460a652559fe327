/tmp/h-tests/b/fault/obj/src/work/ingest_meta.o: src/work/ingest_meta.c \
 src/base/banned.h src/base/error.h include/store.h src/data/limits.h \
 src/graph/entry.h src/base/buf.h src/base/bytes.h src/data/id.h \
 src/work/ingest.h src/data/chunker.h src/data/hash.h src/graph/seq.h \
 src/graph/nodes.h src/graph/stage.h src/odb/env.h src/odb/pack.h \
 src/data/codec.h src/odb/writer.h src/odb/odb.h src/data/format.h \
 src/work/repo.h src/data/ident.h src/data/text.h src/graph/refs.h \
 src/work/config.h src/work/worktree.h src/work/xattr.h \
 src/graph/xattr_list.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/work/ingest.h:
src/data/chunker.h:
src/data/hash.h:
src/graph/seq.h:
src/graph/nodes.h:
src/graph/stage.h:
src/odb/env.h:
src/odb/pack.h:
src/data/codec.h:
src/odb/writer.h:
src/odb/odb.h:
src/data/format.h:
src/work/repo.h:
src/data/ident.h:
src/data/text.h:
src/graph/refs.h:
src/work/config.h:
src/work/worktree.h:
src/work/xattr.h:
src/graph/xattr_list.h:
