/tmp/h-tests/b/obj/src/work/config.o: src/work/config.c src/base/banned.h \
 src/work/config_internal.h src/work/config.h src/base/buf.h \
 src/base/error.h include/store.h src/base/io.h src/base/mem.h \
 src/base/quote.h
src/base/banned.h:
src/work/config_internal.h:
src/work/config.h:
src/base/buf.h:
src/base/error.h:
include/store.h:
src/base/io.h:
src/base/mem.h:
src/base/quote.h:
