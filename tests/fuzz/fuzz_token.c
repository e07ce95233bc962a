/*
 * fuzz_token.c -- any text as a token is refused; the first byte chooses
 * whether a good token is cut and continued with the rest.
 */
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "contract/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ID "01930000-0000-7000-8000-000000000001"

static struct arena *long_lived;
static char *good;

static void
start(void)
{
	char dir[] = "/tmp/fuzz_token.XXXXXX", path[64];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *fp;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/a.pem", dir);
	fp = fopen(path, "w");
	PEM_write_PrivateKey(fp, key, NULL, NULL, 0, NULL, NULL);
	fclose(fp);
	EVP_PKEY_free(key);
	if (!token_keys_load(dir, stderr))
		abort();
	unlink(path);
	rmdir(dir);
	long_lived = arena_new(1024);
	good = token_sign(long_lived, "i", "a", "c", ID, ID, "s", 1000, 100);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *arena = arena_new(256);
	struct token_claims claims;
	enum token_result result;
	size_t cut = 0;
	char *text;

	if (good == NULL)
		start();
	if (len > 1 && data[0] % 2 == 0) {
		cut = (size_t)data[1] * 4 % strlen(good);
		data += 2;
		len -= 2;
	}
	text = malloc(cut + len + 1);
	memcpy(text, good, cut);
	memcpy(text + cut, data, len);
	result = token_verify(arena, text, cut + len, "i", "a", 1001, &claims);
	if (result == TOKEN_OK &&
	    (cut + len != strlen(good) || memcmp(text, good, cut + len) != 0))
		abort();
	free(text);
	arena_free(arena);
	return (0);
}
