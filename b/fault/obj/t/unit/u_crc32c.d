/tmp/h-tests/b/fault/obj/t/unit/u_crc32c.o: t/unit/u_crc32c.c \
 src/base/banned.h src/data/crc32c.h src/data/crc32c_internal.h
src/base/banned.h:
src/data/crc32c.h:
src/data/crc32c_internal.h:
