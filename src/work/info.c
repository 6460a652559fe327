/*
 * Facts about a repository and about one commit's tree.
 *
 * Commits are not counted by walking: a layer's generation is one more than that of the layer of
 * the first parent, and fsck checks it, so HEAD's tells how many commits there are along first
 * parents. What merges brought in is not among them, and is not counted: that would take a walk of
 * the whole history. Garbage is for the same reason only what is seen without one: packs that the
 * database does not know, because the command that made them died.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "odb/pack.h"
#include "work/view_internal.h"

static int fill_root(struct store_repo *repo, const struct oid *id, struct store_root *out,
	struct store_error *err)
{
	struct buf data = { 0 };
	struct commit c;
	struct layer l;
	struct entry top;
	const int rc = view_read(repo, id, &data, &c, &l, err);

	buf_release(&data);
	if (rc != 0)
		return rc;
	top = view_top(&l);
	*out = (struct store_root){ .commit = view_id(id),
		.layer = view_id(&c.layer),
		.root = view_node(&top),
		.generation = l.generation,
		.added = l.added,
		.modified = l.modified,
		.deleted = l.deleted };
	return 0;
}

int store_root(struct store_repo *repo, const char *rev, struct store_root *out,
	struct store_error *err)
{
	const char *text = rev ? rev : "HEAD";
	struct view v;
	struct oid id;
	int rc = view_begin(&v, repo, err);

	if (rc == 0)
		rc = rev_parse(&v.source, text, strlen(text), &id, err);
	view_end(&v);
	return rc == 0 ? fill_root(repo, &id, out, err) : rc;
}

static int sum_packs(struct env_txn *t, struct store_info *out, struct store_error *err)
{
	struct env_cursor *c;
	struct env_val key, val;
	struct odb_pack_row row;
	int rc = env_cursor_open(t, ENV_PACKS, &c, err);

	if (rc != 0)
		return rc;
	while ((rc = env_cursor_next(c, &key, &val, err)) == 0) {
		rc = odb_pack_row_decode(val.data, val.len, &row, err);
		if (rc != 0)
			break;
		out->packs++;
		out->pack_bytes += row.size;
	}
	env_cursor_close(c);
	return rc == STORE_ENOTFOUND ? 0 : rc;
}

static bool is_known(struct env_txn *t, uint64_t number, const uint8_t random[16])
{
	struct odb_pack_row row;
	struct env_val v;
	uint8_t key[8];

	be64_put(key, number);
	return env_get(t, ENV_PACKS, key, sizeof(key), &v, NULL) == 0 &&
		odb_pack_row_decode(v.data, v.len, &row, NULL) == 0 &&
		memcmp(row.random, random, sizeof(row.random)) == 0;
}

static int sum_garbage(struct store_repo *repo, struct env_txn *t, struct store_info *out,
	struct store_error *err)
{
	int fd = openat(odb_packs_fd(repo->odb), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *d;
	struct stat st;

	if (!dir) {
		io_close(&fd);
		return store_error_sys(err, "cannot list 'packs'");
	}
	while ((d = readdir(dir)) != NULL) {
		uint8_t random[16];
		uint64_t number;

		if (!pack_name_parse(d->d_name, &number, random) || is_known(t, number, random) ||
			fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		out->garbage_packs++;
		out->garbage_bytes += (uint64_t)st.st_size;
	}
	closedir(dir);
	return 0;
}

static int fill_head(struct store_repo *repo, struct env_txn *t, struct store_info *out,
	struct store_error *err)
{
	struct refs_head head;
	int rc = refs_head(t, &head, err);

	if (rc != 0)
		return rc;
	snprintf(out->branch, sizeof(out->branch), "%.255s",
		strncmp(head.branch, "refs/heads/", 11) == 0 ? head.branch + 11 : head.branch);
	if (!head.has_commit)
		return 0;
	out->has_head = 1;
	rc = fill_root(repo, &head.commit, &out->head, err);
	out->first_parent_commits = rc == 0 ? out->head.generation + 1 : 0;
	return rc;
}

int store_info(struct store_repo *repo, struct store_info *out, struct store_error *err)
{
	const struct store_format *format = odb_format(repo->odb);
	struct view v;
	int rc = view_begin(&v, repo, err);

	memset(out, 0, sizeof(*out));
	out->format = 1;
	out->chunk_average = format->avg;
	id_hex(out->parameters, &format->parameters);
	if (rc == 0)
		rc = fill_head(repo, v.txn, out, err);
	if (rc == 0)
		rc = env_count(v.txn, ENV_OBJECTS, &out->objects, err);
	if (rc == 0)
		rc = sum_packs(v.txn, out, err);
	if (rc == 0)
		rc = sum_garbage(repo, v.txn, out, err);
	if (rc == 0)
		out->db_bytes = env_size(odb_env(repo->odb));
	view_end(&v);
	return rc;
}
