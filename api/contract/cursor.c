/*
 * cursor.c -- base64url(mac | direction | bound | values).
 *
 * mac is over all that follows and says "ours"; bound is a keyed digest of
 * the binding and says "of this query". Two answers need two values: with
 * the binding inside the MAC alone, a foreign cursor and a forged one would
 * look the same.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "contract/base64url.h"
#include "contract/cursor.h"

#define MAC_LEN 16
#define HEAD_LEN (MAC_LEN + 1 + MAC_LEN)
#define VALUE_LEN_MAX 4096
#define TEXT_LEN_MAX 32768
#define SECRET_LEN_MIN 32

/* HMAC-SHA-256 that has its key: to look the algorithm up and to take a key
 * costs more than the few bytes that are authenticated. */
static EVP_MAC_CTX *keyed;

static void mac(char, const void *, size_t, unsigned char *);
static bool values_read(struct arena *, const unsigned char *, size_t,
    struct cursor *);

void
cursor_set_secret(const void *data, size_t len)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end(),
	};

	assert(len >= SECRET_LEN_MIN);
	EVP_MAC_CTX_free(keyed);
	keyed = EVP_MAC_CTX_new(hmac);
	if (keyed == NULL || EVP_MAC_init(keyed, data, len, params) != 1)
		abort();
	EVP_MAC_free(hmac);
}

char *
cursor_seal(struct arena *arena, const struct cursor *cursor,
    const char *binding)
{
	unsigned char *bytes, *to;
	char *text;
	size_t i, len = HEAD_LEN, value_len;

	assert(cursor->value_count <= CURSOR_VALUES_MAX);
	for (i = 0; i < cursor->value_count; i++)
		len += 2 + strlen(cursor->values[i]);
	bytes = arena_alloc(arena, len);
	bytes[MAC_LEN] = cursor->is_backward;
	mac('b', binding, strlen(binding), bytes + MAC_LEN + 1);
	to = bytes + HEAD_LEN;
	for (i = 0; i < cursor->value_count; i++) {
		value_len = strlen(cursor->values[i]);
		/* Sort keys are columns with a bound; this is no input. */
		assert(value_len <= VALUE_LEN_MAX);
		*to++ = (unsigned char)(value_len >> 8);
		*to++ = (unsigned char)(value_len & 255);
		memcpy(to, cursor->values[i], value_len);
		to += value_len;
	}
	mac('c', bytes + MAC_LEN, len - MAC_LEN, bytes);
	text = arena_alloc(arena, BASE64URL_LEN(len) + 1);
	base64url_encode(bytes, len, text);
	return (text);
}

enum cursor_result
cursor_open(struct arena *arena, const char *text, const char *binding,
    struct cursor *out)
{
	unsigned char *bytes, expected[MAC_LEN];
	size_t text_len = strlen(text);
	int64_t len;

	if (text_len > TEXT_LEN_MAX)
		return (CURSOR_BAD);
	bytes = arena_alloc(arena, text_len + 1);
	len = base64url_decode(text, text_len, bytes);
	if (len < HEAD_LEN)
		return (CURSOR_BAD);
	mac('c', bytes + MAC_LEN, (size_t)len - MAC_LEN, expected);
	if (CRYPTO_memcmp(bytes, expected, MAC_LEN) != 0)
		return (CURSOR_BAD);
	mac('b', binding, strlen(binding), expected);
	if (CRYPTO_memcmp(bytes + MAC_LEN + 1, expected, MAC_LEN) != 0)
		return (CURSOR_MISMATCH);
	out->is_backward = bytes[MAC_LEN] != 0;
	if (!values_read(arena, bytes + HEAD_LEN, (size_t)len - HEAD_LEN, out))
		return (CURSOR_BAD);
	return (CURSOR_OK);
}

/* HMAC-SHA-256 of purpose and data, cut to 128 bits. */
static void
mac(char purpose, const void *data, size_t len, unsigned char *out)
{
	unsigned char full[EVP_MAX_MD_SIZE];
	size_t full_len = 0;

	assert(keyed != NULL);
	if (EVP_MAC_init(keyed, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(keyed, (const unsigned char *)&purpose, 1) != 1 ||
	    EVP_MAC_update(keyed, data, len) != 1 ||
	    EVP_MAC_final(keyed, full, &full_len, sizeof(full)) != 1 ||
	    full_len < MAC_LEN)
		abort();
	memcpy(out, full, MAC_LEN);
}

/* Two bytes of length, then the value, as often as there are bytes. */
static bool
values_read(struct arena *arena, const unsigned char *at, size_t left,
    struct cursor *out)
{
	size_t len;

	out->value_count = 0;
	while (left > 0) {
		if (left < 2 || out->value_count == CURSOR_VALUES_MAX)
			return (false);
		len = (size_t)at[0] << 8 | at[1];
		if (len > left - 2)
			return (false);
		out->values[out->value_count++] =
		    arena_strndup(arena, (const char *)at + 2, len);
		at += 2 + len;
		left -= 2 + len;
	}
	return (true);
}
