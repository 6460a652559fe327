/tmp/h-tests/b/fault/obj/src/work/add_walk.o: src/work/add_walk.c \
 src/base/banned.h src/base/clock.h src/base/error.h include/store.h \
 src/base/fault.h src/base/io.h src/base/buf.h src/base/mem.h \
 src/base/pipeline.h src/base/trace.h src/work/add_internal.h \
 src/work/compare.h src/data/hash.h src/data/id.h src/graph/nodes.h \
 src/graph/stage.h src/graph/entry.h src/base/bytes.h src/odb/env.h \
 src/work/worktree.h src/work/ingest.h src/data/chunker.h src/graph/seq.h \
 src/odb/pack.h src/data/codec.h src/odb/writer.h src/odb/odb.h \
 src/data/format.h src/work/repo.h src/data/ident.h src/data/text.h \
 src/graph/refs.h src/data/limits.h src/work/config.h src/work/leftover.h
src/base/banned.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/buf.h:
src/base/mem.h:
src/base/pipeline.h:
src/base/trace.h:
src/work/add_internal.h:
src/work/compare.h:
src/data/hash.h:
src/data/id.h:
src/graph/nodes.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/bytes.h:
src/odb/env.h:
src/work/worktree.h:
src/work/ingest.h:
src/data/chunker.h:
src/graph/seq.h:
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
src/work/config.h:
src/work/leftover.h:
