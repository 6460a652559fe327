/tmp/h-tests/b/obj/src/base/clock.o: src/base/clock.c src/base/banned.h \
 src/base/clock.h
src/base/banned.h:
src/base/clock.h:
