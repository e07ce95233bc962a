/*
 * charset.c -- one converter, opened before the workers are forked: they
 * have no file system to load it from, and need no other.
 */
#include "contract/charset.h"

#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define CHUNK 16384

static iconv_t gb18030 = (iconv_t)-1;

static bool is_named(const char *name, size_t len, const char *const *names);
static size_t utf8_valid_len(const char *text, size_t len);
static size_t utf8_unit(const unsigned char *at, size_t left);
static bool convert(const char *text, size_t len, struct buf *out,
    size_t *bad_at);

bool
charset_init(void)
{
	if (gb18030 == (iconv_t)-1)
		gb18030 = iconv_open("UTF-8", "GB18030");
	return (gb18030 != (iconv_t)-1);
}

enum charset_result
charset_decode(const char *declared, size_t declared_len, const char *text,
    size_t len, struct buf *out, const char **name, size_t *bad_at)
{
	static const char *const utf8_names[] = { "utf-8", "utf8", "us-ascii",
		NULL };
	static const char *const gb_names[] = { "gb18030", "gbk", "gb2312",
		"cp936", "x-gbk", NULL };
	bool is_utf8, is_gb;

	*name = "utf-8";
	*bad_at = 0;
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
			    memcmp(text, "\xfe\xff", 2) == 0))
		return (CHARSET_UNKNOWN); /* UTF-16 */
	is_utf8 = is_named(declared, declared_len, utf8_names);
	is_gb = is_named(declared, declared_len, gb_names);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
		is_utf8 = true;
	} else if (declared_len > 0 && !is_utf8 && !is_gb) {
		return (CHARSET_UNKNOWN);
	}
	if (is_utf8 || !is_gb) {
		*bad_at = utf8_valid_len(text, len);
		if (*bad_at == len) {
			buf_append(out, text, len);
			return (CHARSET_OK);
		}
		if (is_utf8)
			return (CHARSET_BAD_BYTES);
	}
	*name = "gb18030";
	return (
	    convert(text, len, out, bad_at) ? CHARSET_OK : CHARSET_BAD_BYTES);
}

static bool
is_named(const char *name, size_t len, const char *const *names)
{
	for (; len > 0 && *names != NULL; names++) {
		if (strlen(*names) == len &&
		    strncasecmp(*names, name, len) == 0)
			return (true);
	}
	return (false);
}

static size_t
utf8_valid_len(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t i = 0, n;

	while (i < len) {
		n = at[i] < 0x80 ? 1 : utf8_unit(at + i, len - i);
		if (n == 0)
			break;
		i += n;
	}
	return (i);
}

/* RFC 3629 section 4: no overlong form, no surrogate; 0 if it is none. */
static size_t
utf8_unit(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t n, i;

	if (at[0] < 0xc2 || at[0] > 0xf4)
		return (0);
	n = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (n > left)
		return (0);
	code = at[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return (0);
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return (0);
	return (n);
}

static bool
convert(const char *text, size_t len, struct buf *out, size_t *bad_at)
{
	char chunk[CHUNK], *in = (char *)(uintptr_t)text, *to;
	size_t left = len, room, result;

	(void)iconv(gb18030, NULL, NULL, NULL, NULL);
	while (left > 0) {
		to = chunk;
		room = sizeof(chunk);
		result = iconv(gb18030, &in, &left, &to, &room);
		buf_append(out, chunk, (size_t)(to - chunk));
		/* Else the chunk is full. */
		if (result == (size_t)-1 && to == chunk)
			break;
	}
	*bad_at = len - left;
	return (left == 0);
}
