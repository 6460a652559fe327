/tmp/h-tests/b/obj/src/data/codec_zstd.o: src/data/codec_zstd.c \
 src/base/banned.h src/data/codec_internal.h src/base/bytes.h \
 src/base/error.h include/store.h
src/base/banned.h:
src/data/codec_internal.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
