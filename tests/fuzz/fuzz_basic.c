/*
 * fuzz_basic.c -- any text as a header; and any bytes as a pair, encoded by
 * OpenSSL: what is taken has a colon and is never longer than it came.
 */
#include <openssl/evp.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "contract/basic.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
take(const char *header, size_t max)
{
	struct arena *arena = arena_new(256);
	const char *id = NULL, *secret = NULL;
	bool is_taken = basic_parse(arena, header, &id, &secret);

	if (is_taken != (id != NULL) || is_taken != (secret != NULL))
		abort();
	if (is_taken &&
	    (!basic_is_meant(header) || strlen(id) + 1 + strlen(secret) > max ||
		!parse_is_utf8(id, strlen(id)) ||
		!parse_is_utf8(secret, strlen(secret))))
		abort();
	arena_free(arena);
	return (is_taken);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *header = malloc(len * 2 + 16);

	memcpy(header, data, len);
	header[len] = '\0';
	(void)take(header, len);
	memcpy(header, "Basic ", 6);
	(void)EVP_EncodeBlock((unsigned char *)header + 6, data, (int)len);
	if (take(header, len) && memchr(data, ':', len) == NULL)
		abort();
	free(header);
	return (0);
}
