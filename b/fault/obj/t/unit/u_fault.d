/tmp/h-tests/b/fault/obj/t/unit/u_fault.o: t/unit/u_fault.c \
 src/base/banned.h src/base/fault.h
src/base/banned.h:
src/base/fault.h:
