/tmp/h-tests/b/fault/obj/src/data/crc32c.o: src/data/crc32c.c \
 src/base/banned.h src/data/crc32c.h src/base/bytes.h \
 src/data/crc32c_internal.h
src/base/banned.h:
src/data/crc32c.h:
src/base/bytes.h:
src/data/crc32c_internal.h:
