/*
 * Lists of files that were found anywhere: text, JSON lines and CSV, to standard output or a file.
 * What was found is written batch by batch, so that the next program in a pipe can begin while the
 * search goes on.
 */
#include "cli/list_format.h"
#include "cli/json.h"
#include "cli/output.h"
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

void list_release(struct list_output *l)
{
	line_release(&l->text);
	line_release(&l->path);
}

/* --- forms --------------------------------------------------------------------------------- */

const char *list_join(struct list_output *l, const char *root, const char *path)
{
	const bool is_here = strcmp(root, ".") == 0 && *path;
	const size_t len = strlen(root);

	line_clear(&l->path);
	if (!is_here)
		line_string(&l->path, root);
	if (!is_here && *path && root[len - 1] != '/')
		line_string(&l->path, "/");
	line_string(&l->path, path);
	return l->path.data;
}

void list_add_path(struct list_output *l, const char *path)
{
	if (l->cli->global.nul) {
		line_string(&l->text, path);
		line_add(&l->text, "", 1);
	} else {
		line_quoted(&l->text, path, false);
		line_string(&l->text, "\n");
	}
}

void list_csv_field(struct line *t, const char *name)
{
	struct line quoted = { 0 };

	line_quoted(&quoted, name, false);
	if (!strpbrk(quoted.data, ",\"")) {
		line_string(t, quoted.data);
	} else {
		line_string(t, "\"");
		for (const char *s = quoted.data; *s; s++)
			line_add(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
		line_string(t, "\"");
	}
	line_release(&quoted);
}

void list_write(struct list_output *l, bool force)
{
	if (l->rc != 0 || (!force && l->text.len < TEXT_MAX))
		return;
	if (l->sink.fd != -1) {
		l->rc = sink_write(l->cli, &l->sink, l->text.data, l->text.len);
		line_clear(&l->text);
	} else {
		output_text(&l->text);
		output_flush();
	}
}

void list_json_file(struct line *t, uint32_t mode, int64_t mtime, uint32_t mtime_ns, uint64_t inode,
	uint64_t device)
{
	json_number(t, "mode", mode & 07777U);
	json_signed(t, "mtime", mtime);
	json_number(t, "mtime_ns", mtime_ns);
	json_number(t, "inode", inode);
	json_number(t, "device", device);
}

void list_csv_time(struct line *t, int64_t mtime, uint32_t mtime_ns)
{
	line_format(t, "%lld.%09u", (long long)mtime, mtime_ns);
}

/* --- options ------------------------------------------------------------------------------- */

bool list_find_word(const char *word, const char *const *words, int *out)
{
	*out = 0;
	if (!word)
		return true;
	for (int i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0) {
			*out = i;
			return true;
		}
	return false;
}

int list_read_format(struct cli *cli, const char *word, enum list_format *out)
{
	static const char *const formats[] = { "text", "json", "csv", NULL };
	int form;

	if (!list_find_word(word, formats, &form))
		return output_usage(cli, "--format is text, json or csv, not '%s'", word);
	if (cli->global.json && word && form != LIST_JSON)
		return output_usage(cli, "--json goes with no other --format");
	*out = cli->global.json ? LIST_JSON : (enum list_format)form;
	if (cli->global.nul && *out != LIST_TEXT)
		return output_usage(cli, "-z goes with --format text only");
	return 0;
}

int list_read_size(struct cli *cli, const char *option, const char *word, uint64_t more,
	uint64_t *out)
{
	uint64_t n;

	if (!word)
		return 0;
	if (!line_to_number(word, true, UINT64_MAX - 1, &n))
		return output_usage(cli, "%s wants a number of bytes, not '%s'", option, word);
	*out = n + more;
	return 0;
}

void list_split_names(const struct strings *lists, struct strings *out)
{
	for (size_t i = 0; i < lists->n; i++) {
		for (const char *s = lists->items[i]; *s;) {
			const size_t len = strcspn(s, ",");
			const size_t dot = *s == '.';
			char *name = line_realloc(NULL, len + 1);

			memcpy(name, s + dot, len - dot);
			name[len - dot] = '\0';
			if (*name)
				strings_push(out, name);
			else
				free(name);
			s += len + (s[len] == ',');
		}
	}
}
