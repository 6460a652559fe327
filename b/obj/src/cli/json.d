/tmp/h-tests/b/obj/src/cli/json.o: src/cli/json.c src/base/banned.h \
 src/cli/json.h include/store.h src/cli/line.h
src/base/banned.h:
src/cli/json.h:
include/store.h:
src/cli/line.h:
