/tmp/h-tests/b/fault/obj/src/work/config_value.o: src/work/config_value.c \
 src/base/banned.h src/work/config_internal.h src/work/config.h \
 src/base/bytes.h src/base/error.h include/store.h src/base/quote.h \
 src/base/buf.h
src/base/banned.h:
src/work/config_internal.h:
src/work/config.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/base/quote.h:
src/base/buf.h:
