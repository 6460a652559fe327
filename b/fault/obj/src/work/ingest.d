/tmp/h-tests/b/fault/obj/src/work/ingest.o: src/work/ingest.c \
 src/base/banned.h src/work/ingest.h src/base/buf.h src/data/chunker.h \
 src/data/hash.h src/data/id.h src/graph/seq.h src/graph/nodes.h \
 src/graph/stage.h src/graph/entry.h src/base/bytes.h src/odb/env.h \
 src/odb/pack.h src/data/codec.h src/odb/writer.h src/odb/odb.h \
 src/data/format.h src/work/repo.h src/data/ident.h src/data/text.h \
 src/graph/refs.h src/data/limits.h include/store.h src/work/config.h \
 src/work/worktree.h src/base/clock.h src/base/error.h src/base/fault.h \
 src/base/mem.h src/base/pipeline.h src/base/trace.h src/odb/publish.h \
 src/work/stats.h
src/base/banned.h:
src/work/ingest.h:
src/base/buf.h:
src/data/chunker.h:
src/data/hash.h:
src/data/id.h:
src/graph/seq.h:
src/graph/nodes.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/bytes.h:
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
src/data/limits.h:
include/store.h:
src/work/config.h:
src/work/worktree.h:
src/base/clock.h:
src/base/error.h:
src/base/fault.h:
src/base/mem.h:
src/base/pipeline.h:
src/base/trace.h:
src/odb/publish.h:
src/work/stats.h:
