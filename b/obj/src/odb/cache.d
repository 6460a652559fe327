/tmp/h-tests/b/obj/src/odb/cache.o: src/odb/cache.c src/base/banned.h \
 src/odb/cache.h src/base/buf.h src/base/io.h
src/base/banned.h:
src/odb/cache.h:
src/base/buf.h:
src/base/io.h:
