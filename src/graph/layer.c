/*
 * The text of a layer.  A layer is a function of its parent layer and its root and of nothing else:
 * no time, no name, no machine.  So there is one text per layer, and everything here is about
 * having no second one.
 */
#include "graph/layer.h"

#include <inttypes.h>

#include "base/error.h"
#include "data/text.h"

int layer_encode(struct buf *out, const struct layer *l)
{
	if (l->has_parent != (l->generation > 0))
		return STORE_EINVAL;
	buf_addf(out, "store layer 1\ngeneration %" PRIu64 "\n", l->generation);
	if (l->has_parent)
		text_add_id(out, "parent", &l->parent);
	text_add_map_ref(out, "root", &l->root);
	text_add_map_ref(out, "changes", &l->changes);
	buf_addf(out, "files %" PRIu64 "\ndirectories %" PRIu64 "\nbytes %" PRIu64 "\n",
		l->totals.files, l->totals.dirs, l->totals.size);
	buf_addf(out, "added %" PRIu64 "\nmodified %" PRIu64 "\ndeleted %" PRIu64 "\n", l->added,
		l->modified, l->deleted);
	return buf_check(out, NULL);
}

static uint64_t take_number(struct text *t, const char *key)
{
	uint64_t v;

	text_key(t, key);
	v = text_u64(t, UINT64_MAX);
	text_eol(t);
	return v;
}

static void take_map_ref(struct text *t, const char *key, struct map_ref *out)
{
	text_key(t, key);
	text_map_ref(t, out);
	text_eol(t);
}

int layer_decode(struct layer *l, const void *data, size_t len, struct store_error *err)
{
	struct text t;

	*l = (struct layer){ 0 };
	text_init(&t, "layer", data, len, err);
	text_exact(&t, "store layer 1");
	l->generation = take_number(&t, "generation");
	l->has_parent = text_has(&t, "parent");
	if (l->has_parent) {
		text_key(&t, "parent");
		text_id(&t, &l->parent);
		text_eol(&t);
	}
	if (t.rc == 0 && l->has_parent != (l->generation > 0))
		text_fail(&t, "a layer of generation %" PRIu64 " %s a parent", l->generation,
			l->has_parent ? "cannot have" : "needs");
	take_map_ref(&t, "root", &l->root);
	take_map_ref(&t, "changes", &l->changes);
	l->totals.files = take_number(&t, "files");
	l->totals.dirs = take_number(&t, "directories");
	l->totals.size = take_number(&t, "bytes");
	l->added = take_number(&t, "added");
	l->modified = take_number(&t, "modified");
	l->deleted = take_number(&t, "deleted");
	return text_end(&t);
}
