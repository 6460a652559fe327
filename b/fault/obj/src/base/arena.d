/tmp/h-tests/b/fault/obj/src/base/arena.o: src/base/arena.c \
 src/base/banned.h src/base/arena.h src/base/fault.h
src/base/banned.h:
src/base/arena.h:
src/base/fault.h:
