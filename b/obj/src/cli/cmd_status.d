/tmp/h-tests/b/obj/src/cli/cmd_status.o: src/cli/cmd_status.c \
 src/base/banned.h src/cli/cli.h include/store.h src/cli/options.h \
 src/cli/line.h src/cli/json.h src/cli/output.h src/cli/progress.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/json.h:
src/cli/output.h:
src/cli/progress.h:
