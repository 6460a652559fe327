/tmp/h-tests/b/obj/src/cli/output.o: src/cli/output.c src/base/banned.h \
 src/cli/output.h src/cli/cli.h include/store.h src/cli/options.h \
 src/cli/line.h src/cli/json.h src/cli/progress.h
src/base/banned.h:
src/cli/output.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/json.h:
src/cli/progress.h:
