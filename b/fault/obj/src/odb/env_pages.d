/tmp/h-tests/b/fault/obj/src/odb/env_pages.o: src/odb/env_pages.c \
 src/base/banned.h src/odb/env_pages.h
src/base/banned.h:
src/odb/env_pages.h:
