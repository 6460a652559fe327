/*
 * Which extended attributes are recorded, and the system calls that read and set them.
 *
 * Recorded are those that say something of the file and mean the same on another machine: user.*,
 * security.capability, access control lists (system.posix_acl_*), and trusted.*, which only root
 * sees. Labels of a security module (security.selinux, security.SMACK64) follow from the policy of
 * the machine, signatures (security.ima, security.evm) from its keys, and btrfs.* or
 * system.nfs4_acl from its file systems: to bring them to another one would be wrong where it is
 * possible at all.
 *
 * An attribute may go between the listing and the reading: then it is not there. One that may be
 * listed but not read is left out when it is trusted.*, and else an error: it would be lost.
 *
 * The kernel has no call for a descriptor opened with O_PATH before 6.13, so those go through
 * /proc/self/fd, which leads to the very inode that is open.
 */
#include "work/xattr.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/mem.h"
#include "data/limits.h"

#define NAMES_SOME 1024       /* bytes of names that are most often enough */
#define NAMES_MAX (64u << 10) /* the kernel lists no more */
#define ACL_VERSION 2u
#define ACL_GROUP_OBJ 0x04u
#define ACL_MASK 0x10u

static const char acl_access[] = XATTR_ACL_ACCESS, acl_default[] = "system.posix_acl_default",
		  capability[] = "security.capability";

static bool is_name(const void *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

static bool begins(const void *name, size_t len, const char *with)
{
	return len > strlen(with) && memcmp(name, with, strlen(with)) == 0;
}

enum xattr_class xattr_class_of(const void *name, size_t len)
{
	if (begins(name, len, "user."))
		return XATTR_USER;
	if (is_name(name, len, acl_access) || is_name(name, len, acl_default))
		return XATTR_ACL;
	if (is_name(name, len, capability) || begins(name, len, "trusted."))
		return XATTR_PRIVILEGED;
	return XATTR_OTHER;
}

/* ---- calls */

struct proc_path {
	char text[40];
};

static const char *path_of(struct proc_path *p, int fd)
{
	snprintf(p->text, sizeof(p->text), "/proc/self/fd/%d", fd);
	return p->text;
}

static ssize_t list_names(int fd, char *names, size_t cap)
{
	struct proc_path p = { "" };
	ssize_t n = FAULT("xattr.list") ? -1 : flistxattr(fd, names, cap);

	if (n < 0 && errno == EBADF) {
		n = listxattr(path_of(&p, fd), names, cap);
		if (n < 0 && errno == ENOENT)
			return 0;
	}
	return n < 0 && (errno == ENOTSUP || errno == ENOSYS) ? 0 : n;
}

static ssize_t get_value(int fd, const char *name, void *value, size_t cap)
{
	struct proc_path p = { "" };
	const ssize_t n = FAULT("xattr.get") ? -1 : fgetxattr(fd, name, value, cap);

	return n < 0 && errno == EBADF ? getxattr(path_of(&p, fd), name, value, cap) : n;
}

int xattr_set(int fd, const struct xattr_item *item)
{
	char name[LIMIT_XATTR_NAME + 1];
	struct proc_path p = { "" };

	if (FAULT("xattr.set"))
		return -1;
	if (item->name_len > LIMIT_XATTR_NAME) {
		errno = ERANGE;
		return -1;
	}
	memcpy(name, item->name, item->name_len);
	name[item->name_len] = '\0';
	if (fsetxattr(fd, name, item->value, item->value_len, 0) == 0)
		return 0;
	return errno == EBADF ? setxattr(path_of(&p, fd), name, item->value, item->value_len, 0)
			      : -1;
}

/* ---- reading */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The value of one attribute into value (room for the longest).  -1: errno; -2: it is not there. */
static ssize_t read_value(int fd, const char *name, uint8_t *value)
{
	const ssize_t n = get_value(fd, name, value, LIMIT_XATTR_VALUE);

	if (n >= 0)
		return n;
	if (errno == ENODATA ||
		((errno == EPERM || errno == EACCES) && begins(name, strlen(name), "trusted.")))
		return -2;
	if (errno == ERANGE)
		errno = E2BIG;
	return -1;
}

/* The attributes of names (count of them, sorted) one behind the other; *kept: how many. */
static int read_values(int fd, const char *const *names, size_t count, struct buf *body,
	size_t *kept)
{
	uint8_t *const value = malloc(LIMIT_XATTR_VALUE);
	int rc = value ? 0 : -1;

	*kept = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		const ssize_t n = read_value(fd, names[i], value);

		if (n == -1)
			rc = -1;
		if (n < 0)
			continue;
		xattr_list_add(body, names[i], strlen(names[i]), value, (size_t)n);
		++*kept;
		if (body->len > LIMIT_XATTRS) {
			errno = E2BIG;
			rc = -1;
		}
	}
	free(value);
	return rc;
}

/* Take the names that are recorded out of what the kernel listed, and read them. */
static int read_named(int fd, const char *listed, size_t len, struct buf *out)
{
	const char **names = NULL;
	struct buf body = { 0 };
	size_t count = 0, cap = 0, kept = 0;
	int rc = 0;

	for (const char *p = listed; p < listed + len && rc == 0; p += strlen(p) + 1) {
		if (xattr_class_of(p, strlen(p)) == XATTR_OTHER)
			continue;
		rc = mem_grow(&names, &cap, count + 1, sizeof(*names)) == 0 ? 0 : -1;
		if (rc == 0)
			names[count++] = p;
	}
	if (rc == 0 && count > 0) {
		qsort(names, count, sizeof(*names), by_name);
		rc = read_values(fd, names, count, &body, &kept);
	}
	if (rc == 0 && kept > 0) {
		xattr_list_begin(out, kept);
		buf_add(out, body.data, body.len);
		if (out->len > LIMIT_XATTRS) {
			errno = E2BIG;
			rc = -1;
		}
	}
	if (body.failed || out->failed) {
		errno = ENOMEM;
		rc = -1;
	}
	buf_release(&body);
	free(names);
	return rc;
}

int xattr_read(int fd, struct buf *out)
{
	char some[NAMES_SOME + 1], *names = some;
	ssize_t n = list_names(fd, some, NAMES_SOME);
	int rc = 0, saved;

	buf_clear(out);
	if (n < 0 && errno == ERANGE) {
		names = malloc(NAMES_MAX + 1);
		n = names ? list_names(fd, names, NAMES_MAX) : -1;
	}
	if (n < 0)
		rc = -1;
	if (n > 0) {
		names[n] = '\0';
		rc = read_named(fd, names, (size_t)n, out);
	}
	saved = errno;
	if (names != some)
		free(names);
	errno = saved;
	return rc;
}

/* ---- access lists */

uint16_t xattr_mode_without_acl(const void *value, size_t len, uint16_t mode)
{
	struct span s = span_of(value, len);
	uint32_t group = 0, mask = 7;

	if (span_le32(&s) != ACL_VERSION)
		return mode;
	while (!s.bad && span_left(&s) > 0) {
		const uint32_t entry = span_le32(&s), tag = entry & 0xffff, bits = entry >> 16 & 7;

		span_le32(&s);
		if (tag == ACL_GROUP_OBJ)
			group = bits;
		else if (tag == ACL_MASK)
			mask = bits;
	}
	return s.bad ? mode : (uint16_t)((mode & ~070u) | (mode & (group & mask) << 3));
}
