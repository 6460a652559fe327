/tmp/h-tests/b/obj/src/work/leftover.o: src/work/leftover.c \
 src/base/banned.h src/work/leftover.h src/base/io.h src/base/buf.h \
 src/base/trace.h src/odb/tmp.h
src/base/banned.h:
src/work/leftover.h:
src/base/io.h:
src/base/buf.h:
src/base/trace.h:
src/odb/tmp.h:
