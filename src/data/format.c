/*
 * The file `format`.  It is read before anything else and decides whether anything else may be
 * read.  So the masks come first and are judged first: a newer store may have added lines behind
 * them, and the user shall hear "a newer store is needed" and not "line 9 is wrong".
 *
 * The chunking is frozen here at init.  Its digest is over the lines as they stand, so it needs no
 * second definition of what the parameters are; a file whose digest is wrong was edited by hand,
 * and cutting with other parameters than before would change roots in silence.
 */
#include "data/format.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/chunker.h"
#include "data/text.h"

static const char *const incompatible_names[] = {
	"parity sections",
	"sorted runs in index",
	"ciphers",
};

/* "ciphers, bit 17": the bits of mask, those without a name by number. */
static void name_bits(char *out, size_t cap, uint64_t mask, const char *const *names,
	size_t name_count)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t bit = 0; bit < 64 && len < cap; bit++) {
		const char *comma = len > 0 ? ", " : "";
		int n;

		if (!(mask >> bit & 1))
			continue;
		if (bit < name_count)
			n = snprintf(out + len, cap - len, "%s%s", comma, names[bit]);
		else
			n = snprintf(out + len, cap - len, "%sbit %zu", comma, bit);
		len += n > 0 ? (size_t)n : 0;
	}
}

static int check_readable(uint64_t mask, struct store_error *err)
{
	const uint64_t unknown = mask & ~FORMAT_INCOMPATIBLE_KNOWN;
	char bits[300];

	if (unknown == 0)
		return 0;
	name_bits(bits, sizeof(bits), unknown, incompatible_names,
		sizeof(incompatible_names) / sizeof(incompatible_names[0]));
	return store_error_set(err, STORE_EVERSION,
		"the repository uses %s: a newer store is needed", bits);
}

static bool is_average(uint64_t avg)
{
	return avg >= CHUNKER_AVG_MIN && avg <= CHUNKER_AVG_MAX && (avg & (avg - 1)) == 0;
}

/* What cannot be in the chunking, or NULL. */
static const char *find_fault(const struct store_format *f)
{
	if (f->class_count > FORMAT_CLASSES)
		return "there are more than 15 classes";
	if (!is_average(f->avg))
		return "the average is no power of two from 256 to 2097152";
	for (size_t i = 0; i < f->class_count; i++) {
		if (!is_average(f->classes[i].avg))
			return "the average of a class is no power of two from 256 to 2097152";
		if (f->classes[i].below == 0)
			return "a class has no content";
		if (i > 0 && f->classes[i].below <= f->classes[i - 1].below)
			return "the classes do not ascend";
	}
	return NULL;
}

int format_encode(struct buf *out, struct store_format *f, struct hash *h, struct store_error *err)
{
	const char *fault = find_fault(f);
	const size_t start = out->len;
	size_t lines;
	int rc;

	if (fault)
		return store_error_set(err, STORE_EINVAL, "%s", fault);
	buf_addf(out,
		"store format 1\nincompatible %016" PRIx64 "\nread-only-compatible %016" PRIx64
		"\ncompatible %016" PRIx64 "\nhash sha256\n",
		f->incompatible, f->read_only_compatible, f->compatible);
	lines = out->len;
	buf_addf(out, "chunking %" PRIu32 "\n", f->avg);
	for (size_t i = 0; i < f->class_count; i++)
		buf_addf(out, "class %" PRIu64 " %" PRIu32 "\n", f->classes[i].below,
			f->classes[i].avg);
	if (!out->failed)
		hash_once(h, out->data + lines, out->len - lines, &f->parameters);
	text_add_id(out, "parameters", &f->parameters);
	rc = buf_check(out, err);
	if (rc != 0)
		out->len = start;
	return rc;
}

static uint64_t take_mask(struct text *t, const char *key)
{
	struct text_slice word;
	uint64_t mask = 0;

	text_key(t, key);
	word = text_word(t);
	text_eol(t);
	if (t->rc == 0 && !text_parse_hex64(word, &mask))
		text_fail(t, "a mask has 16 hexadecimal digits");
	return mask;
}

static void take_chunking(struct text *t, struct store_format *f)
{
	text_key(t, "chunking");
	f->avg = (uint32_t)text_u64(t, UINT32_MAX);
	text_eol(t);
	while (text_has(t, "class")) {
		struct format_class c;

		text_key(t, "class");
		c.below = text_u64(t, UINT64_MAX);
		c.avg = (uint32_t)text_u64(t, UINT32_MAX);
		text_eol(t);
		if (f->class_count == FORMAT_CLASSES)
			text_fail(t, "there are more than %d classes", FORMAT_CLASSES);
		else
			f->classes[f->class_count++] = c;
	}
	if (t->rc == 0 && find_fault(f))
		text_fail(t, "%s", find_fault(f));
}

/* The lines that a newer store may have changed: version, masks, hash. */
static int take_features(struct text *t, struct store_format *f)
{
	struct text_slice hash;
	uint64_t version;
	char quoted[80];

	text_key(t, "store format");
	version = text_u64(t, UINT64_MAX);
	text_eol(t);
	if (t->rc == 0 && version != 1)
		return store_error_set(t->err, STORE_EVERSION,
			"the repository has format %" PRIu64 ": a newer store is needed", version);
	f->incompatible = take_mask(t, "incompatible");
	if (t->rc == 0 && check_readable(f->incompatible, t->err) != 0)
		return STORE_EVERSION;
	f->read_only_compatible = take_mask(t, "read-only-compatible");
	f->compatible = take_mask(t, "compatible");
	text_key(t, "hash");
	hash = text_word(t);
	text_eol(t);
	if (t->rc == 0 && !text_slice_eq(hash, text_slice_of("sha256")))
		return store_error_set(t->err, STORE_EVERSION,
			"the repository uses the hash '%s': a newer store is needed",
			quote_msg(quoted, sizeof(quoted), hash.p, hash.len));
	return t->rc;
}

int format_parse(struct store_format *f, const void *data, size_t len, struct hash *h,
	struct store_error *err)
{
	struct oid digest;
	const char *lines;
	struct text t;
	int rc;

	*f = (struct store_format){ 0 };
	text_init(&t, "format", data, len, err);
	rc = take_features(&t, f);
	if (rc != 0)
		return rc;
	lines = t.p;
	take_chunking(&t, f);
	if (t.rc == 0)
		hash_once(h, lines, (size_t)(t.p - lines), &digest);
	text_key(&t, "parameters");
	text_id(&t, &f->parameters);
	text_eol(&t);
	if (t.rc == 0 && !id_eq(&digest, &f->parameters))
		text_fail(&t, "the digest of the chunking lines is another");
	return text_end(&t);
}

int format_check_writable(const struct store_format *f, struct store_error *err)
{
	const uint64_t unknown = f->read_only_compatible & ~FORMAT_READ_ONLY_KNOWN;
	char bits[300];

	if (unknown == 0)
		return 0;
	name_bits(bits, sizeof(bits), unknown, NULL, 0);
	return store_error_set(err, STORE_EVERSION,
		"the repository may only be read, it uses %s: a newer store is needed to write",
		bits);
}

unsigned int format_class_of(const struct store_format *f, uint64_t size)
{
	for (unsigned int i = 0; i < f->class_count; i++) {
		if (size < f->classes[i].below)
			return i + 1;
	}
	return 0;
}

uint32_t format_class_avg(const struct store_format *f, unsigned int class_number)
{
	if (class_number == 0)
		return f->avg;
	return class_number <= f->class_count ? f->classes[class_number - 1].avg : 0;
}

uint32_t format_largest_avg(const struct store_format *f)
{
	uint32_t avg = 0;

	for (unsigned int i = 0; i <= f->class_count; i++) {
		if (format_class_avg(f, i) > avg)
			avg = format_class_avg(f, i);
	}
	return avg;
}
