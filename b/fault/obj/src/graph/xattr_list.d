/tmp/h-tests/b/fault/obj/src/graph/xattr_list.o: src/graph/xattr_list.c \
 src/base/banned.h src/graph/xattr_list.h src/base/buf.h src/base/bytes.h \
 src/base/error.h include/store.h src/data/limits.h
src/base/banned.h:
src/graph/xattr_list.h:
src/base/buf.h:
src/base/bytes.h:
src/base/error.h:
include/store.h:
src/data/limits.h:
