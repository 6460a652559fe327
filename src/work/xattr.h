/*
 * Extended attributes of the file system, from and to lists as graph/xattr_list.h has them.
 */
#ifndef STORE_WORK_XATTR_H
#define STORE_WORK_XATTR_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "graph/xattr_list.h"

/* Which attributes are recorded, and who sets them again. */
enum xattr_class {
	XATTR_OTHER,      /* never: they belong to the machine, or nobody here knows them */
	XATTR_USER,       /* user.*: whoever may write the file */
	XATTR_ACL,        /* system.posix_acl_*: root, when all is asked for */
	XATTR_PRIVILEGED, /* security.capability, trusted.*: likewise */
};
enum xattr_class xattr_class_of(const void *name, size_t len);

#define XATTR_ACL_ACCESS "system.posix_acl_access"

/*
 * The recorded attributes of what fd is open on, as a list in out (replaced); length 0: it has
 * none, or its file system knows of none. A descriptor opened with O_PATH, of a symlink say, is
 * looked at through /proc, and has none without it. 0, or -1 with errno: E2BIG when they are over
 * the limits of the format.
 */
int xattr_read(int fd, struct buf *out);

/* Set one attribute, whatever its class.  0, or -1 with errno. */
int xattr_set(int fd, const struct xattr_item *item);

/*
 * The mode of a file whose access list (the value of system.posix_acl_access) will not be set:
 * with a list the group's bits of a mode are its mask, and may be more than the group was given.
 */
uint16_t xattr_mode_without_acl(const void *value, size_t len, uint16_t mode);

#endif
