/*
 * How content will be cut: configuration to the chunking of a new repository, which is then frozen.
 *
 * chunking.average is the one class that all content belongs to by default. The keys by size of
 * file, which come from systems before this one, become class lines: content below
 * small_file_threshold is cut with small_file_chunk_size, below medium_file_threshold with
 * medium_file_chunk_size, below huge_file_threshold with large_file_chunk_size. What lies beyond
 * all thresholds that are set is the default class: huge_file_chunk_size, else
 * large_file_chunk_size, else the average.
 */
#include "work/init_internal.h"

#include "base/error.h"

static int take_size(const struct config *c, const char *key, uint64_t *out,
	struct store_error *err)
{
	*out = 0;
	return config_text(c, key) ? config_size(c, key, out, err) : 0;
}

static int add_class(struct store_format *f, const char *threshold_key, uint64_t below,
	const char *size_key, uint64_t avg, struct store_error *err)
{
	if (below == 0 && avg == 0)
		return 0;
	if (below == 0 || avg == 0)
		return store_error_set(err, STORE_EINVAL,
			"%s is set and %s is not: they go together",
			below == 0 ? size_key : threshold_key,
			below == 0 ? threshold_key : size_key);
	/* What does not fit the number is no power of two in range either; the format says so. */
	f->classes[f->class_count++] = (struct format_class){ below,
		avg > UINT32_MAX ? UINT32_MAX : (uint32_t)avg };
	return 0;
}

static int set_classes(const struct config *c, struct store_format *f, uint64_t *beyond,
	struct store_error *err)
{
	uint64_t small, small_below, medium, medium_below, large, huge, huge_below;
	int rc;

	if ((rc = take_size(c, "chunking.small_file_chunk_size", &small, err)) != 0 ||
		(rc = take_size(c, "chunking.small_file_threshold", &small_below, err)) != 0 ||
		(rc = take_size(c, "chunking.medium_file_chunk_size", &medium, err)) != 0 ||
		(rc = take_size(c, "chunking.medium_file_threshold", &medium_below, err)) != 0 ||
		(rc = take_size(c, "chunking.large_file_chunk_size", &large, err)) != 0 ||
		(rc = take_size(c, "chunking.huge_file_chunk_size", &huge, err)) != 0 ||
		(rc = take_size(c, "chunking.huge_file_threshold", &huge_below, err)) != 0)
		return rc;
	rc = add_class(f, "chunking.small_file_threshold", small_below,
		"chunking.small_file_chunk_size", small, err);
	if (rc == 0)
		rc = add_class(f, "chunking.medium_file_threshold", medium_below,
			"chunking.medium_file_chunk_size", medium, err);
	if (rc == 0 && (huge_below != 0 || huge != 0))
		rc = add_class(f, "chunking.huge_file_threshold", huge_below,
			"chunking.large_file_chunk_size", large, err);
	*beyond = huge_below != 0 ? huge : large;
	return rc;
}

int init_format(const struct config *c, uint32_t chunk_average, struct store_format *out,
	struct store_error *err)
{
	struct config_value average;
	uint64_t size = 0, beyond = 0;
	int rc;

	*out = (struct store_format){ 0 };
	rc = set_classes(c, out, &beyond, err);
	if (rc == 0)
		rc = config_size(c, "chunking.average", &size, err);
	if (rc != 0)
		return rc;
	config_find(c, "chunking.average", &average);
	if (chunk_average != 0) {
		size = chunk_average;
	} else if (beyond != 0) {
		if (average.level != CONFIG_BUILT_IN && beyond != size)
			return store_error_set(err, STORE_EINVAL,
				"%s: chunking.average contradicts the chunk size of the largest files",
				average.where);
		size = beyond;
	}
	out->avg = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
	return 0;
}
