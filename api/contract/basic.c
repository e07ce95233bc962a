/*
 * basic.c -- the base64 of RFC 4648 section 4 is read by way of its sibling
 * of section 5, which is strict: a pair has exactly one text.
 */
#include "contract/basic.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "contract/base64url.h"

#define TEXT_LEN_MAX 1024

bool
basic_is_meant(const char *header)
{
	return (header != NULL && strncasecmp(header, "basic", 5) == 0 &&
		(header[5] == ' ' || header[5] == '\0'));
}

bool
basic_parse(struct arena *arena, const char *header, const char **id,
    const char **secret)
{
	char *text, *pair, *colon, *parts;
	size_t i, len, pair_len, id_len;
	int64_t n;

	if (!basic_is_meant(header))
		return (false);
	header += 5;
	header += strspn(header, " ");
	len = strlen(header);
	if (len > TEXT_LEN_MAX || len % 4 != 0)
		return (false);
	for (i = 0; i < 2 && len > 0 && header[len - 1] == '='; i++)
		len--;
	text = arena_strndup(arena, header, len);
	for (i = 0; i < len; i++) {
		if (text[i] == '-' || text[i] == '_')
			return (false);
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
	}
	pair = arena_alloc(arena, len + 1);
	n = base64url_decode(text, len, pair);
	colon = n <= 0 ? NULL : memchr(pair, ':', (size_t)n);
	if (colon == NULL)
		return (false);
	pair_len = (size_t)n;
	id_len = (size_t)(colon - pair);
	parts = arena_alloc(arena, pair_len + 1);
	if (parse_percent_decode(pair, id_len, true, parts) < 0 ||
	    parse_percent_decode(colon + 1, pair_len - id_len - 1, true,
		parts + id_len + 1) < 0)
		return (false);
	*id = parts;
	*secret = parts + id_len + 1;
	return (true);
}
