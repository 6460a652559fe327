/* What a walk is to do: presets, limits of the options, and the filters. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pipeline.h"
#include "work/options.h"
#include "work/walk_internal.h"

#define BATCH_MAX 65536u
#define RECORDS_MAX 100000u
#define SCRATCH_DEFAULT "/tmp"

struct preset {
	unsigned int per_processor, least; /* scanners */
	uint32_t found_max, sending_max, batch_size, batch_ms, directories_max;
};

static const struct preset presets[] = {
	[STORE_WALK_PRESET_DEFAULT] = { 1, 2, 10000, 1000, 100, 100, 50000 },
	[STORE_WALK_PRESET_SIMPLE] = { 1, 2, 5000, 500, 50, 50, 25000 },
	[STORE_WALK_PRESET_HIGH] = { 2, 4, 50000, 5000, 200, 200, 100000 },
	[STORE_WALK_PRESET_ULTRA] = { 4, 8, 100000, 100000, 1000, 10, 500000 },
};

static int out_of_memory(struct store_error *err)
{
	return store_error_set(err, STORE_ENOMEM, "out of memory");
}

static uint32_t or_preset(uint32_t given, uint32_t preset)
{
	return given ? given : preset;
}

const char *walk_plan_scratch(const char *given)
{
	if (!given)
		given = getenv("TMPDIR");
	return given && *given ? given : SCRATCH_DEFAULT;
}

static void fill_in(struct store_walk_options *o)
{
	const struct preset *p = &presets[o->preset];
	unsigned int scanners = pipeline_threads(0) * p->per_processor;

	scanners = scanners < p->least ? p->least : scanners;
	scanners = scanners > WALK_SCANNERS_MAX ? WALK_SCANNERS_MAX : scanners;
	o->scanners = or_preset(o->scanners, scanners);
	o->batch_size = or_preset(o->batch_size, p->batch_size);
	o->batch_ms = or_preset(o->batch_ms, p->batch_ms);
	o->directories_max = or_preset(o->directories_max, p->directories_max);
	o->found_max = or_preset(o->found_max, p->found_max);
	o->sending_max = or_preset(o->sending_max, p->sending_max);
	/* A whole batch has room in either. */
	if (o->found_max < o->batch_size)
		o->found_max = o->batch_size;
	if (o->sending_max < o->batch_size)
		o->sending_max = o->batch_size;
	if (o->types == 0)
		o->types = STORE_WALK_FILE;
	o->scratch = walk_plan_scratch(o->scratch);
}

static int check(const struct store_walk_options *o, struct store_error *err)
{
	const unsigned int flags = STORE_WALK_DEPTH_FIRST | STORE_WALK_NO_HIDDEN |
		STORE_WALK_ONE_FILE_SYSTEM | STORE_WALK_STRICT | STORE_WALK_STRICT_BATCH;
	const unsigned int types = STORE_WALK_FILE | STORE_WALK_DIR | STORE_WALK_LINK |
		STORE_WALK_OTHER;
	const int rc = options_check(o, "store_walk_options", err);

	if (rc != 0)
		return rc;
	if ((unsigned int)o->preset >= sizeof(presets) / sizeof(presets[0]))
		return store_error_set(err, STORE_EINVAL, "there is no such preset");
	if (!o->batch)
		return store_error_set(err, STORE_EINVAL, "a walk needs a batch callback");
	if ((o->flags & ~flags) || (o->types & ~types))
		return store_error_set(err, STORE_EINVAL, "a flag or type is not known");
	if (o->scanners > WALK_SCANNERS_MAX)
		return store_error_set(err, STORE_EINVAL, "at most %d scanners", WALK_SCANNERS_MAX);
	if (o->batch_size > BATCH_MAX)
		return store_error_set(err, STORE_EINVAL, "a batch has at most %u records",
			BATCH_MAX);
	if (o->found_max > RECORDS_MAX || o->sending_max > RECORDS_MAX)
		return store_error_set(err, STORE_EINVAL, "at most %u records may wait",
			RECORDS_MAX);
	return 0;
}

static int copy_names(struct walk_plan *p, struct store_error *err)
{
	size_t n = 0;

	while (p->o.names && p->o.names[n])
		n++;
	if (n == 0)
		return 0;
	p->names = mem_alloc_array(n + 1, sizeof(*p->names));
	if (!p->names)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++) {
		p->names[i] = strdup(p->o.names[i]);
		if (!p->names[i])
			return out_of_memory(err);
	}
	return 0;
}

static int read_excludes(struct walk_plan *p, struct store_error *err)
{
	struct buf text = { 0 };
	int rc;

	for (size_t i = 0; p->o.excludes && p->o.excludes[i]; i++) {
		if (strchr(p->o.excludes[i], '\n')) {
			buf_release(&text);
			return store_error_set(err, STORE_EINVAL, "a pattern holds a line feed");
		}
		buf_add_str(&text, p->o.excludes[i]);
		buf_add_u8(&text, '\n');
	}
	rc = buf_check(&text, err);
	if (rc == 0 && text.len > IGNORE_FILE_MAX)
		rc = store_error_set(err, STORE_EINVAL, "the patterns have over %u bytes",
			IGNORE_FILE_MAX);
	if (rc == 0)
		rc = ignore_rules_parse(&p->excludes, &text, IGNORE_COUNT_MAX, err);
	buf_release(&text);
	return rc;
}

int walk_plan_make(struct walk_plan *p, const struct store_walk_options *options,
	struct store_error *err)
{
	int rc;

	memset(p, 0, sizeof(*p));
	if (options)
		p->o = *options;
	rc = check(&p->o, err);
	if (rc != 0)
		return rc;
	fill_in(&p->o);
	rc = copy_names(p, err);
	return rc == 0 ? read_excludes(p, err) : rc;
}

void walk_plan_release(struct walk_plan *p)
{
	for (size_t i = 0; p->names && p->names[i]; i++)
		free(p->names[i]);
	free(p->names);
	ignore_rules_release(&p->excludes);
	memset(p, 0, sizeof(*p));
}

bool walk_plan_takes_size(const struct walk_plan *p, uint64_t size)
{
	return size >= p->o.min_size && (p->o.size_end == 0 || size < p->o.size_end);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alike(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* A dot that begins the name begins no ending: ".profile" has none. */
bool walk_plan_takes_name(const struct walk_plan *p, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; p->names && p->names[i]; i++) {
		const size_t n = strlen(p->names[i]);

		if (len > n + 1 && name[len - n - 1] == '.' &&
			is_alike(name + len - n, p->names[i]))
			return true;
	}
	return !p->names;
}

bool walk_plan_excludes(const struct walk_plan *p, const char *path, size_t len, size_t name_off,
	bool is_dir)
{
	const struct ignore_subject s = { path, len, name_off, is_dir };
	const struct ignore_pattern *found = p->excludes.count > 0
		? ignore_rules_find(&p->excludes, &s)
		: NULL;

	return found && !(found->flags & IGNORE_NEGATED);
}
