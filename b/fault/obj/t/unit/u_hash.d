/tmp/h-tests/b/fault/obj/t/unit/u_hash.o: t/unit/u_hash.c \
 src/base/banned.h src/base/bytes.h src/data/hash.h src/data/id.h
src/base/banned.h:
src/base/bytes.h:
src/data/hash.h:
src/data/id.h:
