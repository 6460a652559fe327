/tmp/h-tests/b/obj/src/graph/nodes.o: src/graph/nodes.c src/base/banned.h \
 src/graph/nodes.h src/base/buf.h src/data/hash.h src/data/id.h \
 src/odb/odb.h src/data/codec.h src/data/format.h src/odb/env.h \
 src/odb/writer.h src/odb/pack.h
src/base/banned.h:
src/graph/nodes.h:
src/base/buf.h:
src/data/hash.h:
src/data/id.h:
src/odb/odb.h:
src/data/codec.h:
src/data/format.h:
src/odb/env.h:
src/odb/writer.h:
src/odb/pack.h:
