/tmp/h-tests/b/fault/obj/t/unit/u_codec.o: t/unit/u_codec.c \
 src/base/banned.h src/data/codec.h src/data/limits.h include/store.h
src/base/banned.h:
src/data/codec.h:
src/data/limits.h:
include/store.h:
