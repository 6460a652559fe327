/tmp/h-tests/b/fault/obj/src/work/xattr.o: src/work/xattr.c \
 src/base/banned.h src/work/xattr.h src/base/buf.h src/graph/xattr_list.h \
 src/base/bytes.h src/base/fault.h src/base/mem.h src/data/limits.h
src/base/banned.h:
src/work/xattr.h:
src/base/buf.h:
src/graph/xattr_list.h:
src/base/bytes.h:
src/base/fault.h:
src/base/mem.h:
src/data/limits.h:
