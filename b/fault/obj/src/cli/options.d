/tmp/h-tests/b/fault/obj/src/cli/options.o: src/cli/options.c \
 src/base/banned.h src/cli/options.h src/cli/line.h include/store.h
src/base/banned.h:
src/cli/options.h:
src/cli/line.h:
include/store.h:
