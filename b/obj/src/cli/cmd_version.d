/tmp/h-tests/b/obj/src/cli/cmd_version.o: src/cli/cmd_version.c \
 src/base/banned.h src/cli/cli.h include/store.h src/cli/options.h \
 src/cli/line.h src/cli/json.h src/cli/output.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/json.h:
src/cli/output.h:
