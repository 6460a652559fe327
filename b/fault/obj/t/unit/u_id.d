/tmp/h-tests/b/fault/obj/t/unit/u_id.o: t/unit/u_id.c src/base/banned.h \
 src/data/id.h include/store.h
src/base/banned.h:
src/data/id.h:
include/store.h:
