/*
 * base64url.c -- six bits at a time.
 */
#include "contract/base64url.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char);

size_t
base64url_encode(const void *data, size_t len, char *out)
{
	const unsigned char *in = data;
	char *to = out;
	uint32_t bits = 0;
	unsigned count = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (count += 8; count >= 6; count -= 6)
			*to++ = alphabet[bits >> (count - 6) & 63];
	}
	if (count > 0)
		*to++ = alphabet[bits << (6 - count) & 63];
	*to = '\0';
	return ((size_t)(to - out));
}

int64_t
base64url_decode(const char *text, size_t len, void *out)
{
	unsigned char *to = out;
	uint32_t bits = 0;
	unsigned count = 0;
	size_t i, n = 0;
	int value;

	for (i = 0; i < len; i++) {
		if ((value = value_of(text[i])) < 0)
			return (-1);
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			to[n++] = (unsigned char)(bits >> count);
		}
	}
	if (count >= 6 || (bits & ((1U << count) - 1)) != 0)
		return (-1);
	return ((int64_t)n);
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == '-')
		return (62);
	return (c == '_' ? 63 : -1);
}
