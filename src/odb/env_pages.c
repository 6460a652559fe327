/*
 * LMDB does not tell where it mapped the file (only for fixed maps), so the kernel is asked.
 * Without /proc nothing is given back, which costs resident size and nothing else.
 */
#include "odb/env_pages.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

void env_pages_find(struct env_pages *p, int fd)
{
	char line[512];
	struct stat st;
	FILE *f;

	p->map = NULL;
	if (fstat(fd, &st) != 0)
		return;
	f = fopen("/proc/self/maps", "re");
	if (!f)
		return;
	while (!p->map && fgets(line, sizeof(line), f)) {
		unsigned long long from, inode;

		if (sscanf(line, "%llx-%*x %*s %*x %*s %llu", &from, &inode) == 2 &&
			inode == st.st_ino)
			p->map = (uint8_t *)(uintptr_t)from;
	}
	fclose(f);
}

void env_pages_drop(struct env_pages *p, size_t len)
{
	__atomic_store_n(&p->touched, 0, __ATOMIC_RELAXED);
	madvise(p->map, len, MADV_DONTNEED);
}
