/tmp/h-tests/b/fault/obj/src/base/pipeline.o: src/base/pipeline.c \
 src/base/banned.h src/base/pipeline.h src/base/clock.h src/base/error.h \
 include/store.h src/base/fault.h src/base/mem.h src/base/trace.h
src/base/banned.h:
src/base/pipeline.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/mem.h:
src/base/trace.h:
