/tmp/h-tests/b/fault/obj/t/unit/u_quote.o: t/unit/u_quote.c \
 src/base/banned.h src/base/fault.h src/base/quote.h src/base/buf.h \
 include/store.h
src/base/banned.h:
src/base/fault.h:
src/base/quote.h:
src/base/buf.h:
include/store.h:
