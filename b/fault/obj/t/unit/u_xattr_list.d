/tmp/h-tests/b/fault/obj/t/unit/u_xattr_list.o: t/unit/u_xattr_list.c \
 src/base/banned.h src/base/error.h include/store.h src/data/limits.h \
 src/graph/xattr_list.h src/base/buf.h src/base/bytes.h
src/base/banned.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
src/graph/xattr_list.h:
src/base/buf.h:
src/base/bytes.h:
