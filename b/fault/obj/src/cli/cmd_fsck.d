/tmp/h-tests/b/fault/obj/src/cli/cmd_fsck.o: src/cli/cmd_fsck.c \
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
