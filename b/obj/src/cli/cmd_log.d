/tmp/h-tests/b/obj/src/cli/cmd_log.o: src/cli/cmd_log.c src/base/banned.h \
 src/cli/cli.h include/store.h src/cli/options.h src/cli/line.h \
 src/cli/json.h src/cli/output.h src/cli/pager.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/json.h:
src/cli/output.h:
src/cli/pager.h:
