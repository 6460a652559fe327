/tmp/h-tests/b/obj/src/base/nearest.o: src/base/nearest.c \
 src/base/banned.h src/base/nearest.h
src/base/banned.h:
src/base/nearest.h:
