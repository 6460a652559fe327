/tmp/h-tests/b/fault/obj/src/cli/cmd_cat.o: src/cli/cmd_cat.c \
 src/base/banned.h src/cli/cli.h include/store.h src/cli/options.h \
 src/cli/line.h src/cli/output.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/output.h:
