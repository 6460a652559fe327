/tmp/h-tests/b/fault/obj/t/unit/u_config.o: t/unit/u_config.c \
 src/base/banned.h src/base/error.h include/store.h \
 src/work/config_internal.h src/work/config.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/work/config_internal.h:
src/work/config.h:
