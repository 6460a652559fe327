/*
 * Errors as values.  Everything is formatted into arrays on the stack and copied into the caller's
 * object, so an error can be reported when memory is gone, from any thread, and with the old
 * message of the same object as an argument.
 *
 * Two promises are kept here for all callers:
 * 1. A message is one line.  Bytes that could move a terminal's cursor become '?', whatever a
 *    caller forgot to quote (base/quote.h is the proper way).
 * 2. When a line is too long, the front (the context) is cut and marked with "...", never the
 *    cause at its end.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MSG_CAP sizeof(((struct store_error *)0)->msg)

/* The length of text cut to at most max bytes, not inside a UTF-8 character. */
static size_t cut_len(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			*text = '?';
	}
}

/* Write "front: back" to out (MSG_CAP bytes); front gives way, then is marked "...". */
static void join(char *out, const char *front, const char *back)
{
	const size_t back_len = cut_len(back, strlen(back), MSG_CAP - 1);
	const size_t front_len = strlen(front);
	const size_t room = MSG_CAP - 1 - back_len; /* for front and ": " */
	size_t n = 0;

	if (front_len > 0 && front_len + 2 <= room) {
		n = front_len;
		memcpy(out, front, n);
	} else if (front_len > 0 && room >= 6) {
		n = cut_len(front, front_len, room - 5);
		memcpy(out, front, n);
		memcpy(out + n, "...", 3);
		n += 3;
	}
	if (n > 0) {
		memcpy(out + n, ": ", 2);
		n += 2;
	}
	memcpy(out + n, back, back_len);
	out[n + back_len] = '\0';
	make_printable(out);
}

/* Format into out (MSG_CAP bytes); a text that does not fit ends in "...". */
static void __attribute__((format(printf, 2, 0)))
format_line(char *out, const char *fmt, va_list ap)
{
	const int n = vsnprintf(out, MSG_CAP, fmt, ap);

	if (n < 0)
		out[0] = '\0';
	else if ((size_t)n >= MSG_CAP)
		memcpy(out + cut_len(out, MSG_CAP - 1, MSG_CAP - 4), "...", 4);
	make_printable(out);
}

int store_error_set(struct store_error *err, int code, const char *fmt, ...)
{
	char line[MSG_CAP];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	format_line(line, fmt, ap);
	va_end(ap);
	memcpy(err->msg, line, sizeof(line));
	err->code = code;
	err->sys = 0;
	return code;
}

int store_error_sys(struct store_error *err, const char *fmt, ...)
{
	const int sys = errno;
	const int code = store_error_code(sys);
	char front[MSG_CAP], text[128];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	format_line(front, fmt, ap);
	va_end(ap);
	join(err->msg, front, strerror_r(sys, text, sizeof(text)));
	err->code = code;
	err->sys = sys;
	return code;
}

int store_error_wrap(struct store_error *err, int code, const char *fmt, ...)
{
	char front[MSG_CAP], cause[MSG_CAP];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	format_line(front, fmt, ap);
	va_end(ap);
	memcpy(cause, err->msg, sizeof(cause));
	cause[MSG_CAP - 1] = '\0';
	if (err->code == 0 || cause[0] == '\0') {
		memcpy(err->msg, front, sizeof(front));
		err->sys = 0;
	} else {
		join(err->msg, front, cause);
	}
	err->code = code;
	return code;
}

int store_error_code(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
	case ESRCH:
	case ENODATA:
		return STORE_ENOTFOUND;
	case EEXIST:
	case ENOTEMPTY:
		return STORE_EEXISTS;
	case EBUSY:
	case EAGAIN:
	case ETXTBSY:
	case EDEADLK:
		return STORE_EBUSY;
	case EACCES:
	case EPERM:
	case EROFS:
		return STORE_EDENIED;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STORE_ENOSPACE;
	case ENOMEM:
		return STORE_ENOMEM;
	case EINVAL:
	case ENAMETOOLONG:
	case ELOOP:
	case EISDIR:
	case EXDEV:
	case EOVERFLOW:
		return STORE_EINVAL;
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case ETIMEDOUT:
		return STORE_ENET;
	case ECANCELED:
		return STORE_ECANCELED;
	default:
		return STORE_EIO;
	}
}

void store_error_clear(struct store_error *err)
{
	if (!err)
		return;
	err->code = 0;
	err->sys = 0;
	err->msg[0] = '\0';
}
