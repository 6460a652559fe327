/tmp/h-tests/b/fault/obj/src/cli/cmd_help.o: src/cli/cmd_help.c \
 src/base/banned.h src/cli/cli.h include/store.h src/cli/options.h \
 src/cli/line.h src/cli/output.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/output.h:
