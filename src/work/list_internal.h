/* Listing the stage, for store_tree_open and its kin (list.c). */
#ifndef STORE_WORK_LIST_INTERNAL_H
#define STORE_WORK_LIST_INTERNAL_H

#include <stdbool.h>

#include "store.h"

struct list_stage;

/*
 * The staged directory at path ("" is the top), as store_tree_open has it. Caller frees with
 * list_stage_free. Copies path.
 */
int list_stage_new(struct list_stage **out, struct store_repo *repo, const char *path,
	bool recursive, struct store_error *err);
/*
 * STORE_ENOTFOUND at the end, without message. Borrowed: entry->path is valid until the next call.
 */
int list_stage_next(struct list_stage *s, struct store_tree_entry *entry, struct store_error *err);
/* s may be NULL. */
void list_stage_free(struct list_stage *s);

#endif
