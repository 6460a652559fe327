/*
 * refs.log: every change of a ref, appended record by record.  store-format(5), "REFS.LOG", has the
 * lines.
 */
#ifndef STORE_DATA_REFSLOG_H
#define STORE_DATA_REFSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/hash.h"
#include "data/id.h"
#include "data/ident.h"
#include "data/text.h"

struct store_error;

#define REFSLOG_HEAD "store refs 1\n" /* the first line of the file */
#define REFSLOG_RECORD_MAX (1u << 20) /* bytes of one record */

enum refslog_type {
	REFSLOG_RECORD = 1, /* refs changed */
	REFSLOG_VOID = 2,   /* a line that makes records before it void */
	REFSLOG_TORN = 3,   /* the end of the file, where no whole record stands */
};

/* Values are texts: "-" for absent, 64 digits of an id, or "ref:NAME". */
struct refslog_change {
	struct text_slice name, old_value, new_value;
};

struct refslog_record {
	enum refslog_type type;
	uint64_t number;                      /* of the publication */
	struct ident who;                     /* with time and zone */
	const struct refslog_change *changes; /* change_count of them, no name twice */
	size_t change_count;
	struct text_slice why; /* may be empty */
	/* Set by the reader only: */
	bool is_void;      /* a later record's number is not greater: this one changes nothing */
	bool is_last;      /* no whole record follows */
	uint64_t off, end; /* the bytes of the file it takes: [off, end) */
};

/*
 * Append one record of type REFSLOG_RECORD.  In why, control characters become blanks, and what a
 * line cannot hold is cut off.  STORE_EINVAL, out unchanged, when a name, a value or an ident is
 * not legal, there is no change, a name stands twice, or the record would exceed
 * REFSLOG_RECORD_MAX.
 */
int refslog_encode(struct buf *out, const struct refslog_record *r, struct hash *h,
	struct store_error *err);
/* Append the record that makes void all before it whose number is number or greater. */
int refslog_encode_void(struct buf *out, uint64_t number, struct hash *h, struct store_error *err);

enum refslog_value_type {
	REFSLOG_VALUE_ABSENT,
	REFSLOG_VALUE_ID,
	REFSLOG_VALUE_REF,
};

struct refslog_value {
	enum refslog_value_type type;
	struct oid id;
	struct text_slice ref; /* Borrowed: valid until the text is. */
};

/* Returns 0, or STORE_EINVAL when text is no value. */
int refslog_value_parse(struct refslog_value *out, struct text_slice text, struct store_error *err);

/*
 * Reader over a file that another process may be appending to: it sees the file as long as it was
 * at open.  Opening reads the file once, to know which records are void and where a torn tail
 * begins; refslog_next reads it again. Memory is at most REFSLOG_RECORD_MAX for the bytes, the
 * changes of one record, and 16 bytes for each place where numbers step back, which is one per
 * crash.
 */
struct refslog_reader;

/* What the file holds as a whole. */
struct refslog_tail {
	bool has_record;      /* any whole record, of either type */
	uint64_t last_number; /* of the last one */
	bool last_is_void;    /* it is of type REFSLOG_VOID */
	uint64_t last_off;
	uint64_t end;  /* behind the last whole record: where to cut and where to append */
	uint64_t size; /* of the file; more than end: the tail is torn */
};

/*
 * Read refs.log from fd, which stays the caller's and is read with offsets.  Caller frees with
 * refslog_close. STORE_ECORRUPT names the offset: of a bad first line, of a record that is not what
 * its lines must be, or of bytes that are no record although whole records follow.  STORE_EVERSION:
 * a newer kind of file.
 */
int refslog_open(struct refslog_reader **out, int fd, struct store_error *err);
void refslog_close(struct refslog_reader *r);
/*
 * What refslog_tail_of tells, from the end of the file: reads the first line, then backwards 4 KiB
 * or what the last record and a torn tail take, and more only when these are not in order; then
 * errors are those of refslog_open. Damage before the last whole record is not seen.
 */
int refslog_read_tail(struct refslog_tail *out, int fd, struct store_error *err);
/* Borrowed: valid until refslog_close. */
const struct refslog_tail *refslog_tail_of(const struct refslog_reader *r);
/*
 * The next record; at a torn tail one of type REFSLOG_TORN with nothing set but its offsets; then
 * STORE_ENOTFOUND (no message).  STORE_EBUSY when the file was cut since it was opened. Borrowed:
 * valid until the next call on r.
 */
int refslog_next(struct refslog_reader *r, struct refslog_record *out, struct store_error *err);

#endif
