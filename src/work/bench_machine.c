/* What is measured on: a figure without its machine tells nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/pipeline.h"
#include "data/codec.h"
#include "data/hash.h"
#include "odb/env.h"
#include "store.h"

/* The value of a line "model name : ..." of /proc/cpuinfo; "" where there is none. */
static void read_cpu(char *out, size_t cap)
{
	static const char key[] = "model name";
	char line[512];
	FILE *f = fopen("/proc/cpuinfo", "re");

	out[0] = '\0';
	while (f && !out[0] && fgets(line, sizeof(line), f)) {
		const char *value = strchr(line, ':');

		if (!value || strncmp(line, key, sizeof(key) - 1) != 0)
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(out, cap, "%.*s", (int)strcspn(value, "\n"), value);
	}
	if (f)
		fclose(f);
}

void store_bench_machine(struct store_bench_machine *out)
{
	const struct store_bench_library libraries[STORE_BENCH_LIBRARIES] = {
		{ "openssl", hash_library_version() },
		{ "lmdb", env_library_version() },
		{ "zlib", codec_zlib_version() },
		{ "isa-l", codec_zlib_isal_version() },
		{ "libdeflate", codec_zlib_libdeflate_version() },
		{ "zstd", codec_zstd_version() },
	};
	struct utsname u;

	memset(out, 0, sizeof(*out));
	out->processors = pipeline_threads(0);
	read_cpu(out->cpu, sizeof(out->cpu));
	if (uname(&u) == 0)
		snprintf(out->kernel, sizeof(out->kernel), "%.40s %.80s", u.sysname, u.release);
	memcpy(out->libraries, libraries, sizeof(libraries));
}
