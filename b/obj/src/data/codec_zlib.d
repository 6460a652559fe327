/tmp/h-tests/b/obj/src/data/codec_zlib.o: src/data/codec_zlib.c \
 src/base/banned.h src/data/codec_internal.h src/base/error.h \
 include/store.h
src/base/banned.h:
src/data/codec_internal.h:
src/base/error.h:
include/store.h:
