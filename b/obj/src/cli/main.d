/tmp/h-tests/b/obj/src/cli/main.o: src/cli/main.c src/base/banned.h \
 src/cli/cli.h include/store.h src/cli/options.h src/cli/line.h \
 src/cli/output.h src/cli/json.h src/cli/pager.h src/cli/progress.h
src/base/banned.h:
src/cli/cli.h:
include/store.h:
src/cli/options.h:
src/cli/line.h:
src/cli/output.h:
src/cli/json.h:
src/cli/pager.h:
src/cli/progress.h:
