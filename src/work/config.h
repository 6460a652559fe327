/*
 * Configuration: INI by inih. Precedence: strings given at open ("key=value"), environment,
 * repository (.store/config), user ($XDG_CONFIG_HOME/store/config or ~/.config/store/config),
 * built-in.
 */
#ifndef STORE_WORK_CONFIG_H
#define STORE_WORK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_error;
struct config;

/*
 * Load. overrides: "key=value" strings, NULL-terminated, or NULL. store_dir: folder with the file
 * `config`, or NULL (init). An unknown section or key of our own sections is STORE_EINVAL naming
 * the nearest key (user-defined sections begin with "x-"). Caller frees with config_free. Copies
 * all.
 */
int config_load(struct config **out, const char *const *overrides, const char *store_dir,
	struct store_error *err);
void config_free(struct config *c);

/*
 * Values, or the built-in default of the key's table row. NULL: none. Borrowed: valid until
 * config_free.
 */
const char *config_text(const struct config *c, const char *key);
/* Typed: parse errors are STORE_EINVAL and name key, value and where it was set. */
int config_bool(const struct config *c, const char *key, bool *out, struct store_error *err);
int config_number(const struct config *c, const char *key, uint64_t *out, struct store_error *err);
/*
 * "64", "64KB" (1000), "64KiB" (1024)? See store-config: B, KB, MB, GB, TB are powers of 1024, as
 * in the seeds; KiB.. the same.
 */
int config_size(const struct config *c, const char *key, uint64_t *out, struct store_error *err);
/* "30s", "5m", "250ms"; a bare number is seconds.  Out in milliseconds. */
int config_duration_ms(const struct config *c, const char *key, uint64_t *out,
	struct store_error *err);

#endif
