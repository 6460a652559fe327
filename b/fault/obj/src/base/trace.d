/tmp/h-tests/b/fault/obj/src/base/trace.o: src/base/trace.c \
 src/base/banned.h src/base/trace.h src/base/clock.h src/base/io.h \
 src/base/buf.h
src/base/banned.h:
src/base/trace.h:
src/base/clock.h:
src/base/io.h:
src/base/buf.h:
