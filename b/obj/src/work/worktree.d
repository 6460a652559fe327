/tmp/h-tests/b/obj/src/work/worktree.o: src/work/worktree.c \
 src/base/banned.h src/work/worktree.h src/base/buf.h src/graph/stage.h \
 src/graph/entry.h src/base/bytes.h src/data/id.h src/odb/env.h \
 src/base/clock.h src/base/error.h include/store.h src/base/fault.h \
 src/base/io.h src/base/mem.h src/base/quote.h src/base/trace.h \
 src/data/limits.h src/work/leftover.h
src/base/banned.h:
src/work/worktree.h:
src/base/buf.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/bytes.h:
src/data/id.h:
src/odb/env.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/io.h:
src/base/mem.h:
src/base/quote.h:
src/base/trace.h:
src/data/limits.h:
src/work/leftover.h:
