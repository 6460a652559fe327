/tmp/h-tests/b/obj/src/cli/progress.o: src/cli/progress.c \
 src/base/banned.h src/cli/progress.h include/store.h src/cli/cli.h \
 src/cli/options.h src/cli/line.h src/cli/json.h src/cli/output.h
src/base/banned.h:
src/cli/progress.h:
include/store.h:
src/cli/cli.h:
src/cli/options.h:
src/cli/line.h:
src/cli/json.h:
src/cli/output.h:
