/tmp/h-tests/b/obj/src/base/fault.o: src/base/fault.c src/base/banned.h
src/base/banned.h:
