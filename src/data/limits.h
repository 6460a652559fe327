/* Every limit of format 1, in one table; store-format(5) prints the same. */
#ifndef STORE_DATA_LIMITS_H
#define STORE_DATA_LIMITS_H

#define LIMIT_NAME 255                 /* bytes of one name */
#define LIMIT_PATH 4096                /* bytes of a path, components and separators */
#define LIMIT_DEPTH 2048               /* directories below each other */
#define LIMIT_NODE (64u << 10)         /* bytes of a seq or map node */
#define LIMIT_BLOCK (16u << 20)        /* plain bytes of a block */
#define LIMIT_BLOCK_OBJECTS (1u << 16) /* objects of a block */
#define LIMIT_RATIO 1100               /* plain bytes of a block per stored byte */
#define LIMIT_OBJECT ((16u << 20) - 1) /* bytes of one object: 24 bits in the pack footer */
#define LIMIT_ROWS 1024                /* rows of a seq node */
#define LIMIT_LEVEL 32                 /* levels of a tree of nodes */
#define LIMIT_LINE 4096                /* bytes of a header line of a text object */
#define LIMIT_MESSAGE (1u << 20)       /* bytes of a commit message */
#define LIMIT_REF 255                  /* bytes of a ref name */
#define LIMIT_PARENTS 16               /* parents of a commit */
#define LIMIT_KEY 4096                 /* bytes of a map key */
#define LIMIT_PACK (1u << 31)          /* bytes of a pack */
#define LIMIT_XATTR_NAME 255           /* bytes of the name of an extended attribute */
#define LIMIT_XATTR_VALUE (64u << 10)  /* bytes of its value */
#define LIMIT_XATTRS (1u << 20)        /* bytes of an attribute list */
#define LIMIT_PACK_OBJECTS (1u << 18)  /* objects of a pack, and blocks */

#endif
