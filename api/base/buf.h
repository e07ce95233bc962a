/*
 * buf.h -- a growing byte buffer (doubles, so appending is linear) and the
 * few JSON writers that work without building a tree.
 */
#ifndef DUDAO_BASE_BUF_H
#define DUDAO_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

struct buf {
	char *data; /* owned; not NUL-terminated; NULL while cap is 0 */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
};

void buf_init(struct buf *buf);
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf);

/* Gives the bytes away (free() them); buf is empty afterwards. */
char *buf_take(struct buf *buf, size_t *len);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_int(struct buf *buf, int64_t value);

/* How one character stands inside a JSON string: at most 6 bytes. */
#define BUF_JSON_UNIT_MAX 6

/*
 * Writes the first character of text (len > 0) as it stands inside a JSON
 * string to out, *out_len bytes of it. Returns the bytes of text used.
 */
size_t buf_json_unit(const char *text, size_t len, char out[BUF_JSON_UNIT_MAX],
    size_t *out_len);

/*
 * A JSON string with quotes (RFC 8259 section 7). Bytes that are not UTF-8
 * become U+FFFD.
 */
void buf_json_string(struct buf *buf, const char *text, size_t len);

#endif
