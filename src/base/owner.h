/*
 * Whose are the files that root makes?  Root who came by sudo works for the one who called: what
 * is made in a folder of theirs (SUDO_UID) is given to them, with the group SUDO_GID, or without
 * it the folder's. Anybody else, and in other folders, keeps what they make.
 *
 * Both are for what was made just now, and say nothing: what cannot be given stays root's, and the
 * owner's next command names it.
 */
#ifndef STORE_BASE_OWNER_H
#define STORE_BASE_OWNER_H

/* fd: a file or folder just made in dirfd (AT_FDCWD: the current folder). */
void owner_give(int dirfd, int fd);
/* The same by its plain name in dirfd; a symlink is given itself. */
void owner_give_name(int dirfd, const char *name);
/* mkdir (0777 under the umask) of path, then given.  Returns 0 or -1 with errno. */
int owner_mkdir(const char *path);

#endif
