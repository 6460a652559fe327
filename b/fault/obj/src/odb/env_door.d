/tmp/h-tests/b/fault/obj/src/odb/env_door.o: src/odb/env_door.c \
 src/base/banned.h src/odb/env_door.h
src/base/banned.h:
src/odb/env_door.h:
