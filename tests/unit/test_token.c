/*
 * test_token.c -- what is signed verifies, and no forgery does. libjwt is
 * here as the attacker's tool: another implementation, and the one whose
 * weaknesses (algorithm taken from the token) are tried.
 */
#include <sys/stat.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <fcntl.h>
#include <jwt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "contract/base64url.h"
#include "contract/token.h"

#define ISSUER "https://dudao.example"
#define AUDIENCE "dudao-api"
#define SUB "01930000-0000-7000-8000-000000000001"
#define SID "01930000-0000-7000-8000-000000000002"
#define NOW ((int64_t)1790000000)
#define CLAIMS                                                         \
	"{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\","            \
	"\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"" SID "\"," \
	"\"client_id\":\"web\",\"scope\":\"a:read\","                  \
	"\"iat\":1790000000,\"exp\":1790000900}"

static char dir[] = "/tmp/test_token.XXXXXX";
static struct arena *arena;

static void key_write(const char *, const char *, int64_t);
static void key_remove(const char *);
static void file_write(const char *, const char *);
static char *newest_kid(size_t);
static char *sign_now(void);
static enum token_result check(const char *);
static char *es256(const char *, const char *, const char *);
static char *joined(const char *, const char *, const void *, size_t);
static char *header_with(const char *);

static char *
path_of(const char *name)
{
	return (arena_printf(arena, "%s/%s", dir, name));
}

static void
key_write(const char *name, const char *curve, int64_t mtime_s)
{
	struct timespec times[2] = { { .tv_sec = mtime_s },
		{ .tv_sec = mtime_s } };
	EVP_PKEY *key = EVP_EC_gen(curve);
	FILE *fp = fopen(path_of(name), "w");

	assert_non_null(key);
	assert_non_null(fp);
	PEM_write_PrivateKey(fp, key, NULL, NULL, 0, NULL, NULL);
	fclose(fp);
	EVP_PKEY_free(key);
	assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void
key_remove(const char *name)
{
	assert_int_equal(unlink(path_of(name)), 0);
}

static void
file_write(const char *name, const char *text)
{
	FILE *fp = fopen(path_of(name), "w");

	fputs(text, fp);
	fclose(fp);
}

static char *
newest_kid(size_t i)
{
	json_t *jwks = token_jwks();
	char *kid;

	kid = arena_strdup(arena,
	    json_string_value(
		json_object_get(json_array_get(json_object_get(jwks, "keys"),
				    i),
		    "kid")));
	json_decref(jwks);
	return (kid);
}

static char *
sign_now(void)
{
	return (token_sign(arena, ISSUER, AUDIENCE, "web", SUB, SID,
	    "a:read b:write", NOW, 900));
}

static enum token_result
check(const char *text)
{
	struct token_claims claims;
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	enum token_result result;

	/* No NUL behind it: the length alone counts. */
	memcpy(copy, text, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	result =
	    token_verify(arena, copy, len, ISSUER, AUDIENCE, NOW + 10, &claims);
	free(copy);
	return (result);
}

static char *
joined(const char *header, const char *claims, const void *sig, size_t len)
{
	char *text = arena_alloc(arena, BASE64URL_LEN(strlen(header)) +
					    BASE64URL_LEN(strlen(claims)) +
					    BASE64URL_LEN(len) + 9);
	char *at = text;

	at += base64url_encode(header, strlen(header), at);
	*at++ = '.';
	at += base64url_encode(claims, strlen(claims), at);
	*at++ = '.';
	base64url_encode(sig, len, at);
	return (text);
}

/* Signed by the key in a file, whatever header and claims say. */
static char *
es256(const char *name, const char *header, const char *claims)
{
	unsigned char der[128], raw[64];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	FILE *fp = fopen(path_of(name), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(fp, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *text = joined(header, claims, "", 0);
	ECDSA_SIG *sig;

	fclose(fp);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, (unsigned char *)text,
			     strlen(text) - 1),
	    1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return (joined(header, claims, raw, sizeof(raw)));
}

static char *
header_with(const char *members)
{
	return (
	    arena_printf(arena, "{%s\"kid\":\"%s\"}", members, newest_kid(0)));
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096);
	assert_non_null(mkdtemp(dir));
	key_write("a.pem", "P-256", 1000);
	assert_true(token_keys_load(dir, stderr));
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	key_remove("a.pem");
	rmdir(dir);
	arena_free(arena);
	return (0);
}

static void
verifies_its_own(void **state)
{
	struct token_claims claims;
	const char *text = sign_now();

	(void)state;
	assert_int_equal(token_verify(arena, text, strlen(text), ISSUER,
			     AUDIENCE, NOW, &claims),
	    TOKEN_OK);
	assert_string_equal(claims.sub, SUB);
	assert_string_equal(claims.sid, SID);
	assert_string_equal(claims.scope, "a:read b:write");
	assert_int_equal(strlen(claims.jti), UUID_TEXT_SIZE - 1);
	assert_int_equal(claims.iat_s, NOW);
	assert_int_equal(claims.exp_s, NOW + 900);
	/* And the tools of this file make a good one too. */
	assert_int_equal(check(es256("a.pem",
			     header_with(
				 "\"alg\":\"ES256\",\"typ\":\"at+jwt\","),
			     CLAIMS)),
	    TOKEN_OK);
	assert_int_equal(check(es256("a.pem",
			     header_with("\"alg\":\"ES256\","
					 "\"typ\":\"application/at+jwt\","),
			     CLAIMS)),
	    TOKEN_OK);
}

static void
looks_at_the_clock(void **state)
{
	struct token_claims claims;
	const char *text = sign_now();
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(token_verify(arena, text, len, ISSUER, AUDIENCE,
			     NOW + 899, &claims),
	    TOKEN_OK);
	assert_int_equal(token_verify(arena, text, len, ISSUER, AUDIENCE,
			     NOW + 900, &claims),
	    TOKEN_EXPIRED);
	assert_int_equal(token_verify(arena, text, len, ISSUER, AUDIENCE,
			     NOW - 60, &claims),
	    TOKEN_OK);
	assert_int_equal(token_verify(arena, text, len, ISSUER, AUDIENCE,
			     NOW - 61, &claims),
	    TOKEN_MALFORMED);
}

static void
is_for_us(void **state)
{
	struct token_claims claims;
	const char *text = sign_now(), *header, *other;
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(token_verify(arena, text, len, ISSUER, "other", NOW,
			     &claims),
	    TOKEN_WRONG_AUDIENCE);
	assert_int_equal(token_verify(arena, text, len, "https://other",
			     AUDIENCE, NOW, &claims),
	    TOKEN_WRONG_AUDIENCE);
	header = header_with("\"alg\":\"ES256\",\"typ\":\"at+jwt\",");
	other = "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"" AUDIENCE "\"],"
		"\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"" SID "\","
		"\"client_id\":\"web\",\"scope\":\"\","
		"\"iat\":1790000000,\"exp\":1790000900}";
	assert_int_equal(check(es256("a.pem", header, other)), TOKEN_OK);
	other = "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\"],"
		"\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"" SID "\","
		"\"client_id\":\"web\",\"scope\":\"\","
		"\"iat\":1790000000,\"exp\":1790000900}";
	assert_int_equal(check(es256("a.pem", header, other)),
	    TOKEN_WRONG_AUDIENCE);
}

/* The header decides nothing: each of these is properly signed. */
static void
refuses_other_headers(void **state)
{
	static const char *const members[] = {
		"\"typ\":\"at+jwt\",",
		"\"alg\":\"ES256\",",
		"\"alg\":\"ES256\",\"typ\":\"JWT\",",
		"\"alg\":\"es256\",\"typ\":\"at+jwt\",",
		"\"alg\":\"ES384\",\"typ\":\"at+jwt\",",
		"\"alg\":\"HS256\",\"typ\":\"at+jwt\",",
		"\"alg\":\"none\",\"typ\":\"at+jwt\",",
		"\"alg\":7,\"typ\":\"at+jwt\",",
		"\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"crit\":[\"exp\"],",
		"\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"at+jwt\",",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_int_equal(check(es256("a.pem", header_with(members[i]),
				     CLAIMS)),
		    TOKEN_MALFORMED);
	assert_int_equal(check(es256("a.pem",
			     "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", CLAIMS)),
	    TOKEN_MALFORMED);
	assert_int_equal(
	    check(es256("a.pem",
		"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"x\"}",
		CLAIMS)),
	    TOKEN_BAD_SIGNATURE);
	assert_int_equal(check(es256("a.pem", "[]", CLAIMS)), TOKEN_MALFORMED);
}

static void
refuses_incomplete_claims(void **state)
{
	static const char *const names[] = { "sub", "sid", "jti", "client_id",
		"scope", "iat", "exp" };
	const char *header;
	char *text;
	json_t *claims;
	size_t i;

	(void)state;
	header = header_with("\"alg\":\"ES256\",\"typ\":\"at+jwt\",");
	for (i = 0; i < sizeof(names) / sizeof(names[0]) * 2; i++) {
		claims = json_loads(CLAIMS, 0, NULL);
		if (i % 2 == 0)
			json_object_del(claims, names[i / 2]);
		else
			json_object_set_new(claims, names[i / 2], json_true());
		text = json_dumps(claims, 0);
		assert_int_equal(check(es256("a.pem", header, text)),
		    TOKEN_MALFORMED);
		free(text);
		json_decref(claims);
	}
	assert_int_equal(check(es256("a.pem", header, "\"a\"")),
	    TOKEN_MALFORMED);
	assert_int_equal(check(es256("a.pem", header, "{")), TOKEN_MALFORMED);
}

/* The classic confusion: the public key, which everybody has, as HMAC key. */
static void
refuses_the_public_key_as_secret(void **state)
{
	unsigned char mac[64];
	unsigned mac_len = 0;
	FILE *fp = fopen(path_of("a.pem"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(fp, NULL, NULL, NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem, *text;
	long pem_len;
	jwt_t *jwt;

	(void)state;
	fclose(fp);
	PEM_write_bio_PUBKEY(bio, key);
	pem_len = BIO_get_mem_data(bio, &pem);
	/* As libjwt writes it … */
	jwt_new(&jwt);
	jwt_add_header(jwt, "kid", newest_kid(0));
	jwt_add_grants_json(jwt, CLAIMS);
	jwt_set_alg(jwt, JWT_ALG_HS256, (unsigned char *)pem, (int)pem_len);
	text = jwt_encode_str(jwt);
	assert_int_equal(check(text), TOKEN_MALFORMED);
	free(text);
	/* … and none at all. */
	jwt_set_alg(jwt, JWT_ALG_NONE, NULL, 0);
	text = jwt_encode_str(jwt);
	assert_int_equal(check(text), TOKEN_MALFORMED);
	free(text);
	jwt_free(jwt);
	/* With our typ, and with our alg in front of an HMAC. */
	text = joined(header_with("\"alg\":\"HS256\",\"typ\":\"at+jwt\","),
	    CLAIMS, "", 0);
	HMAC(EVP_sha256(), pem, (int)pem_len, (unsigned char *)text,
	    strlen(text) - 1, mac, &mac_len);
	memset(mac + 32, 0, 32);
	text = joined(header_with("\"alg\":\"HS256\",\"typ\":\"at+jwt\","),
	    CLAIMS, mac, 32);
	assert_int_equal(check(text), TOKEN_MALFORMED);
	text = joined(header_with("\"alg\":\"ES256\",\"typ\":\"at+jwt\","),
	    CLAIMS, mac, 64);
	assert_int_equal(check(text), TOKEN_BAD_SIGNATURE);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static void
refuses_bad_signatures(void **state)
{
	static const unsigned char zero[64];
	const char *header;
	char *text, *copy, *dot;
	size_t i, len;

	(void)state;
	header = header_with("\"alg\":\"ES256\",\"typ\":\"at+jwt\",");
	/* r = s = 0 was accepted by some (CVE-2022-21449). */
	assert_int_equal(check(joined(header, CLAIMS, zero, 64)),
	    TOKEN_BAD_SIGNATURE);
	assert_int_equal(check(joined(header, CLAIMS, zero, 63)),
	    TOKEN_MALFORMED);
	assert_int_equal(check(joined(header, CLAIMS, "", 0)), TOKEN_MALFORMED);
	/* Any character changed. */
	text = sign_now();
	len = strlen(text);
	for (i = 0; i < len; i++) {
		copy = arena_strdup(arena, text);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(check(copy), TOKEN_OK);
	}
	/* Cut anywhere, or something behind it. */
	for (i = 0; i < len; i++)
		assert_int_not_equal(check(arena_strndup(arena, text, i)),
		    TOKEN_OK);
	assert_int_equal(check(arena_printf(arena, "%s=", text)),
	    TOKEN_MALFORMED);
	assert_int_equal(check(arena_printf(arena, "%s.", text)),
	    TOKEN_MALFORMED);
	assert_int_equal(check(arena_printf(arena, " %s", text)),
	    TOKEN_MALFORMED);
	/* Claims of one under the signature of another. */
	copy = arena_strdup(arena, text);
	dot = strrchr(copy, '.');
	*dot = '\0';
	assert_int_equal(check(arena_printf(arena, "%s%s", copy,
			     strrchr(sign_now(), '.'))),
	    TOKEN_BAD_SIGNATURE);
	copy = arena_alloc(arena, 9000);
	memset(copy, 'a', 8999);
	copy[8999] = '\0';
	assert_int_equal(check(copy), TOKEN_MALFORMED);
}

static void
rotates(void **state)
{
	char *before, *after, *foreign;
	json_t *jwks, *key;

	(void)state;
	before = sign_now();
	key_write("b.pem", "P-256", 2000);
	assert_true(token_keys_load(dir, stderr));
	after = sign_now();
	assert_int_equal(check(before), TOKEN_OK);
	assert_int_equal(check(after), TOKEN_OK);
	assert_int_not_equal(strncmp(before, after, 60), 0);
	jwks = token_jwks();
	assert_int_equal(json_array_size(json_object_get(jwks, "keys")), 2);
	key = json_array_get(json_object_get(jwks, "keys"), 0);
	assert_null(json_object_get(key, "d"));
	assert_int_equal(strlen(json_string_value(json_object_get(key, "x"))),
	    43);
	json_decref(jwks);

	/* An older file does not sign. */
	key_write("c.pem", "P-256", 1500);
	assert_true(token_keys_load(dir, stderr));
	foreign = sign_now();
	key_remove("c.pem");
	assert_true(token_keys_load(dir, stderr));
	assert_int_equal(check(foreign), TOKEN_OK);

	key_remove("b.pem");
	assert_true(token_keys_load(dir, stderr));
	assert_int_equal(check(before), TOKEN_OK);
	assert_int_equal(check(after), TOKEN_BAD_SIGNATURE);
}

static void
keeps_the_keys_when_files_are_bad(void **state)
{
	char *text = sign_now(), *told = NULL;
	size_t told_len;
	FILE *errors = open_memstream(&told, &told_len);

	(void)state;
	key_write("b.pem", "P-384", 2000);
	file_write("c.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
			    "-----END PRIVATE KEY-----\n");
	file_write("d.txt", "not looked at");
	assert_false(token_keys_load(dir, errors));
	assert_false(token_keys_load("/nowhere", errors));
	fclose(errors);
	assert_non_null(strstr(told, "b.pem"));
	assert_non_null(strstr(told, "c.pem"));
	assert_null(strstr(told, "d.txt"));
	assert_non_null(strstr(told, "/nowhere"));
	free(told);
	assert_int_equal(check(text), TOKEN_OK);
	key_remove("b.pem");
	key_remove("c.pem");
	key_remove("d.txt");
}

/* A throw-away key whose thumbprint was made by other means (python). */
static void
names_keys_by_thumbprint(void **state)
{
	(void)state;
	key_remove("a.pem");
	file_write("a.pem",
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgST9Qw0iPypoyksUp\n"
	    "yZYK0ovhutJhdbyog6yqd2qoLzuhRANCAAQqSRQcMp/Fu0RJuJ4u7+bLDEgoMl/f\n"
	    "mPt89t4zrqdAztTMfFN0fS9zprukNZ9s0sat3YJDi6TJRukd/nO7Vfvi\n"
	    "-----END PRIVATE KEY-----\n");
	assert_true(token_keys_load(dir, stderr));
	assert_string_equal(newest_kid(0),
	    "Ymu5l0-RtzbVC9BnBT4LmngA5ijnlTTPsPkSXGeguNM");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_its_own),
		cmocka_unit_test(looks_at_the_clock),
		cmocka_unit_test(is_for_us),
		cmocka_unit_test(refuses_other_headers),
		cmocka_unit_test(refuses_incomplete_claims),
		cmocka_unit_test(refuses_the_public_key_as_secret),
		cmocka_unit_test(refuses_bad_signatures),
		cmocka_unit_test(rotates),
		cmocka_unit_test(keeps_the_keys_when_files_are_bad),
		cmocka_unit_test(names_keys_by_thumbprint),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
