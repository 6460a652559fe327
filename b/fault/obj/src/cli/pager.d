/tmp/h-tests/b/fault/obj/src/cli/pager.o: src/cli/pager.c \
 src/base/banned.h src/cli/pager.h src/cli/cli.h include/store.h \
 src/cli/options.h src/cli/line.h src/cli/output.h
src/base/banned.h:
src/cli/pager.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/output.h:
