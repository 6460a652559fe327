/tmp/h-tests/b/obj/src/work/init_format.o: src/work/init_format.c \
 src/base/banned.h src/work/init_internal.h src/data/format.h \
 src/base/buf.h src/data/hash.h src/data/id.h src/work/config_internal.h \
 src/work/config.h src/base/error.h include/store.h
src/base/banned.h:
src/work/init_internal.h:
src/data/format.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/work/config_internal.h:
src/work/config.h:
src/base/error.h:
include/store.h:
