/*
 * libstore: versioned, content-addressed storage of large and small files.
 *
 * What it is. A repository is a folder `.store` beside the files it versions (the working tree).
 * Content is cut into chunks that are named by their SHA-256 and kept once; files are sequences of
 * chunks, directories are maps, and a commit names one state of the whole tree, its parents, and
 * who made it. Between the working tree and the next commit stands the stage: store_add makes it
 * equal to files on disk, store_commit makes a commit of it. Every byte that is handed out was
 * proven against the id that names it.
 *
 * Handles. A struct store_repo is one open repository. Iterators, readers and writers are made from
 * it and must be freed before it is closed. Two handles on one repository in two threads or
 * processes work, and readers never wait for writers.
 *
 * Threads. One handle serves one thread at a time: calls with the handle and with its iterators,
 * and to open a reader or a writer of a stream is such a call. From then on, until it is freed,
 * each reader and writer may be used in a thread of its own, by one thread at a time, beside the
 * others and beside calls on the handle. Calls that take no handle may be made by any thread.
 *
 * Fork. In a child what would read or write by a handle of its parent is refused (STORE_EINVAL);
 * store_close is not, and leaves the parent's as it is.
 *
 * Errors. A function that can fail returns 0 or a negative STORE_E* and, when its last argument is
 * not NULL, fills that struct store_error with one line that names cause, object and reason. The
 * library never prints, never exits and installs no signal handlers.
 *
 * Paths are bytes, not text: NUL-terminated, relative to the top of the working tree, names
 * separated by '/', no "." or "..", no '/' at either end; "" is the top itself. Revisions are text
 * as in store(1), "Naming content".
 *
 * Memory is bounded: nothing grows with the size of a file, the number of files or the size of the
 * repository.
 *
 * What every function may return besides what is told above it: STORE_EIO (the system could not
 * read or write), STORE_ENOMEM, and, where it reads stored bytes, STORE_ECORRUPT when they do not
 * prove themselves; STORE_ECANCELED where it takes callbacks. Sizes, lengths and offsets are bytes;
 * times are seconds since 1970; counts are of what their name tells. Pointers that are handed in
 * are only looked at during the call. Results are filled by the call and own nothing, unless it is
 * said; on an error what they hold is not to be relied on, but for counters.
 *
 * Ownership is told in one of four sentences above each function. Options structs may be zeroed:
 * zero is the default; NULL is all zero. A version that this library does not know is refused
 * (STORE_EINVAL) before anything else of the struct is looked at.
 */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STORE_API __attribute__((visibility("default")))
#else
#define STORE_API
#endif

/* ---------------------------------------------------------------- errors */

/* What went wrong, as a decision the caller can take. */
enum {
	STORE_OK = 0,
	STORE_EIO = -1,         /* the system could not read or write */
	STORE_ENOTFOUND = -2,   /* no such object, path, revision, key or repository */
	STORE_EEXISTS = -3,     /* it is there already */
	STORE_ECORRUPT = -4,    /* stored bytes do not prove themselves */
	STORE_EBUSY = -5,       /* another holds it; trying again may help */
	STORE_EDENIED = -6,     /* permission, or a repository of another user */
	STORE_ENOSPACE = -7,    /* disk full or quota */
	STORE_ENOMEM = -8,      /* out of memory */
	STORE_EINVAL = -9,      /* the request or its input cannot be */
	STORE_ENET = -10,       /* network */
	STORE_ECANCELED = -11,  /* a callback asked to stop */
	STORE_EVERSION = -12,   /* written by a newer format */
	STORE_ECONFLICT = -13,  /* content would be lost, or the expected version is not there */
	STORE_EAMBIGUOUS = -14, /* several things fit the name */
	STORE_EEMPTY = -15,     /* nothing to commit */
	STORE_EMISSING = -16,   /* a chunk of content is not there, and should be */
};

struct store_error {
	int code;      /* STORE_E*, 0 = nothing recorded */
	int sys;       /* errno when detected, or 0 */
	char msg[500]; /* one line; no newline, no final stop */
};

/* Version of the library, "MAJOR.MINOR.PATCH". Borrowed: valid until the program ends. */
STORE_API const char *store_version(void);

/* ---------------------------------------------------------------- ids and entries */

struct store_id {
	uint8_t bytes[32]; /* SHA-256 */
};

#define STORE_HEX_LEN 64

/* Write 64 lower-case hex digits and a NUL into hex; returns hex.  Never fails.  Copies id. */
STORE_API char *store_id_hex(char hex[STORE_HEX_LEN + 1], const struct store_id *id);

enum store_kind {
	STORE_KIND_NONE = 0, /* absent */
	STORE_KIND_FILE = 1,
	STORE_KIND_EXEC = 2, /* a file with the executable bit */
	STORE_KIND_DIR = 3,
	STORE_KIND_LINK = 4, /* a symbolic link; its content is its target */
};

/*
 * Content or a tree: what an id means follows from kind, height and size, which therefore go with
 * it everywhere.
 */
struct store_node {
	struct store_id
		id;     /* all zero: a staged directory that no commit stored; only kind is set */
	uint8_t kind;   /* enum store_kind */
	uint8_t height; /* levels of nodes above the chunks; of a directory: its root node's */
	uint64_t size;  /* bytes of the content; of a directory: of all files and links below it */
	uint64_t files; /* directory: files and links below it; else 1 */
	uint64_t dirs;  /* directory: directories below it, itself not counted; else 0 */
};

/* ---------------------------------------------------------------- callbacks */

struct store_progress {
	const char *stage;           /* "add", "commit", "checkout", "fsck 2/6 index", ... */
	uint64_t files, files_total; /* totals are 0 while unknown */
	uint64_t bytes, bytes_total;
	/* The totals are a guess by how far a walk has come, until it is through. */
	int is_guess;
};

enum store_notice_kind {
	STORE_NOTICE_UNREADABLE = 1, /* could not be read or listed: text is why; staged it stays */
	STORE_NOTICE_CHANGED,        /* path changed while it was read, twice; staged it stays */
	STORE_NOTICE_BORDER,         /* path is a repository of its own: not entered */
	STORE_NOTICE_IGNORED,        /* the operand path is ignored: not added */
	STORE_NOTICE_SPECIAL,        /* path is a FIFO, socket or device: never opened, left out */
	STORE_NOTICE_LIMIT, /* path is over a limit of the format: left out; text names the limit */
	STORE_NOTICE_CONFLICT,  /* path holds content that would be lost; text says what kind */
	STORE_NOTICE_CORRUPT,   /* fsck: text names pack, offset, object; path one that uses it */
	STORE_NOTICE_PHASE,     /* fsck: a phase begins; text names it */
	STORE_NOTICE_INFO,      /* text is worth a line to the user */
	STORE_NOTICE_WOULD_ADD, /* dry run: path would be staged; bytes is its size */
	STORE_NOTICE_WOULD_DELETE, /* dry run: path would be staged as deleted */
	STORE_NOTICE_REMOVED,      /* rm: path goes from the stage, or would in a dry run */
	STORE_NOTICE_MOVED,        /* mv: path goes to the path text, or would in a dry run */
};

struct store_notice {
	enum store_notice_kind kind;
	const char *path; /* "" when none */
	const char *text; /* "" when none */
	uint64_t bytes;
};

/*
 * Callbacks run on the thread that called the library; of the same handle they may ask the paths
 * (store_prefix), and nothing else. progress at most ten times a second; a non-zero return cancels
 * the operation, which then returns STORE_ECANCELED having left nothing half done. notice tells of
 * things that do not end the operation. Any may be NULL.
 * Borrowed: what they are given is valid until they return.
 */
struct store_callbacks {
	int (*progress)(void *payload, const struct store_progress *p);
	void (*notice)(void *payload, const struct store_notice *n);
	void *payload;
};

/* Work counted by an operation: for --stats and for tests that count instead of trusting. */
struct store_stats {
	uint64_t files, bytes;  /* looked at and of interest */
	uint64_t opened;        /* files opened to be read */
	uint64_t chunks;        /* chunks hashed */
	uint64_t new_chunks;    /* of these not yet in the repository */
	uint64_t new_objects;   /* objects of all kinds written */
	uint64_t new_bytes;     /* their plain bytes */
	uint64_t stored_bytes;  /* bytes of packs written */
	uint64_t decoded_bytes; /* plain bytes of blocks decoded */
	uint64_t nodes_read;
	uint64_t publications;
	uint64_t peak_anon; /* peak RssAnon of the process in bytes, 0 unknown */
	uint64_t peak_rss;  /* ru_maxrss in bytes */
	double seconds;
};

/* ---------------------------------------------------------------- repositories */

struct store_repo;

struct store_init_options {
	unsigned int version; /* 0 */
	const char *branch;   /* first branch; NULL: init.defaultBranch of the user, else "main" */
	/* Bytes, a power of two from 256 to 2097152; 0: chunking.average, else 65536. */
	uint32_t chunk_average;
	/* "key=value" strings that go before all files, NULL-terminated; may be NULL. */
	const char *const *config;
};

struct store_init_result {
	int existed;     /* it was a repository already; nothing changed */
	int inside;      /* the folder lies within the working tree of another repository */
	char path[4096]; /* of the .store folder */
};

/*
 * Make dir (a path as the system takes it; created if need be, with those above it) a repository.
 * Again on one: existed = 1, nothing changes. STORE_EEXISTS: it is one with another chunk_average;
 * STORE_EINVAL: a chunk_average or branch that cannot be; STORE_EDENIED, STORE_ENOSPACE. Writes
 * some 4 MiB, whatever dir holds. result: never NULL. Copies dir and options.
 */
STORE_API int store_init(const char *dir, const struct store_init_options *options,
	struct store_init_result *result, struct store_error *err);

struct store_open_options {
	unsigned int version; /* 0 */
	/* Where to look for .store, going upwards; NULL: the current directory. */
	const char *start;
	/* The .store folder itself; NULL: STORE_DIR of the environment, else discovery. */
	const char *store_dir;
	/* "key=value" strings that go before all files, NULL-terminated; may be NULL. */
	const char *const *config;
	unsigned int threads; /* for bulk operations; 0: one per processor; 1: start none */
	/* The caller means to change it: STORE_EDENIED for a repository of another user. */
	int write;
};

/*
 * Find and open. STORE_ENOTFOUND outside a repository, the message names `store init`.
 * STORE_EVERSION for a newer format; STORE_EDENIED as told at `write`; STORE_EINVAL for a
 * configuration that cannot be read. Reads configuration, `format` and the first pages of the
 * database: its cost does not grow with the repository. options may be NULL. Caller frees with
 * store_close. Copies options.
 */
STORE_API int store_open(struct store_repo **out, const struct store_open_options *options,
	struct store_error *err);
/* repo may be NULL.  Iterators and readers made from it were freed before. */
STORE_API void store_close(struct store_repo *repo);
/*
 * Absolute path of the working tree and of the .store folder. Never fail. Borrowed: valid until
 * store_close.
 */
STORE_API const char *store_work_tree(const struct store_repo *repo);
STORE_API const char *store_dir(const struct store_repo *repo);
/*
 * Where start lies below the top of the working tree: "" or "a/b". Never fails. Borrowed: valid
 * until store_close.
 */
STORE_API const char *store_prefix(const struct store_repo *repo);

/*
 * An operand as typed (relative to start, or absolute) to a path of the working tree, by its words
 * alone; nothing on disk is looked at beyond the folder that holds it. "" and "." are start itself.
 * STORE_EINVAL outside the working tree. Caller frees with free.
 */
STORE_API int store_operand(const struct store_repo *repo, const char *operand, char **out_path,
	struct store_error *err);

/*
 * A configuration value by key ("user.name"), from flags, environment, repository, user, built-in,
 * in this order. STORE_ENOTFOUND when it has none; STORE_EINVAL for a key that is unknown, with the
 * nearest one. No file is read: they were at store_open. Caller frees with free.
 */
STORE_API int store_config_get(const struct store_repo *repo, const char *key, char **out_value,
	struct store_error *err);

/* Where a value stands; a later level goes before an earlier one. */
enum store_config_level {
	STORE_CONFIG_BUILT_IN = 0,
	STORE_CONFIG_USER = 1, /* $XDG_CONFIG_HOME/store/config, else ~/.config/store/config */
	STORE_CONFIG_REPOSITORY = 2, /* .store/config */
	STORE_CONFIG_ENVIRONMENT = 3,
	STORE_CONFIG_FLAG = 4,
};

struct store_config_entry {
	const char *key;   /* as store-config(5) spells it */
	const char *value; /* a name alone in a file is "true" */
	enum store_config_level level;
	const char *origin; /* path of the file, name of the variable, else "" */
	unsigned int line;  /* in the file, from 1; else 0 */
	/* What the user should know: the key has no counterpart, or less than the value counts. */
	const char *remark; /* NULL: nothing */
};

struct store_config_options {
	unsigned int version; /* 0 */
	/* As in struct store_open_options. */
	const char *start;
	const char *store_dir;
	const char *const *config;
	int user; /* the user's file alone, to be read or changed */
};

/* Non-zero ends; it is returned by the call that called back.  Borrowed: valid until it returns. */
typedef int (*store_config_fn)(void *payload, const struct store_config_entry *entry);

/*
 * Every value of key (NULL: of all keys), lowest level first and in the order of the files: the
 * last one counts, but of keys that may stand several times each does. No repository is needed and
 * no database opened; outside of one there is no such level. Of a repository of another user the
 * programs that its file names are left out. STORE_EINVAL: an unknown key, in files, too, or a file
 * that cannot be read. Cost: two small files. options may be NULL. Copies options.
 */
STORE_API int store_config_each(const struct store_config_options *options, const char *key,
	store_config_fn fn, void *payload, struct store_error *err);

enum {
	STORE_CONFIG_ADD = 1, /* another value beside those that stand there */
};

/*
 * Set key in the file config of the repository, or of the user. The text of the file stays as it
 * is, but for the value; it is replaced whole and under a lock, and keeps its mode; of a symbolic
 * link its target changes. STORE_EINVAL: the key is unknown or not for that file, or value is none
 * for it; STORE_ECONFLICT: it stands there several times and each counts; STORE_ENOTFOUND outside a
 * repository; STORE_EDENIED, the repository of another user; STORE_EBUSY, another changes it.
 * remark (may be NULL): as in struct store_config_entry, "" for nothing. Copies options.
 */
STORE_API int store_config_set(const struct store_config_options *options, const char *key,
	const char *value, unsigned int flags, char remark[300], struct store_error *err);
/*
 * Take key out of that file: the lines with value (NULL: all of its lines); out_count tells how
 * many there were. A key that is unknown may stand there, too. Otherwise as store_config_set.
 */
STORE_API int store_config_unset(const struct store_config_options *options, const char *key,
	const char *value, size_t *out_count, struct store_error *err);

/* A key that is known. */
struct store_config_key {
	const char *name;
	const char *type;     /* text, bool, number, size, duration, words, path */
	const char *fallback; /* the built-in value; NULL: none */
	const char *variable; /* the environment variable that goes before files; NULL: none */
	const char *help;     /* one line */
	const char *unused;   /* why nothing corresponds to it; NULL: something does */
	/* Of types words and bool: what a value may be, NULL behind the last; of others NULL. */
	const char *const *words;
};
/*
 * The key at pos, in the order of their names, into *out; STORE_ENOTFOUND behind the last.
 * Borrowed: valid until the program ends.
 */
STORE_API int store_config_key(size_t pos, struct store_config_key *out);

/* ---------------------------------------------------------------- add */

enum {
	STORE_ADD_UPDATE = 1,     /* tracked paths only (-u) */
	STORE_ADD_NO_REMOVAL = 2, /* deletions are not staged */
	STORE_ADD_FORCE = 4,      /* take ignored paths too */
	STORE_ADD_DRY_RUN = 8,    /* write nothing, tell by notices */
};

struct store_add_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_ADD_* */
	struct store_callbacks callbacks;
};

struct store_add_result {
	/* Files and symbolic links; one of another type than before is deleted and added. */
	uint64_t added, modified, deleted;
	uint64_t directories; /* that are new or gone, beside what lies in them */
	uint64_t unchanged;
	/* Unreadable, changing, over a limit: each was a notice; > 0 means "done, but". */
	uint64_t skipped;
	uint64_t ignored_operands; /* operands that are ignored: each was a notice */
	uint64_t special;          /* FIFOs, sockets, devices */
	struct store_stats stats;
};

/*
 * Make the stage below each of paths (n of them, in any order; "" is the whole tree) equal to the
 * working tree. Nothing staged: STORE_ENOTFOUND, a path neither on disk nor tracked; STORE_EINVAL,
 * a path beyond a symbolic link, in a .store folder or inside another repository; STORE_EDENIED,
 * the repository of another user. What cannot be read is a notice and keeps what is staged. Work
 * goes in whole steps: cut short (STORE_ENOSPACE, STORE_EBUSY, a callback), the next call goes on.
 * Cost: one look at each file below the paths; those that changed are read once. result may be
 * NULL. Copies paths and options.
 */
STORE_API int store_add(struct store_repo *repo, const char *const *paths, size_t n,
	const struct store_add_options *options, struct store_add_result *result,
	struct store_error *err);

/* ---------------------------------------------------------------- writing a stream */

/* What the caller expects to find staged at the path of a writer. */
enum store_expect {
	STORE_EXPECT_ANYTHING = 0,
	STORE_EXPECT_NONE = 1, /* nothing: the path is new */
	STORE_EXPECT_ID = 2,   /* this content */
};

struct store_writer_options {
	unsigned int version; /* 0 */
	const char *path;     /* of the file that comes to be; folders above it need not be there */
	enum store_expect expect;
	struct store_id expected; /* STORE_EXPECT_ID: as store_node.id has it */
	/*
	 * The executable bit: 1 or -1, the entry has it or not; 0, as what is staged at path when
	 * the writer is opened. Other permission bits, where they are recorded, stay as staged.
	 */
	int executable;
	int verify;        /* read all of it back before it is staged */
	int count_version; /* compute `version`, too: costs a look at every layer of history */
	const char *codec; /* "none", "zlib", "zstd"; NULL: as configured */
	/*
	 * Bytes that are to come; 0: unknown, unless the first that comes is a regular file by
	 * store_writer_write_fd. It need not hold: see store_writer_open.
	 */
	uint64_t size;
	/*
	 * progress: during writes and store_writer_finish, until all that is left is to publish; a
	 * stage is "put", then "verify" and "version" as asked for; bytes_total is `size`. No
	 * notices come.
	 */
	struct store_callbacks callbacks;
};

/* How far a writer has come. */
struct store_writer_progress {
	uint64_t bytes;                 /* taken in */
	uint64_t buffered;              /* of them: not yet looked at; at most 1 MiB */
	uint64_t chunks;                /* cut so far */
	uint64_t new_chunks, new_bytes; /* of those, what the repository did not have */
};

struct store_writer_result {
	struct store_node node; /* what is staged now: id, kind, height and size */
	uint64_t chunks;        /* of the content */
	uint64_t new_chunks;    /* of them, those the repository did not have */
	uint64_t new_bytes;     /* of all objects stored, plain */
	uint64_t stored_bytes;  /* of the packs that hold them */
	struct store_stats stats;
	/*
	 * With count_version: 0 for a path that HEAD does not have; else how often the commits of
	 * first parents have changed it since it was last added, and one more when this differs
	 * from HEAD.
	 */
	uint64_t version;
};

struct store_writer;
/*
 * Begin to store a stream as the file at path. Nothing of it shows before store_writer_finish, and
 * never if that is not called: what chunks came are left for gc. STORE_EINVAL: no path, or no
 * codec; STORE_ECONFLICT: a directory is tracked there, a file is tracked above it, or the
 * expectation does not hold; STORE_ENOTFOUND: content is expected, and there is none;
 * STORE_EDENIED: another user's repository; STORE_EBUSY: another held the write lock for long.
 * Ignore rules are not asked. Costs a thread, 1 MiB beside the memory of store_add, and a
 * publication. A writer is used by one thread at a time, and not after fork; writers and readers of
 * one handle may be in threads of their own. Caller frees with store_writer_free, before the handle
 * is closed. Copies options.
 *
 * The id is that of store_add for a file of the same bytes. Where the repository has several
 * classes of chunk sizes, content of more than 1 MiB is cut by `size`; when it turns out to have
 * another class, store_writer_finish reads it back and cuts it again, and the chunks of the first
 * time are left for gc. Without `size` that is so for what is smaller than the last threshold.
 */
STORE_API int store_writer_open(struct store_repo *repo, const struct store_writer_options *options,
	struct store_writer **out, struct store_error *err);
/*
 * The next len bytes of data, however many; waits while the pipeline is behind. An error of the
 * pipeline is told by the next call. After an error the writer can only be freed. Copies data.
 */
STORE_API int store_writer_write(struct store_writer *w, const void *data, size_t len,
	struct store_error *err);
/*
 * All that fd, which may be a pipe or a socket, gives until its end; it stays open. Waits for it,
 * also where O_NONBLOCK is set. A signal does not end it, progress may.
 */
STORE_API int store_writer_write_fd(struct store_writer *w, int fd, struct store_error *err);
/*
 * All that source gives: it fills data (room for len bytes) and returns how many, 0 at the end;
 * negative stops with STORE_ECANCELED.
 */
typedef ptrdiff_t (*store_source_fn)(void *payload, void *data, size_t len);
STORE_API int store_writer_write_from(struct store_writer *w, store_source_fn source, void *payload,
	struct store_error *err);
/* How far it is, at any time until it is freed; cut again, it begins anew.  Never fails. */
STORE_API void store_writer_progress(struct store_writer *w, struct store_writer_progress *out);
/*
 * The stream is whole: stage it, as one step, on disk when this returns. The expectation must hold
 * still (STORE_ECONFLICT, STORE_ENOTFOUND); STORE_EBUSY: another held the write lock for long.
 * Where the same content with the same executable bit is staged already, nothing is written, and
 * what was seen of the file stays known. After it, also after an error, the writer can only be
 * freed. result may be NULL.
 */
STORE_API int store_writer_finish(struct store_writer *w, struct store_writer_result *result,
	struct store_error *err);
/*
 * Give up what was not finished; waits for the pipeline. After fork it frees nothing that the
 * parent's threads use. w may be NULL.
 */
STORE_API void store_writer_free(struct store_writer *w);

/* ---------------------------------------------------------------- commit */

struct store_commit_options {
	unsigned int version; /* 0 */
	const char *message;  /* text; LF between lines; at most 1 MiB */
	int allow_empty;
	int dry_run;        /* compute the root that would result, write nothing */
	const char *author; /* "NAME <MAIL>"; NULL: environment, configuration, login */
	const char *date;   /* author date; NULL: STORE_AUTHOR_DATE, SOURCE_DATE_EPOCH, now */
	/*
	 * Replace this commit, which HEAD is on: the new one has its parents, its message when none
	 * is given, and of its author and date what neither author nor date nor reset_author
	 * changes. NULL: a commit on top of HEAD.
	 */
	const struct store_id *amend;
	int reset_author;
	struct store_callbacks callbacks;
};

struct store_commit_result {
	struct store_id id;     /* of the commit; zero in a dry run */
	struct store_node root; /* the tree */
	uint64_t generation;
	uint64_t added, modified, deleted; /* files, by the changes against the parent */
	int is_counted;                    /* 0: a dry run that may not write has no counts */
	char branch[256];                  /* short name; "" when HEAD is detached */
	int identity_guessed; /* user.name and user.email were not set: worth one hint */
	struct store_stats stats;
};

/*
 * Commit the stage. STORE_EEMPTY: nothing staged, or what is staged takes back all that the commit
 * to be amended changed. STORE_EBUSY: HEAD is no longer on the commit to be amended; another commit
 * won on this branch each time it was tried, or another holds the write lock for long.
 * STORE_EINVAL: a message, author or date that cannot be, or nobody configured with
 * user.useConfigOnly. What others add meanwhile stays staged. Cost: O(changed paths x depth).
 * result may be NULL. Copies options.
 */
STORE_API int store_commit(struct store_repo *repo, const struct store_commit_options *options,
	struct store_commit_result *result, struct store_error *err);

/*
 * What can be said of the options before anything is staged or an editor is opened: STORE_EINVAL as
 * store_commit has it, of a message unless that is NULL. Reads nothing of stage and history. Copies
 * options.
 */
STORE_API int store_commit_check(struct store_repo *repo,
	const struct store_commit_options *options, struct store_error *err);

/* ---------------------------------------------------------------- status */

enum {
	STORE_STATUS_NO_UNTRACKED = 1, /* -uno */
	/* -uall: files one by one; else a wholly untracked directory is one entry "dir/". */
	STORE_STATUS_ALL_UNTRACKED = 2,
	STORE_STATUS_IGNORED = 4,
};

struct store_status_entry {
	const char *path; /* an untracked directory ends with '/' */
	char x, y;        /* as git's porcelain v1: ' ', A, M, D, T; "??" untracked; "!!" ignored */
	uint8_t head_kind, stage_kind, tree_kind; /* enum store_kind */
	uint64_t head_size, stage_size, tree_size;
};

struct store_status_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_STATUS_* */
	struct store_callbacks callbacks;
	/* One entry, in path order within staged changes and within the rest; non-zero cancels. */
	int (*entry)(void *payload, const struct store_status_entry *e);
};

struct store_status_result {
	char branch[256];     /* short name; "" when detached */
	struct store_id head; /* commit; all zero before the first */
	int has_head;
	uint64_t staged, changed, untracked;  /* entries */
	uint64_t staged_bytes, changed_bytes; /* new sizes summed */
	uint64_t unreadable;                  /* or over a limit; each was a notice */
	struct store_stats stats;
};

/*
 * Tell how HEAD, stage and working tree differ, at and below paths (n of them, in any order; none:
 * everywhere), in one snapshot of HEAD and stage. What cannot be looked at is a notice and counts
 * as unchanged: only a path that is not there is deleted. Cost: one look at each tracked file and
 * at each directory; a file is read only when its attributes cannot tell, and HEAD's tree only
 * where something was staged. Rows found equal by reading are stamped anew when nobody else holds
 * the write lock, else not. result may be NULL. Copies paths and options. Borrowed: an entry is
 * valid until its callback returns.
 */
STORE_API int store_status(struct store_repo *repo, const char *const *paths, size_t n,
	const struct store_status_options *options, struct store_status_result *result,
	struct store_error *err);

/* ---------------------------------------------------------------- ignore rules */

enum {
	STORE_IGNORE_TRACKED = 1, /* ask the rules about tracked paths, too (--no-index) */
};

struct store_ignore_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_IGNORE_* */
};

/* What the rules of storeignore(5) say about a path. */
struct store_ignore_result {
	int ignored; /* store_add leaves it out, and store_status shows it as "!!" */
	int tracked; /* it is in the stage: not ignored, and no rule is asked */
	/*
	 * The rule that decides: its file, from the top of the working tree or absolute, or
	 * "built-in"; NULL: no rule matches. Of a path below an ignored directory it is the
	 * directory's.
	 */
	const char *source;
	uint64_t line;       /* from 1; 0: built in */
	const char *pattern; /* as it stands in the file; NULL when source is */
	int negated;         /* the pattern begins with '!': the path is not ignored */
};

struct store_ignore;
/*
 * Ask about paths, one after the other. Nothing is read yet. Caller frees with store_ignore_free.
 * Copies options, which may be NULL.
 */
STORE_API int store_ignore_open(struct store_repo *repo, const struct store_ignore_options *options,
	struct store_ignore **out, struct store_error *err);
/*
 * Is path ignored? It need not exist; is_directory: it is taken for a directory then. STORE_EINVAL:
 * the top, or a path that is in a .store folder or lies beyond a symbolic link. STORE_EIO with the
 * file named: rules above it cannot be read or are over a limit; STORE_EDENIED, STORE_EIO: the path
 * cannot be looked at. The next path may be asked about after any of these. Reads the rules of the
 * directories above path that the path before did not lie in. Borrowed: result is valid until the
 * next call on it.
 */
STORE_API int store_ignore_check(struct store_ignore *it, const char *path, int is_directory,
	struct store_ignore_result *result, struct store_error *err);
/* it may be NULL. */
STORE_API void store_ignore_free(struct store_ignore *it);

/* ---------------------------------------------------------------- naming content */

struct store_target {
	int has_commit; /* 0: the stage (":path") */
	struct store_id commit;
	char *path; /* Caller frees with store_target_clear. */
	struct store_node node;
};

enum {
	STORE_NAME_LITERAL = 1, /* after "--": only the literal path in HEAD */
	STORE_NAME_REV_IS_TREE =
		2, /* a bare revision is accepted and means its top directory (ls) */
};

/*
 * Resolve an operand that names content as store(1) tells: a path in HEAD, rev:path, path@rev,
 * :path. As typed: paths are relative to start, but behind a colon from the top, unless they begin
 * with "./". flags: STORE_NAME_*. STORE_EAMBIGUOUS: the message lists the candidates as rev:path.
 * STORE_ENOTFOUND, STORE_EINVAL: the message says which half failed. O(readings x (names x levels))
 * node reads. Caller frees *out with store_target_clear, after an error, too.
 */
STORE_API int store_resolve(struct store_repo *repo, const char *operand, unsigned int flags,
	struct store_target *out, struct store_error *err);
/* Frees what t owns; t is all zero after it.  t may be all zero. */
STORE_API void store_target_clear(struct store_target *t);

/*
 * A revision ("HEAD~1", a branch, an id prefix) to a commit id. STORE_ENOTFOUND: unknown, the
 * nearest ref named, or before the first commit; STORE_EAMBIGUOUS: candidates listed;
 * STORE_EINVAL: none can be written so. Cost: one read for each step back.
 */
STORE_API int store_rev_parse(struct store_repo *repo, const char *rev, struct store_id *out,
	struct store_error *err);

/*
 * The best common ancestor of two revisions: one that no other common ancestor goes back to, of
 * several the newest. STORE_ENOTFOUND: they have none; else errors as store_rev_parse. Reads the
 * commits that a reaches.
 */
STORE_API int store_merge_base(struct store_repo *repo, const char *a, const char *b,
	struct store_id *out, struct store_error *err);

/* The tree of a commit and its layer's counters. */
struct store_root {
	struct store_id commit, layer;
	struct store_node root;
	uint64_t generation;               /* layers below it, along first parents */
	uint64_t added, modified, deleted; /* files, against the first parent */
};
/* The root of a revision (NULL: HEAD).  Errors as store_rev_parse; two reads more. */
STORE_API int store_root(struct store_repo *repo, const char *rev, struct store_root *out,
	struct store_error *err);

/* ---------------------------------------------------------------- refs */

enum {
	STORE_REFS_BRANCHES = 1, /* refs/heads/ */
	STORE_REFS_TAGS = 2,     /* refs/tags/ */
};

struct store_ref {
	const char *name;       /* "refs/heads/main" */
	const char *short_name; /* "main" */
	int is_tag;
	int is_current; /* the branch that HEAD is on */
	int has_commit; /* 0: a tag of a layer */
	struct store_id commit;
	int is_annotated;   /* a tag with an object of its own, which what follows tells of */
	struct store_id id; /* of that object; else of the commit */
	const char *tagger; /* "NAME <MAIL>"; NULL when not annotated, as is message */
	int64_t tag_time;
	int tag_zone; /* minutes east of UTC */
	const char *message;
};

struct store_refs_options {
	unsigned int version; /* 0 */
	unsigned int kinds;   /* STORE_REFS_*; 0: all of them */
	/* Revisions, each may be NULL. Only refs whose commit goes back to this one, */
	const char *contains;
	const char *merged;    /* only those that this one goes back to, */
	const char *no_merged; /* only those that it does not. */
};

struct store_refs_iter;
/*
 * Branches and tags, in byte order of full names. What is changed meanwhile shows or does not.
 * Errors as store_rev_parse. Cost: a look-up for each, a read for each tag; contains, merged and
 * no_merged each a walk of history for every 1,024 commits that refs name. options may be NULL.
 * Caller frees with store_refs_free. Copies options.
 */
STORE_API int store_refs_open(struct store_repo *repo, const struct store_refs_options *options,
	struct store_refs_iter **out, struct store_error *err);
/* STORE_ENOTFOUND at the end, without message. Borrowed: ref is valid until the next call on it. */
STORE_API int store_refs_next(struct store_refs_iter *it, struct store_ref *ref,
	struct store_error *err);
/* it may be NULL. */
STORE_API void store_refs_free(struct store_refs_iter *it);

struct store_head {
	char branch[256]; /* short name; "" when HEAD is detached */
	int has_commit;   /* 0: before the first commit */
	struct store_id commit;
};
/* What HEAD is. Two look-ups. */
STORE_API int store_head(struct store_repo *repo, struct store_head *out, struct store_error *err);

enum {
	STORE_REF_FORCE = 1, /* move one that exists; delete a branch that is not merged */
};

/* What was done to a branch or tag. */
struct store_ref_result {
	char name[256];      /* short name */
	char old_name[256];  /* rename: what it was called; else "" */
	int existed;         /* it was there before, and `was` is what it named */
	struct store_id was; /* a commit, or an annotated tag's object */
	struct store_id id;  /* what it names now; all zero: deleted, or a branch without commit */
	struct store_id commit; /* the commit that leads to; likewise */
	int is_current;         /* HEAD is on it */
	int identity_guessed;   /* as store_commit_result has it */
};

/*
 * Each of these changes is one publication: it happens whole or not at all. STORE_EINVAL: a name
 * that cannot be, by git's rules; STORE_EEXISTS: it is there already, or it would be a directory of
 * another ref or the reverse; STORE_ENOTFOUND: there is none of that name; STORE_EBUSY: another
 * command changed it meanwhile; STORE_EDENIED: the repository of another user. Flags:
 * STORE_REF_FORCE. result may be NULL. Copies its arguments.
 *
 * Make a branch at rev (NULL: HEAD). Errors of rev as store_rev_parse. STORE_EINVAL: to move the
 * branch that HEAD is on.
 */
STORE_API int store_branch_create(struct store_repo *repo, const char *name, const char *rev,
	unsigned int flags, struct store_ref_result *result, struct store_error *err);
/*
 * STORE_EINVAL: HEAD is on it. STORE_ECONFLICT: HEAD does not go back to its commit; not with
 * STORE_REF_FORCE. Cost: a walk of HEAD's history until it is found.
 */
STORE_API int store_branch_delete(struct store_repo *repo, const char *name, unsigned int flags,
	struct store_ref_result *result, struct store_error *err);
/*
 * Give a branch (NULL: the one HEAD is on, with or without a commit) another name; its reflog goes
 * with it, and so does HEAD. With STORE_REF_FORCE new_name may be there, unless HEAD is on it.
 */
STORE_API int store_branch_rename(struct store_repo *repo, const char *name, const char *new_name,
	unsigned int flags, struct store_ref_result *result, struct store_error *err);

struct store_tag_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_REF_FORCE */
	const char *rev;      /* NULL: HEAD */
	/* Annotated: an object that says who, when and why; at most 1 MiB. NULL: a plain name. */
	const char *message;
};
/* Make a tag. STORE_EINVAL also for an empty message. options may be NULL. */
STORE_API int store_tag_create(struct store_repo *repo, const char *name,
	const struct store_tag_options *options, struct store_ref_result *result,
	struct store_error *err);
STORE_API int store_tag_delete(struct store_repo *repo, const char *name,
	struct store_ref_result *result, struct store_error *err);

struct store_reflog_entry {
	uint64_t n;      /* REF@{n} is new_id */
	uint64_t number; /* of the publication */
	int has_old, has_new;
	struct store_id old_id, new_id; /* commits, or annotated tags' objects */
	const char *who;                /* "NAME <MAIL>" */
	int64_t time;
	int zone; /* minutes east of UTC */
	const char *why;
};

struct store_reflog_iter;
/*
 * What moved a ref (NULL: HEAD), the newest first. HEAD's log has the changes of the branches it
 * was on; a branch's log goes on under the names it had before. A ref that was deleted still has
 * its log. STORE_ENOTFOUND: there is none of that name, the nearest is named. Caller frees with
 * store_reflog_free. Copies ref.
 */
STORE_API int store_reflog_open(struct store_repo *repo, const char *ref,
	struct store_reflog_iter **out, struct store_error *err);
/*
 * STORE_ENOTFOUND at the end, without message. A few look-ups. Borrowed: entry is valid until the
 * next call on it.
 */
STORE_API int store_reflog_next(struct store_reflog_iter *it, struct store_reflog_entry *entry,
	struct store_error *err);
/* it may be NULL. */
STORE_API void store_reflog_free(struct store_reflog_iter *it);

/* ---------------------------------------------------------------- log */

struct store_log_entry {
	struct store_id id, layer;
	const struct store_id *parents;
	size_t parent_count;
	struct store_node root;
	uint64_t generation;
	const char *author, *committer;   /* "NAME <MAIL>" */
	int64_t author_time, commit_time; /* seconds since 1970 */
	int author_zone, commit_zone;     /* minutes east of UTC */
	const char *message;
	uint64_t added, modified, deleted;
};

enum {
	STORE_LOG_REVERSE = 1,      /* the oldest of those that are chosen first */
	STORE_LOG_FIRST_PARENT = 2, /* of a merge only the first parent is gone on to */
	STORE_LOG_EXTENDED = 4,     /* patterns are extended regular expressions, else basic ones */
	STORE_LOG_FIXED = 8,        /* patterns are plain text */
	STORE_LOG_IGNORE_CASE = 16, /* of patterns, in ASCII */
};

struct store_log_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_LOG_* */
	/* REV, A..B, A...B or ^REV, n_revs of them; none to begin with: HEAD. */
	const char *const *revs;
	size_t n_revs;
	/*
	 * Commits that change something at or below one of these; n_paths of them; 0: all. One that
	 * ends with '/' is a directory: a file or link at the path does not count.
	 */
	const char *const *paths;
	size_t n_paths;
	/* Commit dates, both included; as `commit --date`, and "2 weeks"; NULL: no bound. */
	const char *since, *until;
	/* Patterns, of which one must fit: "NAME <MAIL>" of the author; a line of the message. */
	const char *const *authors;
	size_t n_authors;
	const char *const *greps;
	size_t n_greps;
	uint64_t skip;  /* leave out the first of them */
	uint64_t count; /* then at most so many; 0: all */
	/* Of these progress: `files` is commits looked at. */
	struct store_callbacks callbacks;
};

struct store_log_iter;
/*
 * Commits reachable from the revisions, newest first by commit time, each once. A path is looked
 * for in the changes that layers record, a few look-ups for each commit, whatever its size; of a
 * merge that has a parent in which the paths are the same only that parent is gone on to. A commit
 * before `since` ends the way it is met on. STORE_ENOTFOUND before the first commit; STORE_EINVAL:
 * a path, date or pattern that cannot be; else errors as store_rev_parse. A history without merges
 * needs no memory; A..B reads what A reaches at once; REVERSE keeps ids in a temporary file when
 * they are many. options may be NULL. Caller frees with store_log_free. Copies options.
 */
STORE_API int store_log_open(struct store_repo *repo, const struct store_log_options *options,
	struct store_log_iter **out, struct store_error *err);
/*
 * STORE_ENOTFOUND at the end, without message. Two reads. Borrowed: entry is valid until the next
 * call on it.
 */
STORE_API int store_log_next(struct store_log_iter *it, struct store_log_entry *entry,
	struct store_error *err);
/* it may be NULL. */
STORE_API void store_log_free(struct store_log_iter *it);

/* ---------------------------------------------------------------- objects of history */

enum store_object_kind {
	STORE_OBJECT_COMMIT = 1, /* store_log_open reads it, with its id as revision */
	STORE_OBJECT_TAG,        /* annotated */
	STORE_OBJECT_LAYER,
};

struct store_object {
	enum store_object_kind kind;
	struct store_id id;
	const char *text; /* of a tag or layer: as it is stored */
	/* TAG: what it names, and who named it so. */
	enum store_object_kind target_kind;
	struct store_id target;
	const char *name, *tagger, *message; /* tagger: "NAME <MAIL>" */
	int64_t time;                        /* seconds since 1970 */
	int zone;                            /* minutes east of UTC */
	/* LAYER: as the text has it. */
	int has_parent;
	struct store_id parent, changes;
	struct store_node root;
	uint64_t generation, added, modified, deleted;
	void *data; /* Caller frees with store_object_clear. */
};

/*
 * What a name stands for, tags not followed: "layer:N" is the layer, an id or its prefix also one
 * of a layer; any other revision is a commit. Errors as store_rev_parse. Caller frees *out with
 * store_object_clear, after an error, too.
 */
STORE_API int store_object_find(struct store_repo *repo, const char *name, struct store_object *out,
	struct store_error *err);
/* Frees what o owns; o is all zero after it.  o may be all zero. */
STORE_API void store_object_clear(struct store_object *o);

/* ---------------------------------------------------------------- trees and content */

struct store_tree_entry {
	const char *path; /* relative to the directory listed */
	struct store_node node;
	int has_meta;
	uint32_t mode; /* recorded permission bits, when has_meta */
	int64_t mtime; /* recorded, seconds since 1970, when has_meta */
};

struct store_tree_iter;
/*
 * Entries of a directory, in byte order of names; recursive (0 or 1): of all directories below it,
 * too, each behind its own entry. A target of the stage is listed as it is staged, uncommitted
 * entries included; what is staged meanwhile shows or does not. STORE_EINVAL: no directory. Reads
 * as the listing goes on: one node for each leaf of the maps, at most 32 directories open. Caller
 * frees with store_tree_free. Copies target.
 */
STORE_API int store_tree_open(struct store_repo *repo, const struct store_target *target,
	int recursive, struct store_tree_iter **out, struct store_error *err);
/*
 * STORE_ENOTFOUND at the end, without message. Borrowed: entry is valid until the next call on it.
 */
STORE_API int store_tree_next(struct store_tree_iter *it, struct store_tree_entry *entry,
	struct store_error *err);
/* it may be NULL. */
STORE_API void store_tree_free(struct store_tree_iter *it);
/*
 * What a target names, as one entry: its node, and the attributes that were recorded for it.
 * Borrowed: out->path is target's, valid until store_target_clear. O(names x levels) node reads.
 */
STORE_API int store_target_entry(struct store_repo *repo, const struct store_target *target,
	struct store_tree_entry *out, struct store_error *err);

struct store_reader;
/*
 * Read content (file or link), from its first byte, verified. STORE_EINVAL: a directory. Nothing is
 * read yet. A reader is used by one thread at a time; readers and writers of one handle may be in
 * threads of their own. Caller frees with store_reader_free. Copies node.
 */
STORE_API int store_reader_open(struct store_repo *repo, const struct store_node *node,
	struct store_reader **out, struct store_error *err);
/*
 * The same of what operand names, as store_resolve has it ("path@rev", "rev:path", ":path"; flags:
 * STORE_NAME_*); on the thread of the handle. Errors as store_resolve. Caller frees with
 * store_reader_free.
 */
STORE_API int store_reader_open_name(struct store_repo *repo, const char *operand,
	unsigned int flags, struct store_reader **out, struct store_error *err);
/*
 * From here on the content is its bytes from off on, at most len of them; seeks and offsets count
 * from off. Goes to its first byte. What lies behind the end is not there. Reads nothing.
 */
STORE_API int store_reader_range(struct store_reader *r, uint64_t off, uint64_t len,
	struct store_error *err);
/* Go to byte off; past the end is the end.  Reads nothing: the next read goes down to it. */
STORE_API int store_reader_seek(struct store_reader *r, uint64_t off, struct store_error *err);
/*
 * Up to len bytes into data (room for len); *got tells how many, 0 only at the end. Bytes are
 * handed out after the chunk they are in was proven; what came before a chunk that cannot be read
 * is given first, and the error with the next call. STORE_EMISSING: a chunk is not there. Decodes
 * each chunk that is touched, and the nodes above. The reader keeps one chunk.
 */
STORE_API int store_reader_read(struct store_reader *r, void *data, size_t len, size_t *got,
	struct store_error *err);
/*
 * The rest of the chunk that the reader stands in, without copying it: *data and *len, 0 at the
 * end. Errors and cost as store_reader_read. Borrowed: valid until the next call on r.
 */
STORE_API int store_reader_chunk(struct store_reader *r, const void **data, size_t *len,
	struct store_error *err);
/* How far a reader has come; it is at the end when offset == size. */
struct store_reader_progress {
	uint64_t offset; /* of the next byte */
	uint64_t size;   /* of the content, or of the range of it */
	uint64_t bytes;  /* handed out since it was opened */
	uint64_t chunks; /* read and proven since then */
};
STORE_API void store_reader_progress(const struct store_reader *r,
	struct store_reader_progress *out);
/* r may be NULL. */
STORE_API void store_reader_free(struct store_reader *r);

/* ---------------------------------------------------------------- differences of trees */

/* What a difference is between. */
enum store_diff_form {
	STORE_DIFF_STAGE_WORK = 0, /* stage to working tree: `store diff` */
	STORE_DIFF_COMMIT_STAGE,   /* old_rev (NULL: HEAD) to stage: `store diff --staged [REV]` */
	STORE_DIFF_COMMIT_WORK,    /* old_rev to working tree, tracked paths: `store diff REV` */
	STORE_DIFF_COMMIT_COMMIT,  /* old_rev to new_rev: `store diff A B` */
	STORE_DIFF_FROM_NOTHING,   /* the empty tree to new_rev: a commit without parent */
};

/* One side of a difference. */
struct store_diff_side {
	uint8_t kind; /* enum store_kind; STORE_KIND_NONE: absent, and all else is zero */
	/*
	 * 1: the content is the file or link at the path in the working tree, and of node only kind
	 * and size are known; 0: node names stored content, which a file on disk has, too, whose
	 * attributes are those it was staged with.
	 */
	int is_work;
	struct store_node node;
	int has_mode;  /* of files and executables only */
	uint32_t mode; /* permission bits, recorded or of the file on disk, when has_mode */
};

/*
 * One path that differs: a file or link, or an empty directory that is added or deleted; other
 * directories have no entry, nor have attributes of a directory. A file against a link is one
 * entry, T; a file or link against a directory is several: what is deleted comes first, so a file's
 * addition stands behind all that was below the directory.
 */
struct store_diff_entry {
	const char *path;
	char letter; /* A added, D deleted, M content or mode; T file against link */
	struct store_diff_side old_side, new_side;
	const char *old_path; /* of the old side, where it is not path; store_diff_next: NULL */
	/*
	 * M, and the content is the same: kind or mode is another, or, under core.metadata=posix,
	 * owner or extended attributes where both sides recorded them.
	 */
	int is_mode_only;
};

struct store_diff_options {
	unsigned int version; /* 0 */
	enum store_diff_form form;
	const char *old_rev, *new_rev; /* as the form needs them; NULL: HEAD */
	/* At and below these, n_paths of them; 0: everywhere. "d/": only where d is a directory. */
	const char *const *paths;
	size_t n_paths;
	struct store_callbacks callbacks; /* notices: what could not be looked at */
};

struct store_diff_iter;
/*
 * The paths that differ, in byte order of paths (names compared component by component). Equal
 * subtrees are not entered: O(changes x depth) node reads between commits; against the stage only
 * what is dirty is looked at besides; against the working tree one look at each tracked file, read
 * only when its attributes cannot tell, and what is not staged does not count. HEAD may be without
 * a commit for COMMIT_STAGE: all is added then. Where the stage takes part, one snapshot lasts
 * until store_diff_free. Errors as store_rev_parse. Caller frees with store_diff_free. Copies
 * options.
 */
STORE_API int store_diff_open(struct store_repo *repo, const struct store_diff_options *options,
	struct store_diff_iter **out, struct store_error *err);
/*
 * STORE_ENOTFOUND at the end, without message. Borrowed: entry is valid until the next call on it.
 */
STORE_API int store_diff_next(struct store_diff_iter *it, struct store_diff_entry *entry,
	struct store_error *err);
/* Paths that could not be looked at so far; each was a notice.  Never fails. */
STORE_API uint64_t store_diff_unreadable(const struct store_diff_iter *it);
/* it may be NULL. */
STORE_API void store_diff_free(struct store_diff_iter *it);

/* ---------------------------------------------------------------- differences of content */

enum store_patch_kind {
	STORE_PATCH_HUNK = 1, /* a hunk begins: old_line, old_lines, new_line, new_lines */
	STORE_PATCH_CONTEXT,  /* data is one line, with its LF when it has one */
	STORE_PATCH_DELETED,
	STORE_PATCH_ADDED,
	STORE_PATCH_BINARY, /* old_off, old_len bytes are replaced by new_off, new_len */
};

struct store_patch_piece {
	enum store_patch_kind kind;
	/* HUNK: first line, from 1 (0 when there is none), and how many. */
	uint64_t old_line, old_lines, new_line, new_lines;
	/* BINARY: bytes. */
	uint64_t old_off, old_len, new_off, new_len;
	const char *data; /* a line */
	size_t len;
	/* BINARY: the first bytes of the old and of the new range, at most 64 of each. */
	const uint8_t *old_data, *new_data;
	size_t old_data_len, new_data_len;
};

enum store_patch_why {
	STORE_PATCH_IS_TEXT = 0,
	STORE_PATCH_IS_BINARY,  /* a NUL in the first 8,000 bytes of a side */
	STORE_PATCH_OVER_LIMIT, /* text, but over diff.textLimit or diff.lineLimit: ranges */
};

struct store_patch_options {
	unsigned int version; /* 0 */
	unsigned int context; /* lines around a change; 0: 3 unless has_context */
	int has_context;
	int force_text; /* -a: binary is taken for text, within the limits */
	/*
	 * One piece; non-zero cancels. NULL: only the counts are wanted. When the first one comes,
	 * why and limit of the result are set. Borrowed: piece is valid until it returns.
	 */
	int (*piece)(void *payload, const struct store_patch_piece *piece);
	void *payload;
	struct store_callbacks callbacks; /* progress only: asked while content is read */
};

struct store_patch_result {
	enum store_patch_why why;
	uint64_t added, deleted; /* lines of text; bytes when it is ranges */
	int same;                /* the contents are equal */
	uint64_t limit;          /* OVER_LIMIT: which was exceeded, bytes or lines */
	int limit_is_lines;
};

/*
 * How the content of the two sides of entry differs; an absent side is empty content, a link's is
 * its target; directories have none. Text by lines (libgit2, loaded at the first call:
 * STORE_ENOTFOUND names the package when it is not there); the rest, and what is over the limits,
 * as byte ranges aligned by chunks, refined to bytes where chunks differ: equal chunks are not
 * read. Memory is bounded by the limits. STORE_EIO with sys for a working file that cannot be read;
 * no error of stored content has one. result: never NULL.
 */
STORE_API int store_patch(struct store_repo *repo, const struct store_diff_entry *entry,
	const struct store_patch_options *options, struct store_patch_result *result,
	struct store_error *err);

/* ---------------------------------------------------------------- checkout */

enum {
	STORE_CHECKOUT_FORCE = 1, /* overwrite what is in the way; never deletes untracked files */
	STORE_CHECKOUT_PRESERVE = 2,     /* recorded permission bits, mtime and user.* attributes */
	STORE_CHECKOUT_PRESERVE_ALL = 4, /* as root also owner, setuid, all other xattrs */
	STORE_CHECKOUT_DETACH = 8,
	STORE_CHECKOUT_RESET_BRANCH = 16, /* new_branch may be there: it is moved to rev (-C) */
	STORE_CHECKOUT_BRANCH_ONLY = 32,  /* rev is a branch, or STORE_EINVAL, unless new_branch */
};

struct store_checkout_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_CHECKOUT_* */
	const char *rev;      /* NULL: HEAD */
	/* Write there instead; absent or empty unless FORCE; neither HEAD nor stage change. */
	const char *to;
	const char *new_branch;   /* -b: made at rev, HEAD attached to it */
	const char *const *paths; /* only these, n_paths of them; 0: the whole tree */
	size_t n_paths;
	struct store_callbacks callbacks;
};

struct store_checkout_result {
	uint64_t written, unchanged, deleted; /* files */
	uint64_t conflicts;                   /* each was a notice, at most the first 10 */
	uint64_t unset;   /* recorded attributes that could not be set: one notice for all */
	char branch[256]; /* HEAD is on it now; "" when detached or with `to` */
	struct store_id commit;
	struct store_stats stats;
};

/*
 * Bring a revision, or paths of it, into the working tree or into another folder. STORE_ECONFLICT:
 * content would be lost; nothing was written. STORE_ENOSPACE is told before the first write where
 * it can be known. STORE_EEXISTS: new_branch is there already, or `to` is not empty.
 * STORE_EDENIED: the repository of another user, unless `to`. Revisions: errors as
 * store_rev_parse. STORE_EBUSY: the stage or the branch was changed meanwhile; with paths, a row of
 * theirs, which stays as it is. Cut short, the same call finishes the work. Cost: one look at each
 * file that is in the way; what is equal is not written, and directories that are equal in HEAD,
 * stage and target are not read. result may be NULL. Copies options.
 */
STORE_API int store_checkout(struct store_repo *repo, const struct store_checkout_options *options,
	struct store_checkout_result *result, struct store_error *err);

/* ---------------------------------------------------------------- reset and restore */

enum store_reset_mode {
	STORE_RESET_MIXED = 0, /* branch and stage */
	STORE_RESET_SOFT,      /* the branch alone */
	STORE_RESET_HARD,      /* branch, stage and tracked files */
};

enum {
	STORE_RESET_FORCE = 1, /* HARD: overwrite untracked files that are in the way, too */
};

struct store_reset_options {
	unsigned int version; /* 0 */
	enum store_reset_mode mode;
	unsigned int flags; /* STORE_RESET_* */
	const char *rev;    /* NULL: HEAD */
	/* The rows of these alone, MIXED only, and no ref moves; n_paths of them; 0: all. */
	const char *const *paths;
	size_t n_paths;
	struct store_callbacks callbacks;
};

struct store_reset_result {
	int has_commit; /* 0: before the first commit */
	struct store_id commit;
	char branch[256];                     /* short name; "" when detached */
	uint64_t written, unchanged, deleted; /* files; HARD */
	uint64_t conflicts;                   /* each was a notice, at most the first 10 */
	struct store_stats stats;
};

/*
 * Let the branch that HEAD is on (or a detached HEAD) name rev, and make the stage, and with HARD
 * the tracked files, equal to it, in one publication; ORIG_HEAD is what it named before. Changes of
 * tracked files are given up with HARD; STORE_ECONFLICT: untracked content would be lost; nothing
 * was written. With paths the stage has them as rev has, or has them no more. Before the first
 * commit rev NULL is the empty tree. STORE_ENOTFOUND: a path neither tracked nor in rev, or errors
 * as store_rev_parse; STORE_EBUSY: the stage or the branch was changed meanwhile; with paths, a row
 * of theirs, which stays as it is. Cut short, the same call finishes the work. Cost: entries of
 * directories in which something differs; HARD looks at every file. result may be NULL. Copies
 * options.
 */
STORE_API int store_reset(struct store_repo *repo, const struct store_reset_options *options,
	struct store_reset_result *result, struct store_error *err);

enum {
	STORE_RESTORE_STAGED = 1,   /* --staged: rows of the stage */
	STORE_RESTORE_WORKTREE = 2, /* --worktree: files; the default when neither is given */
	STORE_RESTORE_FORCE = 4,    /* overwrite untracked files that are in the way, too */
};

struct store_restore_options {
	unsigned int version;     /* 0 */
	unsigned int flags;       /* STORE_RESTORE_* */
	const char *source;       /* a revision; NULL: with STAGED HEAD, else the stage */
	const char *const *paths; /* n_paths of them, at least one; "" is the whole tree */
	size_t n_paths;
	struct store_callbacks callbacks;
};

struct store_restore_result {
	uint64_t written, unchanged, deleted; /* files */
	uint64_t conflicts;                   /* each was a notice, at most the first 10 */
	struct store_stats stats;
};

/*
 * Bring paths, directories with all below them, back from source: files, rows of the stage, or
 * both. What is tracked and not in source goes; changes of tracked files are given up.
 * STORE_ECONFLICT: untracked content would be lost; nothing was written. STORE_ENOTFOUND: a path
 * neither tracked nor in source, or errors as store_rev_parse; STORE_EBUSY: a row of paths was
 * changed meanwhile, and stays as it is. Cut short, the same call finishes the work. Cost: one look
 * at each file below paths; rows alone: as store_reset. result may be NULL. Copies options.
 */
STORE_API int store_restore(struct store_repo *repo, const struct store_restore_options *options,
	struct store_restore_result *result, struct store_error *err);

/* ---------------------------------------------------------------- rm and mv */

enum {
	STORE_RM_FORCE = 1,          /* whatever would be lost */
	STORE_RM_CACHED = 2,         /* rows of the stage; files stay */
	STORE_RM_RECURSIVE = 4,      /* directories with all that is tracked below them */
	STORE_RM_DRY_RUN = 8,        /* write nothing, tell by notices */
	STORE_RM_IGNORE_UNMATCH = 16 /* a path that is not tracked is no error */
};

struct store_rm_options {
	unsigned int version;     /* 0 */
	unsigned int flags;       /* STORE_RM_* */
	const char *const *paths; /* n_paths of them */
	size_t n_paths;
	struct store_callbacks callbacks; /* notice: STORE_NOTICE_REMOVED for each file */
};

struct store_rm_result {
	uint64_t removed;   /* files and links that are tracked no more */
	uint64_t deleted;   /* of these, on disk */
	uint64_t conflicts; /* each was a notice, at most the first 10 */
	struct store_stats stats;
};

/*
 * Take paths out of the stage, and their files from disk; directories that hold nothing any more go
 * with them, in the stage and on disk, those above, too. All is checked before anything is removed:
 * STORE_ECONFLICT, content that is in neither HEAD nor the stage would be lost; STORE_ENOTFOUND, a
 * path is not tracked; STORE_EINVAL, a directory without RECURSIVE, a path beyond a symbolic link.
 * STORE_EBUSY: the stage was changed meanwhile. Cut short, the same call finishes the work. Cost:
 * one look at each file below paths; one row for each path. result may be NULL. Copies options.
 */
STORE_API int store_rm(struct store_repo *repo, const struct store_rm_options *options,
	struct store_rm_result *result, struct store_error *err);

enum {
	STORE_MV_FORCE = 1,   /* over a file or link that is there */
	STORE_MV_SKIP = 2,    /* what cannot be moved is a notice, no error */
	STORE_MV_DRY_RUN = 4, /* write nothing, tell by notices */
	STORE_MV_INTO = 8     /* the target is a directory, or nothing is moved */
};

struct store_mv_options {
	unsigned int version;       /* 0 */
	unsigned int flags;         /* STORE_MV_* */
	const char *const *sources; /* n_sources of them */
	size_t n_sources;
	const char *target;
	struct store_callbacks callbacks; /* notice: STORE_NOTICE_MOVED for each source */
};

struct store_mv_result {
	uint64_t moved, skipped; /* sources */
	struct store_stats stats;
};

/*
 * Rename tracked sources to target, or into it when it is a directory, on disk and in the stage; a
 * change that is not staged stays so. All is checked before anything is moved: STORE_EEXISTS,
 * something is there already; STORE_ENOTFOUND, a source is not tracked or not there; STORE_EINVAL,
 * into itself, beyond a symbolic link, or two sources of one name. A source that has gone to its
 * new name already, as after a call that was cut short, is only staged. STORE_EBUSY: the stage was
 * changed meanwhile; the same call stages what was renamed. Cost: one rename and one row for each
 * source, however large a directory is. result may be NULL. Copies options.
 */
STORE_API int store_mv(struct store_repo *repo, const struct store_mv_options *options,
	struct store_mv_result *result, struct store_error *err);

/* ---------------------------------------------------------------- walking directories */

/* Figures to begin with; what an options struct names goes before them. */
enum store_walk_preset {
	/* As many scanners as processors, at least 2; batches of 100 files or 100 ms. */
	STORE_WALK_PRESET_DEFAULT = 0,
	STORE_WALK_PRESET_SIMPLE = 1, /* as many; 50 files or 50 ms; smaller queues */
	STORE_WALK_PRESET_HIGH = 2,   /* twice as many, at least 4; 200 files or 200 ms */
	STORE_WALK_PRESET_ULTRA = 3,  /* four times, at least 8; 1,000 files or 10 ms */
};

/* What stands at a path, as bits to choose by. */
enum store_walk_type {
	STORE_WALK_FILE = 1,
	STORE_WALK_DIR = 2,
	STORE_WALK_LINK = 4,  /* a symbolic link: never followed */
	STORE_WALK_OTHER = 8, /* a FIFO, socket or device: never opened */
};

enum {
	/* The directory that was found last is read next; else the one that was found first. */
	STORE_WALK_DEPTH_FIRST = 1,
	STORE_WALK_NO_HIDDEN = 2, /* leave out names that begin with a dot, and do not enter them */
	STORE_WALK_ONE_FILE_SYSTEM = 4, /* tell a directory on another one, do not enter it */
	STORE_WALK_STRICT = 8,          /* what cannot be looked at or read ends the walk */
	STORE_WALK_STRICT_BATCH = 16,   /* a batch that the callback fails ends the walk */
};

struct store_walk_record {
	/* Below its root, NUL-terminated, path_len bytes; "" is the root itself. */
	const char *path;
	size_t path_len;
	uint32_t root;  /* position in roots */
	uint32_t depth; /* 0: the root; 1: what is in it */
	enum store_walk_type type;
	uint32_t mode; /* as stat(2) has it, type included */
	uint64_t size; /* bytes */
	int64_t mtime;
	uint32_t mtime_ns; /* nanoseconds beside mtime */
	uint64_t inode, device;
};

struct store_walk_stats {
	uint64_t files;       /* found that pass the filters, whatever their type */
	uint64_t bytes;       /* of the regular files among them */
	uint64_t directories; /* read to their end, or as far as they could be */
	uint64_t pending;     /* directories found and not yet read; 0 at the end */
	uint64_t spilled;     /* of all directories, those that waited on disk */
	uint64_t sent;        /* of files, those that the batch callback got */
	uint64_t batches;
	uint64_t errors;       /* what could not be looked at or read */
	uint64_t batch_errors; /* batches that the callback failed */
	int complete;          /* every directory was read, and every file sent */
};

struct store_walk_batch {
	const struct store_walk_record *records; /* n of them, in the order they were found in */
	size_t n;
	const struct store_walk_stats *stats; /* as they stand, this batch included */
};

/* What could not be looked at or read. */
struct store_walk_failure {
	const char *path; /* as in struct store_walk_record */
	size_t path_len;
	uint32_t root;
	uint32_t depth;
	struct store_error why; /* its line names the root and the path */
};

struct store_walk_options {
	unsigned int version; /* 0 */
	enum store_walk_preset preset;
	unsigned int flags; /* STORE_WALK_* */

	/* The filters; each zero lets all pass. */
	unsigned int types;       /* STORE_WALK_FILE and so on; 0: regular files alone */
	uint32_t levels;          /* 1: the roots alone; 2: what is in them, too; 0: all */
	uint64_t min_size;        /* of regular files, as the next two are */
	uint64_t size_end;        /* files of fewer bytes alone; 0: any */
	const char *const *names; /* endings without the dot ("jpg"), ASCII letters in either
				     case alike; NULL-terminated; NULL or none: any */
	/*
	 * Lines of storeignore(5), compared with paths below each root; what one takes is neither
	 * told nor entered. NULL-terminated; may be NULL.
	 */
	const char *const *excludes;

	/* 0: as the preset has it. */
	unsigned int scanners;    /* threads, at most 64; 1: start none */
	uint32_t batch_size;      /* records, at most 65,536 */
	uint32_t batch_ms;        /* a batch that is not full leaves so long after its first file */
	uint32_t directories_max; /* waiting in memory; further ones wait on disk */
	uint32_t found_max;       /* records found and in no batch, at most 100,000 */
	uint32_t sending_max;     /* records in batches that wait for the callback; likewise */
	/* Folder for directories that wait on disk; NULL: TMPDIR of the environment, else /tmp. */
	const char *scratch;

	/*
	 * The callbacks run on the thread that called; any but batch may be NULL. Borrowed: what
	 * they are given is valid until they return. batch: 0, or the batch has failed, which is
	 * counted and the walk goes on; STORE_ECANCELED ends it, as does any other with
	 * STORE_WALK_STRICT_BATCH. failure: of each that is counted in errors. progress: at most
	 * ten times a second; non-zero cancels.
	 */
	int (*batch)(void *payload, const struct store_walk_batch *batch);
	void (*failure)(void *payload, const struct store_walk_failure *failure);
	int (*progress)(void *payload, const struct store_walk_stats *stats);
	void *payload;
};

/*
 * Tell what stands at and below roots (n paths as the system takes them), batch by batch while it
 * is found, in no promised order but that each directory is read after the one it stands in. No
 * repository is needed, and folders of repositories are as any other. No symbolic link is followed,
 * so there are no loops; a root that is one is told and not entered, but with a slash behind it it
 * is its target. Names are bytes. A file is told once for each root that it stands below; what is
 * made, removed or renamed meanwhile is told or not. No directory is lost: those that find no room
 * in memory wait in a file without a name, and when that cannot be written the walk ends with
 * STORE_ENOSPACE or STORE_EIO; 0 is returned when none is pending.
 *
 * What cannot be looked at or read is counted and the walk goes on, and so is a path of over 65,536
 * bytes. STORE_EINVAL: options that cannot be. STORE_ECANCELED: a callback asked for it. What batch
 * returned, with STORE_WALK_STRICT_BATCH; with STORE_WALK_STRICT the first error, whichever thread
 * met it. After an error, files that were found may not have been sent. Cost: one reading of each
 * directory, one look at each name that the filters let pass; memory is bounded by the options and
 * under 64 MiB whatever they are. result (may be NULL) is filled in any case. Copies its arguments.
 */
STORE_API int store_walk(const char *const *roots, size_t n,
	const struct store_walk_options *options, struct store_walk_stats *result,
	struct store_error *err);

/* ---------------------------------------------------------------- files of the same content */

/* What to do about files that hold what another one holds. */
enum store_dupes_act {
	STORE_DUPES_TELL = 0,   /* nothing */
	STORE_DUPES_LINK = 1,   /* make each a hard link of the first of its group */
	STORE_DUPES_DELETE = 2, /* remove each */
};

enum {
	STORE_DUPES_EMPTY = 1, /* files of no bytes, too, which all are of the same content */
	/* Link files, too, whose mode, owner, group or attributes are not those of the first. */
	STORE_DUPES_FORCE = 2,
};

/* A name of a file that others are like. */
struct store_dupes_file {
	const char *path; /* below its root, as in struct store_walk_record */
	size_t path_len;
	uint32_t root; /* position in roots */
	uint32_t mode; /* as stat(2) has it, as all below */
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;      /* nanoseconds beside mtime */
	uint64_t inode, device; /* names with the same are hard links of each other */
};

/* Files of the same content, or a part of them. */
struct store_dupes_group {
	struct store_id id; /* SHA-256 of the content */
	uint64_t size;      /* bytes of each */
	uint64_t number;    /* of the group, from 0 */
	uint64_t copies;    /* at least 2; hard links of each other are one */
	uint64_t names;     /* of all copies */
	/*
	 * n of the names, in the order of roots and then of the bytes of their paths, from position
	 * first on. A group of over 256 names, or 1 MiB of them, comes in several parts.
	 */
	const struct store_dupes_file *files;
	size_t n;
	uint64_t first;
};

enum store_dupes_state {
	STORE_DUPES_PLANNED = 0, /* nothing was done */
	STORE_DUPES_DONE = 1,
	STORE_DUPES_REFUSED = 2, /* why tells the reason; nothing was changed */
};

/* What is done about one name. */
struct store_dupes_action {
	enum store_dupes_act act;
	enum store_dupes_state state;
	const struct store_dupes_file *keep; /* the first name of the group, which stays */
	const struct store_dupes_file *file; /* becomes a hard link of it, or goes */
	struct store_id id;                  /* of the content of both */
	uint64_t size;
	struct store_error why;
};

struct store_dupes_stats {
	struct store_walk_stats walk;
	uint64_t compared;   /* names that are through, of walk.files */
	uint64_t opened;     /* openings of files; a file is opened twice at most */
	uint64_t read_bytes; /* of their content; those that carrying out takes are not counted */
	uint64_t groups;
	uint64_t names;         /* in groups */
	uint64_t copies;        /* in groups */
	uint64_t free_bytes;    /* that one copy of each group would leave free */
	uint64_t spilled_bytes; /* of records, written to disk */
	uint64_t errors;        /* files that could not be read, or changed; walk.errors aside */
	uint64_t planned;       /* actions of the plan */
	uint64_t done;          /* of them */
	uint64_t refused;       /* actions of no plan, and those that were refused later */
	struct store_id plan;   /* all zero: none was asked for, or not all was found */
	int complete;           /* every file that was found was compared */
};

struct store_dupes_options {
	unsigned int version; /* 0 */
	unsigned int flags;   /* STORE_DUPES_* */
	/*
	 * Its filters, figures, flags and scratch folder; types, callbacks and payload are not
	 * looked at. NULL: all zero. ".store/" stands before its excludes, so that the folders of
	 * repositories are left out unless they say otherwise. STORE_WALK_STRICT is of files that
	 * cannot be compared, too.
	 */
	const struct store_walk_options *walk;
	/*
	 * Bytes of records that are sorted in memory, three times; further ones wait in files
	 * without a name in the scratch folder. 4,096 to 64 MiB; 0: 8 MiB.
	 */
	uint32_t sort_bytes;

	/*
	 * What to do. Without plan it is only told, and the result has the id of that plan. With
	 * plan (at least 12 of the hex digits that the id begins with) all is found first, and
	 * carried out if the plan is the same still, which is: the same acts on the same names of
	 * the same content.
	 */
	enum store_dupes_act act;
	const char *plan;

	/*
	 * The callbacks run on the thread that called; any may be NULL. Borrowed: what they are
	 * given is valid until they return. group: each, as soon as all files of its size are
	 * compared; action: each, planned, or with plan when it was done or refused; non-zero of
	 * these two cancels. failure: of each that is counted in errors or walk.errors. progress:
	 * at most ten times a second, while files are walked, read or changed; non-zero cancels.
	 */
	int (*group)(void *payload, const struct store_dupes_group *group);
	int (*action)(void *payload, const struct store_dupes_action *action);
	void (*failure)(void *payload, const struct store_walk_failure *failure);
	int (*progress)(void *payload, const struct store_dupes_stats *stats);
	void *payload;
};

/*
 * Find regular files of the same content at and below roots (n paths as store_walk takes them): a
 * walk finds them all, those whose size another one has are compared by their first and last 4 KiB,
 * and those that are alike there by the SHA-256 of all they hold. Groups come size by size, the
 * largest first; those of one size in no promised order, but in the same one each time. Hard links
 * of each other are one copy, read once. No repository is needed, and no symbolic link is followed.
 *
 * A file that cannot be read is told as a failure, and so is one that has changed since the walk
 * found it (STORE_EBUSY): it is in no group. One that was removed is not told. The walk goes on,
 * unless STORE_WALK_STRICT is set.
 *
 * Carrying out goes name by name. Right before each, both names must lead to the files that were
 * compared, with the size and time of then, and both are read again and compared byte by byte; the
 * content of the one that stays is on disk before the other goes. A link is made under a name of
 * its own and exchanged with the file; what is removed is first renamed; when that was not the file
 * that was compared, it is put back. Never touched are the names of the first file of a group,
 * those in a folder `.store` and all of a group whose first name is in one, and, by a link, those
 * on another file system and (but for STORE_DUPES_FORCE) those whose mode, owner, group or extended
 * attributes differ: they are refused, and told. A link has the times of the first. What another
 * program writes at the very moment may be lost, as with mv(1).
 *
 * STORE_ECONFLICT: the plan is another one; nothing was changed, and result has the new id.
 * STORE_EINVAL: options that cannot be, or an act on roots within a folder `.store`.
 * STORE_ECANCELED: a callback asked for it. STORE_ENOSPACE, STORE_EIO: records cannot wait on disk.
 * Cost: the walk, one opening and 8 KiB of each file that shares its size, and one reading of each
 * that shares those. Memory: during the walk that of the walk and sort_bytes, then three times
 * sort_bytes and up to 16 MiB, whatever the number of files, names and copies. Reads on the thread
 * that called. result (may be NULL) is filled in any case. Copies its arguments.
 */
STORE_API int store_dupes(const char *const *roots, size_t n,
	const struct store_dupes_options *options, struct store_dupes_stats *result,
	struct store_error *err);

/* ---------------------------------------------------------------- fsck, info */

struct store_fsck_options {
	unsigned int version; /* 0 */
	int rebuild;          /* make db/ anew from packs and refs.log first */
	struct store_callbacks callbacks;
};

struct store_fsck_result {
	uint64_t packs, blocks, objects, bytes; /* read and checked */
	uint64_t commits, trees, files;
	uint64_t damaged; /* each was a notice */
	struct store_stats stats;
};

/*
 * Read and check everything, in phases, each a notice. STORE_ECORRUPT when damaged > 0, after all
 * of it was named. With rebuild the write lock is held (STORE_EBUSY), and the old db/ is read in a
 * process of its own, which has ended when this returns. Cost: every stored byte is
 * read and decoded once; memory stays bounded. result may be NULL. Copies options.
 */
STORE_API int store_fsck(struct store_repo *repo, const struct store_fsck_options *options,
	struct store_fsck_result *result, struct store_error *err);
/*
 * As store_open, for a repository whose db/ is damaged or missing: only store_fsck with rebuild may
 * follow. Caller frees with store_close. Copies options.
 */
STORE_API int store_open_for_rebuild(struct store_repo **out,
	const struct store_open_options *options, struct store_error *err);

struct store_info {
	unsigned int format; /* 1 */
	uint32_t chunk_average;
	char parameters[STORE_HEX_LEN + 1]; /* digest of the chunking parameters */
	int has_head;
	struct store_root head;     /* when has_head */
	char branch[256];           /* short name; "" when detached */
	uint64_t objects;           /* of all kinds */
	uint64_t packs, pack_bytes; /* stored */
	uint64_t db_bytes;
	/* From HEAD along first parents, to the first; merges bring more. */
	uint64_t first_parent_commits;
	/*
	 * Packs that killed commands left, not among `packs`: the next publication removes them.
	 * What no commit and no stage names any more is not among them: to find it takes a walk of
	 * all.
	 */
	uint64_t garbage_packs, garbage_bytes;
};
/* Facts about the repository into *out.  Cost: O(packs), nothing is decoded but HEAD's commit. */
STORE_API int store_info(struct store_repo *repo, struct store_info *out, struct store_error *err);

/* Peak memory of this process until now, bytes, into peak_anon and peak_rss.  Never fails. */
STORE_API void store_stats_memory(struct store_stats *stats);
/*
 * What reading through this handle cost since it was opened, for operations that have no result of
 * their own (readers, iterators): decoded_bytes and nodes_read are raised to it. Never fails.
 */
STORE_API void store_stats_reads(struct store_repo *repo, struct store_stats *stats);

/* ---------------------------------------------------------------- measuring */

/*
 * What store_bench can measure, by position: "chunk", "hash", "codec", "walk", "index", "io"; NULL
 * behind the last. Borrowed: valid until the program ends.
 */
STORE_API const char *store_bench_subject(size_t pos);

#define STORE_BENCH_LIBRARIES 6

/* A library that store_bench measures through. */
struct store_bench_library {
	const char *name;
	const char *version;
};

/* What is measured on. */
struct store_bench_machine {
	unsigned int processors; /* that this process may use */
	char cpu[128];           /* model, as the system calls it; "" unknown */
	char kernel[128];        /* name and release */
	struct store_bench_library libraries[STORE_BENCH_LIBRARIES];
};

/* Fill *out. Never fails. Borrowed: names and versions are valid until the program ends. */
STORE_API void store_bench_machine(struct store_bench_machine *out);

#define STORE_BENCH_LIMITS 2

/* What the machine itself does at most, measured in turn with what it limits. */
struct store_bench_limit {
	const char *name;
	double value, min, max; /* in the unit of the result; median, least and greatest */
};

struct store_bench_result {
	const char *subject;
	const char *name; /* what was measured; one of its kind in a subject */
	const char *unit; /* "bytes/s" or "ops/s" */
	unsigned int threads;
	unsigned int rounds;
	double value, min, max; /* median, least and greatest of the rounds */
	double ratio;           /* of a coder: plain bytes for each byte it made; else 0 */
	double target;          /* part of limits[0] that is aimed at; 0: none */
	struct store_bench_limit limits[STORE_BENCH_LIMITS]; /* n_limits of them */
	size_t n_limits;
};

struct store_bench_options {
	unsigned int version; /* 0 */
	uint64_t size;        /* bytes that a round goes through; 0: 64 MiB; at most 1 TiB */
	uint32_t count;       /* files and index rows of a round; 0: 20,000; at most 200,000 */
	unsigned int rounds;  /* 0: 5, which is the least; at most 1,000 */
	unsigned int threads; /* where several work; 0: one per processor; at most 64 */
	uint64_t seed;        /* of the input that is made up */
	/* Folder for a folder of its own; NULL: TMPDIR of the environment, else /tmp. */
	const char *scratch;
	struct store_callbacks callbacks; /* progress: files are rounds, bytes are 0 */
};

/* Non-zero ends; it is returned by the call that called back.  Borrowed: valid until it returns. */
typedef int (*store_bench_fn)(void *payload, const struct store_bench_result *result);

/*
 * Measure the parts that this library is made of, on input that is made up from a seed, and tell
 * each result, subject by subject. A round measures each part and each limit once, in turn; there
 * are at least 5. subject: NULL is all. No repository is needed; what has to be written lies in a
 * new folder below scratch, which is gone when the call returns. STORE_EINVAL: there is no such
 * subject, or options that cannot be; STORE_ENOSPACE. Cost: with options of zero some 5 s for each
 * subject, under 64 MiB of memory, and on disk 8 times size and 200 bytes for each of count and
 * round. Copies its arguments.
 */
STORE_API int store_bench(const char *subject, const struct store_bench_options *options,
	store_bench_fn fn, void *payload, struct store_error *err);

#ifdef __cplusplus
}
#endif
#endif
