/*
 * fuzz_cursor.c -- any text as a cursor; and the same bytes under a good
 * MAC, so that the reader behind it is reached.
 */
#include <openssl/hmac.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "contract/base64url.h"
#include "contract/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define SECRET "0123456789abcdef0123456789abcdef"

/* bound[16] of the binding "b" precedes the fuzzed values. */
static char *
under_a_good_mac(struct arena *arena, const uint8_t *data, size_t len)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;
	unsigned char *bytes = arena_alloc(arena, len + 34);
	char *text = arena_alloc(arena, BASE64URL_LEN(len + 33) + 1);

	bytes[16] = 'c';
	bytes[17] = 0;
	HMAC(EVP_sha256(), SECRET, 32, (const unsigned char *)"bb", 2, mac,
	    &mac_len);
	memcpy(bytes + 18, mac, 16);
	memcpy(bytes + 34, data, len);
	HMAC(EVP_sha256(), SECRET, 32, bytes + 16, len + 18, mac, &mac_len);
	/* The purpose 'c' is no part of the text. */
	memmove(bytes + 16, bytes + 17, len + 17);
	memcpy(bytes, mac, 16);
	base64url_encode(bytes, len + 33, text);
	return (text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *arena = arena_new(256);
	struct cursor cursor;
	enum cursor_result result;
	char *text;

	cursor_set_secret(SECRET, 32);
	text = arena_strndup(arena, (const char *)data, len);
	if (cursor_open(arena, text, "b", &cursor) == CURSOR_MISMATCH)
		abort();
	text = under_a_good_mac(arena, data, len);
	result = cursor_open(arena, text, "b", &cursor);
	if (result == CURSOR_MISMATCH || (result == CURSOR_BAD && len == 0))
		abort();
	if (result == CURSOR_OK &&
	    cursor_open(arena, cursor_seal(arena, &cursor, "b"), "b",
		&cursor) != CURSOR_OK)
		abort();
	arena_free(arena);
	return (0);
}
