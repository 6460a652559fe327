/tmp/h-tests/b/fault/obj/src/base/owner.o: src/base/owner.c \
 src/base/banned.h src/base/owner.h
src/base/banned.h:
src/base/owner.h:
