/tmp/h-tests/b/fault/obj/src/cli/line.o: src/cli/line.c src/base/banned.h \
 src/cli/line.h include/store.h
src/base/banned.h:
src/cli/line.h:
include/store.h:
