/tmp/h-tests/b/fault/obj/t/unit/u_xattr.o: t/unit/u_xattr.c \
 src/base/banned.h src/base/fault.h src/work/xattr.h src/base/buf.h \
 src/graph/xattr_list.h src/base/bytes.h
src/base/banned.h:
src/base/fault.h:
src/work/xattr.h:
src/base/buf.h:
src/graph/xattr_list.h:
src/base/bytes.h:
