/tmp/h-tests/b/fault/obj/t/unit/u_cache.o: t/unit/u_cache.c \
 src/base/banned.h src/odb/cache.h src/base/buf.h
src/base/banned.h:
src/odb/cache.h:
src/base/buf.h:
