/tmp/h-tests/b/fault/obj/src/base/fault.o: src/base/fault.c \
 src/base/banned.h src/base/fault.h
src/base/banned.h:
src/base/fault.h:
