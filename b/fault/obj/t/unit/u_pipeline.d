/tmp/h-tests/b/fault/obj/t/unit/u_pipeline.o: t/unit/u_pipeline.c \
 src/base/banned.h src/base/clock.h src/base/error.h include/store.h \
 src/base/fault.h src/base/pipeline.h
src/base/banned.h:
src/base/clock.h:
src/base/error.h:
include/store.h:
src/base/fault.h:
src/base/pipeline.h:
