/tmp/h-tests/b/fault/obj/src/work/settle.o: src/work/settle.c \
 src/base/banned.h src/work/settle.h src/graph/build.h src/graph/entry.h \
 src/base/buf.h src/base/bytes.h src/data/id.h src/graph/nodes.h \
 src/data/hash.h src/graph/stage.h src/odb/env.h src/work/spool.h \
 src/base/error.h include/store.h src/graph/stage_internal.h \
 src/data/limits.h
src/base/banned.h:
src/work/settle.h:
src/graph/build.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/graph/nodes.h:
src/data/hash.h:
src/graph/stage.h:
src/odb/env.h:
src/work/spool.h:
src/base/error.h:
include/store.h:
src/graph/stage_internal.h:
src/data/limits.h:
