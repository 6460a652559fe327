/*
 * The folder decides, not the repository: so the same call serves .store and the working tree, a
 * folder that was given a moment ago passes its owner on to what is made in it, and nobody is
 * given a file in a folder that is not theirs.
 */
#include "base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parse_id(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *out <= max;
}

/* Is what is made in the folder to be given, and to whom? */
static bool find_heir(int dirfd, uid_t *uid, gid_t *gid)
{
	const unsigned long max = (uid_t)-2;
	unsigned long user, group;
	struct stat st;
	const char *text = geteuid() == 0 ? getenv("SUDO_UID") : NULL;

	if (!parse_id(text, max, &user) || user == 0)
		return false;
	if ((dirfd == AT_FDCWD ? stat(".", &st) : fstat(dirfd, &st)) != 0 ||
		st.st_uid != (uid_t)user)
		return false;
	*uid = (uid_t)user;
	*gid = parse_id(getenv("SUDO_GID"), max, &group) ? (gid_t)group : st.st_gid;
	return true;
}

void owner_give(int dirfd, int fd)
{
	const int saved = errno;
	uid_t uid;
	gid_t gid;

	if (fd != -1 && find_heir(dirfd, &uid, &gid) && fchown(fd, uid, gid) != 0)
		errno = 0; /* see the header */
	errno = saved;
}

/*
 * The name may have come to mean something else meanwhile, since the folder is another's: so it is
 * opened, and only what is root's and has no second name is given away.
 */
void owner_give_name(int dirfd, const char *name)
{
	const int saved = errno;
	struct stat st;
	uid_t uid;
	gid_t gid;
	int fd;

	if (!find_heir(dirfd, &uid, &gid))
		return;
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && fstat(fd, &st) == 0 && st.st_uid == 0 &&
		(S_ISDIR(st.st_mode) || st.st_nlink == 1) &&
		fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
		errno = 0; /* see the header */
	if (fd != -1)
		close(fd);
	errno = saved;
}

int owner_mkdir(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *above;
	int fd;

	if (mkdir(path, 0777) != 0)
		return -1;
	above = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	fd = above ? open(above, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd != -1) {
		owner_give_name(fd, slash ? slash + 1 : path);
		close(fd);
	}
	free(above);
	return 0;
}
