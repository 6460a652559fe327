/* Which extended attributes are recorded, and what a mode is worth without its access list. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "work/xattr.h"
#include "skip.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_xattr__what_belongs_to_the_machine_is_not_recorded(void **state)
{
	static const struct {
		const char *name;
		enum xattr_class class;
	} cases[] = {
		{ "user.x", XATTR_USER },
		{ "user.", XATTR_OTHER },
		{ "userx", XATTR_OTHER },
		{ "trusted.x", XATTR_PRIVILEGED },
		{ "trusted.", XATTR_OTHER },
		{ "security.capability", XATTR_PRIVILEGED },
		{ "security.capability2", XATTR_OTHER },
		{ "security.selinux", XATTR_OTHER },
		{ "security.ima", XATTR_OTHER },
		{ "security.evm", XATTR_OTHER },
		{ "system.posix_acl_access", XATTR_ACL },
		{ "system.posix_acl_default", XATTR_ACL },
		{ "system.posix_acl_", XATTR_OTHER },
		{ "system.nfs4_acl", XATTR_OTHER },
		{ "btrfs.compression", XATTR_OTHER },
		{ "", XATTR_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(xattr_class_of(cases[i].name, strlen(cases[i].name)),
			cases[i].class);
}

static void test_xattr__without_its_access_list_the_group_gets_no_more(void **state)
{
	/* user::rwx, user:1:rwx, group::r--, mask::rwx, other::---, as the kernel has them */
	static const uint8_t list[] = { 2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 1,
		0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 0,
		0, 255, 255, 255, 255 };
	uint8_t other[sizeof(list)];

	(void)state;
	assert_int_equal(xattr_mode_without_acl(list, sizeof(list), 06770), 06740);
	/* A mode that was made narrower behind the list stays so. */
	assert_int_equal(xattr_mode_without_acl(list, sizeof(list), 0700), 0700);
	memcpy(other, list, sizeof(list));
	other[30] = 2; /* the mask leaves nothing of r-- */
	assert_int_equal(xattr_mode_without_acl(other, sizeof(other), 0770), 0700);
	/* What is no access list says nothing. */
	for (size_t cut = 0; cut < sizeof(list); cut++) {
		if (cut % 8 != 4)
			assert_int_equal(xattr_mode_without_acl(list, cut, 0770), 0770);
	}
	other[0] = 3;
	assert_int_equal(xattr_mode_without_acl(other, sizeof(other), 0770), 0770);
}

/* An open file without a name; -1 where that cannot be. */
static int open_nameless(void)
{
	const char *dir = getenv("TMPDIR");

	return open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static struct xattr_item item_of(const char *name, const void *value, size_t len)
{
	return (struct xattr_item){ (const uint8_t *)name, strlen(name), value, len };
}

static void test_xattr__what_is_set_is_read_in_order_of_names(void **state)
{
	const struct xattr_item b = item_of("user.b", "two", 3), a = item_of("user.a", "", 0);
	struct buf list = { 0 };
	int fd = open_nameless();

	(void)state;
	if (fd == -1)
		skip_test("there can be no file without a name");
	assert_int_equal(xattr_read(fd, &list), 0);
	assert_int_equal(list.len, 0);
	if (xattr_set(fd, &b) != 0 && errno == ENOTSUP) {
		close(fd);
		skip_test("the file system has no extended attributes");
	}
	assert_int_equal(xattr_set(fd, &b), 0);
	assert_int_equal(xattr_set(fd, &a), 0);
	assert_int_equal(xattr_read(fd, &list), 0);
	assert_int_equal(list.len, 4 + 8 + 11);
	assert_memory_equal(list.data, "XA\1\2\6user.a\0\6user.b\3two", list.len);
	buf_release(&list);
	close(fd);
}

#ifdef STORE_FAULTS
static int read_with(int fd, const char *fault, struct buf *list)
{
	int rc;

	assert_int_equal(fault_load(fault), 0);
	rc = xattr_read(fd, list);
	fault_load("");
	return rc;
}

static void test_xattr__a_file_system_without_any_has_none_and_an_error_is_told(void **state)
{
	const struct xattr_item a = item_of("user.a", "1", 1);
	struct buf list = { 0 };
	int fd = open_nameless();

	(void)state;
	if (fd == -1 || xattr_set(fd, &a) != 0) {
		close(fd);
		skip_test("the file system has no extended attributes");
	}
	assert_int_equal(read_with(fd, "xattr.list:1:ENOTSUP", &list), 0);
	assert_int_equal(list.len, 0);
	assert_int_equal(read_with(fd, "xattr.list:1:EIO", &list), -1);
	assert_int_equal(errno, EIO);
	/* Gone between the two calls: not there.  Not readable: told, or it would be lost. */
	assert_int_equal(read_with(fd, "xattr.get:1:ENODATA", &list), 0);
	assert_int_equal(list.len, 0);
	assert_int_equal(read_with(fd, "xattr.get:1:EACCES", &list), -1);
	assert_int_equal(errno, EACCES);
	/* More names than most files have. */
	assert_int_equal(read_with(fd, "xattr.list:1:ERANGE", &list), 0);
	assert_int_equal(list.len, 4 + 9);
	buf_release(&list);
	close(fd);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xattr__what_belongs_to_the_machine_is_not_recorded),
		cmocka_unit_test(test_xattr__without_its_access_list_the_group_gets_no_more),
		cmocka_unit_test(test_xattr__what_is_set_is_read_in_order_of_names),
#ifdef STORE_FAULTS
		cmocka_unit_test(
			test_xattr__a_file_system_without_any_has_none_and_an_error_is_told),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
