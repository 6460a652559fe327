/*
 * store bench: how fast the parts of the library are on this machine, each beside a limit that was
 * measured in the same run.  No repository is needed.
 *
 * A result is printed when its subject is through, so that a run that is interrupted has told what
 * it knows.
 */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include <stdio.h>
#include <string.h>

#define SIZE_DEFAULT ((uint64_t)64 << 20)
#define COUNT_DEFAULT 20000
#define COUNT_MAX 200000
#define ROUNDS_DEFAULT 5
#define ROUNDS_MAX 1000
#define THREADS_MAX 64

struct bench_options {
	const char *size, *seed, *scratch;
	uint64_t count, rounds, threads;
};

#define FIELD(name) offsetof(struct bench_options, name)

static const struct option_spec table[] = {
	{ 0, "size", OPTION_STRING, FIELD(size), 0, "SIZE",
		"bytes that a round goes through, 64M otherwise; K, M, G count 1024" },
	{ 0, "count", OPTION_NUMBER, FIELD(count), COUNT_MAX, "N",
		"files and index rows of a round; 20000 otherwise" },
	{ 'n', "rounds", OPTION_NUMBER, FIELD(rounds), ROUNDS_MAX, "N",
		"rounds of which the median is told; 5 otherwise, and at least" },
	{ 't', "threads", OPTION_NUMBER, FIELD(threads), THREADS_MAX, "N",
		"threads where several work; one per processor otherwise" },
	{ 0, "seed", OPTION_STRING, FIELD(seed), 0, "N", "make other input" },
	{ 0, "scratch", OPTION_STRING, FIELD(scratch), 0, "DIR",
		"write below DIR; TMPDIR or /tmp otherwise" },
	{ 0, NULL, OPTION_END, 0, 0, NULL, NULL },
};

struct report {
	struct cli *cli;
	struct progress progress;
	char subject[16]; /* of the result before */
};

static double part_of(double value, double whole)
{
	return whole > 0 ? value / whole : 0;
}

/* ---- forms -------------------------------------------------------------------------------- */

static void add_rate(struct line *t, double value, const char *unit)
{
	const bool is_bytes = strcmp(unit, "bytes/s") == 0;

	if (value >= 1e9)
		line_format(t, "%.2f G%s", value / 1e9, is_bytes ? "B/s" : "/s");
	else if (value >= 1e6)
		line_format(t, value >= 1e8 ? "%.0f M%s" : "%.1f M%s", value / 1e6,
			is_bytes ? "B/s" : "/s");
	else
		line_format(t, "%.1f k%s", value / 1e3, is_bytes ? "B/s" : "/s");
}

static void add_limit(struct line *t, const struct store_bench_result *r,
	const struct store_bench_limit *l)
{
	line_format(t, "%5.0f %% of ", part_of(r->value, l->value) * 100);
	add_rate(t, l->value, r->unit);
	line_format(t, ", %s", l->name);
}

static void print_words(struct report *p, const struct store_bench_result *r)
{
	enum { NAME = 42, RATE = 10, SPREAD = 14 };
	struct line t = { 0 }, rate = { 0 };

	if (strcmp(p->subject, r->subject) != 0)
		line_format(&t, "\n%s\n", r->subject);
	add_rate(&rate, r->value, r->unit);
	line_format(&t, "  %-*s %*s", NAME, r->name, RATE, rate.data);
	line_clear(&rate);
	line_format(&rate, "%+.0f %+.0f %%", (part_of(r->min, r->value) - 1) * 100,
		(part_of(r->max, r->value) - 1) * 100);
	line_format(&t, "  %*s", SPREAD, rate.data);
	for (size_t i = 0; i < r->n_limits; i++) {
		if (i > 0)
			line_format(&t, "\n%*s", 3 + NAME + RATE + 2 + SPREAD, "");
		add_limit(&t, r, &r->limits[i]);
		if (i == 0 && r->target > 0)
			line_format(&t, "; target %.0f %%: %s", r->target * 100,
				r->value >= r->target * r->limits[0].value ? "reached" : "missed");
	}
	if (r->ratio > 0)
		line_format(&t, "; ratio %.2f", r->ratio);
	line_string(&t, "\n");
	output_text(&t);
	line_release(&t);
	line_release(&rate);
}

static void print_json(const struct store_bench_result *r)
{
	struct line t = { 0 };

	json_begin(&t, "store/bench-entry/1");
	json_string(&t, "subject", r->subject);
	json_string(&t, "name", r->name);
	json_string(&t, "unit", r->unit);
	json_number(&t, "threads", r->threads);
	json_number(&t, "rounds", r->rounds);
	json_real(&t, "value", r->value);
	json_real(&t, "min", r->min);
	json_real(&t, "max", r->max);
	if (r->ratio > 0)
		json_real(&t, "ratio", r->ratio);
	else
		json_null(&t, "ratio");
	if (r->target > 0)
		json_real(&t, "target_percent", r->target * 100);
	else
		json_null(&t, "target_percent");
	json_open(&t, "limits", '[');
	for (size_t i = 0; i < r->n_limits; i++) {
		json_open(&t, NULL, '{');
		json_string(&t, "name", r->limits[i].name);
		json_real(&t, "value", r->limits[i].value);
		json_real(&t, "min", r->limits[i].min);
		json_real(&t, "max", r->limits[i].max);
		json_real(&t, "percent", part_of(r->value, r->limits[i].value) * 100);
		json_close(&t, '}');
	}
	json_close(&t, ']');
	json_end(&t);
	output_text(&t);
	line_release(&t);
}

/* Results are what the command was asked for, and the rest may take minutes: each is flushed. */
static int on_result(void *payload, const struct store_bench_result *r)
{
	struct report *p = payload;

	if (strcmp(p->subject, r->subject) != 0)
		progress_end(&p->progress);
	else
		progress_hide();
	if (p->cli->global.json)
		print_json(r);
	else
		print_words(p, r);
	snprintf(p->subject, sizeof(p->subject), "%s", r->subject);
	output_flush();
	return cli_must_stop() ? STORE_ECANCELED : 0;
}

/* What is measured on, and how, goes before the figures. */
static void print_head(const struct cli *cli, const struct store_bench_machine *m,
	const struct store_bench_options *o)
{
	struct line t = { 0 };

	if (cli->global.json) {
		json_begin(&t, "store/bench/1");
		json_string(&t, "version", store_version());
		json_number(&t, "processors", m->processors);
		json_string(&t, "cpu", m->cpu[0] ? m->cpu : NULL);
		json_string(&t, "kernel", m->kernel);
		for (size_t i = 0; i < STORE_BENCH_LIBRARIES; i++)
			json_string(&t, m->libraries[i].name, m->libraries[i].version);
		json_number(&t, "size", o->size);
		json_number(&t, "count", o->count);
		json_number(&t, "rounds", o->rounds);
		json_number(&t, "threads", o->threads);
		json_number(&t, "seed", o->seed);
		json_end(&t);
	} else {
		line_format(&t, "store %s, ", store_version());
		line_count(&t, m->processors, "processor", "processors");
		line_format(&t, "%s%s, %s\n", m->cpu[0] ? ", " : "", m->cpu, m->kernel);
		for (size_t i = 0; i < STORE_BENCH_LIBRARIES; i++)
			line_format(&t, "%s%s %s", i ? ", " : "", m->libraries[i].name,
				m->libraries[i].version);
		line_format(&t, "\n%u rounds of ", o->rounds);
		line_size(&t, o->size);
		line_format(&t, ", %u files and rows; median, least and greatest\n", o->count);
	}
	output_text(&t);
	output_flush();
	line_release(&t);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int read_options(const struct cli *cli, const struct bench_options *given,
	const struct store_bench_machine *machine, struct store_bench_options *o)
{
	if (given->size &&
		(!line_to_number(given->size, true, (uint64_t)1 << 40, &o->size) || !o->size))
		return output_usage(cli, "--size wants a number of bytes, not '%s'", given->size);
	if (given->seed && !line_to_number(given->seed, false, UINT64_MAX - 1, &o->seed))
		return output_usage(cli, "--seed wants a number, not '%s'", given->seed);
	if (given->scratch && !*given->scratch)
		return output_usage(cli, "--scratch wants a folder");
	o->size = o->size ? o->size : SIZE_DEFAULT;
	o->count = given->count ? (uint32_t)given->count : COUNT_DEFAULT;
	o->rounds = given->rounds ? (unsigned int)given->rounds : ROUNDS_DEFAULT;
	o->threads = given->threads ? (unsigned int)given->threads : machine->processors;
	o->scratch = given->scratch;
	return 0;
}

static int check_subjects(const struct cli *cli)
{
	for (size_t i = 0; i < cli->args.n; i++) {
		size_t k = 0;

		while (store_bench_subject(k) &&
			strcmp(store_bench_subject(k), cli->args.items[i]) != 0)
			k++;
		if (!store_bench_subject(k))
			return output_usage(cli,
				"there is no bench of '%s'; there is chunk, hash, codec, walk, index, io",
				cli->args.items[i]);
	}
	return 0;
}

static int run(struct cli *cli, const void *data)
{
	const size_t n = cli->args.n ? cli->args.n : 1;
	struct report p = { .cli = cli, .progress = { .counted = "rounds" } };
	struct store_bench_options o = { 0 };
	struct store_bench_machine machine;
	int rc = check_subjects(cli);

	store_bench_machine(&machine);
	if (rc == 0)
		rc = read_options(cli, data, &machine, &o);
	if (rc == 0 && o.rounds < ROUNDS_DEFAULT)
		rc = output_usage(cli, "--rounds wants at least %d, for a median of fewer is none",
			ROUNDS_DEFAULT);
	if (rc != 0)
		return rc;
	print_head(cli, &machine, &o);
	progress_begin(&p.progress, cli, &o.callbacks);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = store_bench(cli->args.n ? cli->args.items[i] : NULL, &o, on_result, &p,
			&cli->err);
	progress_finish(&p.progress, rc, "nothing of it is left in the scratch folder");
	return rc;
}

const struct command cmd_bench = { "bench", "[OPTION...] [chunk|hash|codec|walk|index|io...]",
	"measure how fast the parts of store are here", TAKES_JSON, sizeof(struct bench_options),
	table, run };
