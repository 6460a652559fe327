/tmp/h-tests/b/fault/obj/t/unit/u_stage.o: t/unit/u_stage.c \
 src/base/banned.h src/base/error.h include/store.h src/graph/stage.h \
 src/graph/entry.h src/base/buf.h src/base/bytes.h src/data/id.h \
 src/odb/env.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/graph/stage.h:
src/graph/entry.h:
src/base/buf.h:
src/base/bytes.h:
src/data/id.h:
src/odb/env.h:
