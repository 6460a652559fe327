/tmp/h-tests/b/obj/src/data/codec.o: src/data/codec.c src/base/banned.h \
 src/data/codec.h src/base/bytes.h src/base/error.h include/store.h \
 src/data/codec_internal.h src/data/limits.h
src/base/banned.h:
src/data/codec.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/codec_internal.h:
src/data/limits.h:
