/tmp/h-tests/b/fault/obj/t/unit/u_bytes.o: t/unit/u_bytes.c \
 src/base/banned.h src/base/bytes.h
src/base/banned.h:
src/base/bytes.h:
