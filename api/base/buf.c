/*
 * buf.c -- the growing buffer. Out of memory and lengths that overflow
 * abort, as in arena.c.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"

static void buf_reserve(struct buf *, size_t);
static size_t unit_escaped(unsigned char, char *);
static bool is_plain(unsigned char);

void
buf_init(struct buf *buf)
{
	buf->data = NULL;
	buf->len = 0;
	buf->cap = 0;
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	buf_init(buf);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
}

char *
buf_take(struct buf *buf, size_t *len)
{
	char *data;

	data = buf->data;
	*len = buf->len;
	buf_init(buf);
	return (data);
}

void
buf_append(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_reserve(buf, 1);
	buf->data[buf->len++] = c;
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);

	/* vsnprintf() wants room for a NUL that does not count. */
	buf_reserve(buf, (size_t)len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

void
buf_int(struct buf *buf, int64_t value)
{
	char digits[20];
	char *at;
	uint64_t rest;

	/* 0 - (uint64_t) also holds for INT64_MIN. */
	rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	at = digits + sizeof(digits);
	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	buf_append(buf, at, (size_t)(digits + sizeof(digits) - at));
}

size_t
buf_json_unit(const char *text, size_t len, char out[BUF_JSON_UNIT_MAX],
    size_t *out_len)
{
	unsigned char c;
	size_t used;

	assert(len > 0);
	c = (unsigned char)text[0];
	if (c < 0x20 || c == '"' || c == '\\') {
		*out_len = unit_escaped(c, out);
		return (1);
	}
	used = parse_utf8_next(text, len);
	if (used == 0) {
		memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
		*out_len = 3;
		return (1);
	}
	memcpy(out, text, used);
	*out_len = used;
	return (used);
}

void
buf_json_string(struct buf *buf, const char *text, size_t len)
{
	char unit[BUF_JSON_UNIT_MAX];
	size_t run, unit_len;

	buf_reserve(buf, len + 2);
	buf_putc(buf, '"');
	while (len > 0) {
		for (run = 0; run < len; run++)
			if (!is_plain((unsigned char)text[run]))
				break;
		buf_append(buf, text, run);
		text += run;
		len -= run;
		if (len == 0)
			break;
		run = buf_json_unit(text, len, unit, &unit_len);
		buf_append(buf, unit, unit_len);
		text += run;
		len -= run;
	}
	buf_putc(buf, '"');
}

static void
buf_reserve(struct buf *buf, size_t more)
{
	size_t cap;
	char *data;

	if (more > SIZE_MAX / 4 - buf->len)
		abort();
	if (buf->len + more <= buf->cap)
		return;
	cap = buf->cap == 0 ? 256 : buf->cap;
	while (cap < buf->len + more)
		cap *= 2;
	if ((data = realloc(buf->data, cap)) == NULL)
		abort();
	buf->data = data;
	buf->cap = cap;
}

/* RFC 8259 section 7: the short forms where there is one. */
static size_t
unit_escaped(unsigned char c, char *out)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at;

	out[0] = '\\';
	if (c != '\0' && (at = strchr(from, c)) != NULL) {
		out[1] = to[at - from];
		return (2);
	}
	memcpy(out + 1, "u00", 3);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return (6);
}

static bool
is_plain(unsigned char c)
{
	return (c >= 0x20 && c < 0x80 && c != '"' && c != '\\');
}
