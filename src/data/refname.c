/*
 * Ref names.  Source: git-check-ref-format(1), whose ten rules are each one line below;
 * t/unit/u_refname.c asks that command itself about random names.  They guard more than taste: no
 * name can leave a folder (..), look like an option of the revision grammar (~ ^ : @{), be a
 * pattern, or carry control characters to a terminal.
 */
#include "data/refname.h"

#include <string.h>

#include "base/error.h"
#include "base/quote.h"
#include "data/limits.h"

static bool is_forbidden(unsigned char c)
{
	return c < 0x20 || c == 0x7f || strchr(" ~^:?*[\\", c);
}

static bool ends_with_lock(const char *p, size_t len)
{
	return len >= 5 && memcmp(p + len - 5, ".lock", 5) == 0;
}

/* One part between slashes: what it breaks, or NULL. */
static const char *find_component_fault(const char *p, size_t len)
{
	if (len == 0)
		return "it has an empty part";
	if (p[0] == '.')
		return "a part of it begins with '.'";
	if (ends_with_lock(p, len))
		return "a part of it ends with '.lock'";
	for (size_t i = 0; i < len; i++) {
		if (is_forbidden((unsigned char)p[i]))
			return "it holds a control character, a blank or one of ~^:?*[\\";
		if (p[i] == '.' && i + 1 < len && p[i + 1] == '.')
			return "it holds '..'";
		if (p[i] == '@' && i + 1 < len && p[i + 1] == '{')
			return "it holds '@{'";
	}
	return NULL;
}

static const char *find_fault(const char *p, size_t len, unsigned int flags)
{
	size_t start = 0;

	if (len == 0)
		return "it is empty";
	if (len > LIMIT_REF)
		return "it is longer than 255 bytes";
	if (len == 1 && p[0] == '@')
		return "'@' stands for HEAD";
	if (p[len - 1] == '.')
		return "it ends with '.'";
	if (!(flags & REFNAME_ONE_LEVEL) && !memchr(p, '/', len))
		return "it has no '/'";
	for (size_t i = 0; i <= len; i++) {
		if (i == len || p[i] == '/') {
			const char *fault = find_component_fault(p + start, i - start);

			if (fault)
				return fault;
			start = i + 1;
		}
	}
	return NULL;
}

static int refuse(const void *name, size_t len, const char *fault, struct store_error *err)
{
	char quoted[300];

	return store_error_set(err, STORE_EINVAL, "'%s' cannot be the name of a ref: %s",
		quote_msg(quoted, sizeof(quoted), name, len), fault);
}

int refname_check(const void *name, size_t len, unsigned int flags, struct store_error *err)
{
	const char *fault = find_fault(name, len, flags);

	return fault ? refuse(name, len, fault, err) : 0;
}

int refname_full(struct buf *out, const char *prefix, const void *name, size_t len,
	struct store_error *err)
{
	int rc;

	if (len > 0 && *(const char *)name == '-')
		return refuse(name, len, "it begins with '-'", err);
	if (strcmp(prefix, REFNAME_HEADS) == 0 && len == 4 && memcmp(name, "HEAD", 4) == 0)
		return refuse(name, len, "a branch of that name would hide HEAD", err);
	/* The bound comes before the copy: the name may be anything a user could type. */
	if (len > LIMIT_REF)
		return refuse(name, len, "it is longer than 255 bytes", err);
	buf_clear(out);
	buf_add_str(out, prefix);
	buf_add(out, name, len);
	rc = buf_check(out, err);
	if (rc != 0)
		return rc;
	return refname_check(out->data, out->len, 0, err);
}
