/tmp/h-tests/b/fault/obj/src/work/config_keys.o: src/work/config_keys.c \
 src/base/banned.h src/work/config_internal.h src/work/config.h \
 src/base/error.h include/store.h src/base/nearest.h src/base/quote.h \
 src/base/buf.h
src/base/banned.h:
src/work/config_internal.h:
src/work/config.h:
src/base/error.h:
include/store.h:
src/base/nearest.h:
src/base/quote.h:
src/base/buf.h:
