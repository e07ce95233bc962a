/*
 * token.c -- JWS compact form (RFC 7515) with ES256 (RFC 7518 section 3.4)
 * on OpenSSL's own keys.
 *
 * Not on libjwt 1.10: it writes "typ":"JWT" over ours and refuses at+jwt
 * with EINVAL, which RFC 9068 section 2.1 demands. Without it the key is
 * parsed once and not per token, and no algorithm but one exists here: what
 * the header says can only be right or refused.
 *
 * The key set belongs to this file. It is replaced whole, between requests.
 */
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "contract/base64url.h"
#include "contract/token.h"

#define KEYS_MAX 16
#define PEM_LEN_MAX 16384
#define TOKEN_LEN_MAX 8192
#define HEADER_LEN_MAX 1024 /* characters, before a byte is decoded */
#define NUMBER_LEN 32	    /* P-256: bytes of x, y, r, s */
#define SIGNATURE_LEN (2 * NUMBER_LEN)
#define IAT_LEEWAY_S 60

#define TEXT_LEN(len) (BASE64URL_LEN(len) + 1)

struct key {
	EVP_PKEY *pkey;
	char kid[TEXT_LEN(SHA256_DIGEST_LENGTH)];
	char x[TEXT_LEN(NUMBER_LEN)];
	char y[TEXT_LEN(NUMBER_LEN)];
	struct timespec mtime;
	char name[256];
};

struct key_set {
	struct key keys[KEYS_MAX];
	size_t count;
	size_t signer;
};

static struct key_set *current;

static bool keys_read(const char *, struct key_set *, FILE *);
static bool key_read(const char *, const char *, struct key *, FILE *);
static EVP_PKEY *pem_read(const char *, struct key *, FILE *);
static bool key_describe(struct key *);
static bool coordinate(const EVP_PKEY *, const char *, char *);
static bool is_newer(const struct key *, const struct key *);
static void keys_free(struct key_set *);
static int no_passphrase(char *, int, int, void *);
static bool sign(const struct key *, const char *, size_t, unsigned char *);
static bool verify(const struct key *, const char *, size_t,
    const unsigned char *);
static char *append_json(char *, json_t *);
static json_t *segment_json(struct arena *, const char *, size_t);
static const struct key *header_key(json_t *, enum token_result *);
static bool text_is(json_t *, const char *);
static bool audience_has(json_t *, const char *);
static bool copy_uuid(json_t *, const char *, char *);
static enum token_result claims_check(struct arena *, json_t *, const char *,
    const char *, int64_t, struct token_claims *);

bool
token_keys_load(const char *dir, FILE *errors)
{
	struct key_set *set;

	set = calloc(1, sizeof(*set));
	if (set == NULL)
		abort();
	if (!keys_read(dir, set, errors)) {
		keys_free(set);
		return (false);
	}
	keys_free(current);
	current = set;
	return (true);
}

json_t *
token_jwks(void)
{
	json_t *keys = json_array();
	const struct key *key;
	size_t i;

	for (i = 0; current != NULL && i < current->count; i++) {
		key = &current->keys[i];
		json_array_append_new(keys,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty",
			"EC", "crv", "P-256", "x", key->x, "y", key->y, "kid",
			key->kid, "use", "sig", "alg", "ES256"));
	}
	return (json_pack("{s:o}", "keys", keys));
}

char *
token_sign(struct arena *arena, const char *issuer, const char *audience,
    const char *client_id, const char *sub, const char *sid, const char *scope,
    int64_t now_s, int64_t lifetime_s)
{
	const struct key *key = &current->keys[current->signer];
	unsigned char signature[SIGNATURE_LEN];
	char jti[UUID_TEXT_SIZE], *text, *at;
	json_t *header, *claims;
	size_t len;

	uuid_v7(jti);
	header = json_pack("{s:s, s:s, s:s}", "alg", "ES256", "typ", "at+jwt",
	    "kid", key->kid);
	claims = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}",
	    "iss", issuer, "aud", audience, "sub", sub, "sid", sid, "client_id",
	    client_id, "scope", scope, "jti", jti, "iat", (json_int_t)now_s,
	    "exp", (json_int_t)(now_s + lifetime_s));
	if (header == NULL || claims == NULL)
		abort(); /* a text that is not UTF-8: ours are */
	len = json_dumpb(header, NULL, 0, JSON_COMPACT) +
	      json_dumpb(claims, NULL, 0, JSON_COMPACT);
	text = arena_alloc(arena,
	    BASE64URL_LEN(len) + BASE64URL_LEN(SIGNATURE_LEN) + 8);
	at = append_json(text, header);
	*at++ = '.';
	at = append_json(at, claims);
	json_decref(header);
	json_decref(claims);
	if (!sign(key, text, (size_t)(at - text), signature))
		abort();
	*at++ = '.';
	base64url_encode(signature, sizeof(signature), at);
	return (text);
}

enum token_result
token_verify(struct arena *arena, const char *text, size_t len,
    const char *issuer, const char *audience, int64_t now_s,
    struct token_claims *out)
{
	unsigned char signature[SIGNATURE_LEN + 3];
	const char *end = text + len, *payload, *last;
	const struct key *key;
	json_t *json;
	enum token_result result;

	if (len > TOKEN_LEN_MAX || (payload = memchr(text, '.', len)) == NULL ||
	    payload - text > HEADER_LEN_MAX)
		return (TOKEN_MALFORMED);
	payload++;
	last = memchr(payload, '.', (size_t)(end - payload));
	if (last == NULL ||
	    (size_t)(end - last - 1) != BASE64URL_LEN(SIGNATURE_LEN) ||
	    base64url_decode(last + 1, (size_t)(end - last - 1), signature) !=
		SIGNATURE_LEN)
		return (TOKEN_MALFORMED);

	json = segment_json(arena, text, (size_t)(payload - 1 - text));
	key = header_key(json, &result);
	json_decref(json);
	if (key == NULL)
		return (result);
	if (!verify(key, text, (size_t)(last - text), signature))
		return (TOKEN_BAD_SIGNATURE);

	json = segment_json(arena, payload, (size_t)(last - payload));
	result = claims_check(arena, json, issuer, audience, now_s, out);
	json_decref(json);
	return (result);
}

/* Goes on after a fault, so that all of them are told. */
static bool
keys_read(const char *dir, struct key_set *set, FILE *errors)
{
	struct dirent *entry;
	DIR *handle;
	size_t len;
	bool is_good = true;

	handle = opendir(dir);
	if (handle == NULL) {
		fprintf(errors, "%s: %s\n", dir, strerror(errno));
		return (false);
	}
	while ((entry = readdir(handle)) != NULL) {
		len = strlen(entry->d_name);
		if (len < 5 || entry->d_name[0] == '.' ||
		    strcmp(entry->d_name + len - 4, ".pem") != 0)
			continue;
		if (set->count == KEYS_MAX) {
			fprintf(errors, "%s: more than %d keys\n", dir,
			    KEYS_MAX);
			is_good = false;
			break;
		}
		if (!key_read(dir, entry->d_name, &set->keys[set->count],
			errors)) {
			is_good = false;
			continue;
		}
		if (is_newer(&set->keys[set->count], &set->keys[set->signer]))
			set->signer = set->count;
		set->count++;
	}
	closedir(handle);
	if (is_good && set->count == 0) {
		fprintf(errors, "%s: no *.pem file\n", dir);
		is_good = false;
	}
	return (is_good);
}

static bool
key_read(const char *dir, const char *name, struct key *key, FILE *errors)
{
	char path[4096];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		fprintf(errors, "%s: path is too long\n", dir);
		return (false);
	}
	snprintf(key->name, sizeof(key->name), "%s", name);
	key->pkey = pem_read(path, key, errors);
	if (key->pkey == NULL)
		return (false);
	if (!key_describe(key)) {
		fprintf(errors, "%s: not an EC P-256 key\n", path);
		EVP_PKEY_free(key->pkey);
		key->pkey = NULL;
		return (false);
	}
	return (true);
}

static EVP_PKEY *
pem_read(const char *path, struct key *key, FILE *errors)
{
	struct stat st;
	EVP_PKEY *pkey = NULL;
	FILE *fp;

	fp = fopen(path, "re");
	if (fp == NULL || fstat(fileno(fp), &st) != 0) {
		fprintf(errors, "%s: %s\n", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > PEM_LEN_MAX) {
		fprintf(errors, "%s: not a small file\n", path);
	} else {
		key->mtime = st.st_mtim;
		/* Never ask the terminal for a passphrase. */
		pkey = PEM_read_PrivateKey(fp, NULL, no_passphrase, NULL);
		if (pkey == NULL)
			fprintf(errors, "%s: no private key in PEM form\n",
			    path);
	}
	if (fp != NULL)
		fclose(fp);
	return (pkey);
}

/* Fills x, y and kid; false if it is no P-256 key. */
static bool
key_describe(struct key *key)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char group[32], text[256];
	size_t len;
	int n;

	if (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_EC ||
	    EVP_PKEY_get_utf8_string_param(key->pkey,
		OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &len) != 1 ||
	    strcmp(group, "prime256v1") != 0 ||
	    !coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x) ||
	    !coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y))
		return (false);
	/* RFC 7638 section 3: these members, in this order, no blanks. */
	n = snprintf(text, sizeof(text),
	    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
	    key->x, key->y);
	SHA256((const unsigned char *)text, (size_t)n, digest);
	base64url_encode(digest, sizeof(digest), key->kid);
	return (true);
}

static bool
coordinate(const EVP_PKEY *pkey, const char *name, char *out)
{
	unsigned char bytes[NUMBER_LEN];
	BIGNUM *number = NULL;
	bool is_good;

	is_good = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
		  BN_bn2binpad(number, bytes, sizeof(bytes)) == sizeof(bytes);
	BN_free(number);
	if (is_good)
		base64url_encode(bytes, sizeof(bytes), out);
	return (is_good);
}

static bool
is_newer(const struct key *a, const struct key *b)
{
	if (a->mtime.tv_sec != b->mtime.tv_sec)
		return (a->mtime.tv_sec > b->mtime.tv_sec);
	if (a->mtime.tv_nsec != b->mtime.tv_nsec)
		return (a->mtime.tv_nsec > b->mtime.tv_nsec);
	return (strcmp(a->name, b->name) > 0);
}

static void
keys_free(struct key_set *set)
{
	size_t i;

	if (set == NULL)
		return;
	for (i = 0; i < set->count; i++)
		EVP_PKEY_free(set->keys[i].pkey);
	free(set);
}

static int
no_passphrase(char *out, int size, int is_writing, void *arg)
{
	(void)out;
	(void)size;
	(void)is_writing;
	(void)arg;
	return (-1);
}

/* JWS wants r and s as two numbers of 32 bytes, OpenSSL makes DER. */
static bool
sign(const struct key *key, const char *text, size_t len, unsigned char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;
	unsigned char der[128];
	const unsigned char *at = der;
	size_t der_len = sizeof(der);
	bool is_done;

	is_done =
	    ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, der, &der_len, (const unsigned char *)text,
		len) == 1 &&
	    (sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len)) != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, NUMBER_LEN) ==
		NUMBER_LEN &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + NUMBER_LEN, NUMBER_LEN) ==
		NUMBER_LEN;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return (is_done);
}

static bool
verify(const struct key *key, const char *text, size_t len,
    const unsigned char *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r, *s;
	unsigned char *der = NULL;
	int der_len;
	bool is_good = false;

	r = BN_bin2bn(signature, NUMBER_LEN, NULL);
	s = BN_bin2bn(signature + NUMBER_LEN, NUMBER_LEN, NULL);
	if (ctx == NULL || sig == NULL || r == NULL || s == NULL)
		abort();
	ECDSA_SIG_set0(sig, r, s); /* takes both */
	der_len = i2d_ECDSA_SIG(sig, &der);
	if (der_len > 0)
		is_good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
			      key->pkey) == 1 &&
			  EVP_DigestVerify(ctx, der, (size_t)der_len,
			      (const unsigned char *)text, len) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return (is_good);
}

static char *
append_json(char *to, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (text == NULL)
		abort();
	to += base64url_encode(text, strlen(text), to);
	free(text);
	return (to);
}

/* New reference, or NULL if it is no JSON object. */
static json_t *
segment_json(struct arena *arena, const char *text, size_t len)
{
	char *bytes = arena_alloc(arena, len + 1);
	int64_t n = base64url_decode(text, len, bytes);
	json_t *json;

	if (n <= 0)
		return (NULL);
	json = json_loadb(bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
	if (json != NULL && !json_is_object(json)) {
		json_decref(json);
		return (NULL);
	}
	return (json);
}

/*
 * The key that the header names; a jwk, jku or x5c that it brings along is
 * nothing to us, and what it declares critical is not understood (RFC 7515
 * section 4.1.11).
 */
static const struct key *
header_key(json_t *header, enum token_result *result)
{
	const char *kid = json_string_value(json_object_get(header, "kid"));
	size_t i;

	*result = TOKEN_MALFORMED;
	if (!text_is(json_object_get(header, "alg"), "ES256") ||
	    (!text_is(json_object_get(header, "typ"), "at+jwt") &&
		!text_is(json_object_get(header, "typ"),
		    "application/at+jwt")) ||
	    json_object_get(header, "crit") != NULL || kid == NULL)
		return (NULL);
	*result = TOKEN_BAD_SIGNATURE;
	for (i = 0; current != NULL && i < current->count; i++)
		if (strcmp(current->keys[i].kid, kid) == 0)
			return (&current->keys[i]);
	return (NULL);
}

static bool
text_is(json_t *value, const char *text)
{
	return (json_is_string(value) &&
		strcmp(json_string_value(value), text) == 0);
}

/* One text or an array of texts (RFC 7519 section 4.1.3). */
static bool
audience_has(json_t *aud, const char *audience)
{
	json_t *member;
	size_t i;

	json_array_foreach(aud, i, member)
		if (text_is(member, audience))
			return (true);
	return (text_is(aud, audience));
}

static bool
copy_uuid(json_t *claims, const char *name, char *out)
{
	json_t *value = json_object_get(claims, name);

	if (!json_is_string(value) ||
	    !parse_is_uuid(json_string_value(value), json_string_length(value)))
		return (false);
	memcpy(out, json_string_value(value), UUID_TEXT_SIZE);
	return (true);
}

/* RFC 9068 section 4. */
static enum token_result
claims_check(struct arena *arena, json_t *claims, const char *issuer,
    const char *audience, int64_t now_s, struct token_claims *out)
{
	json_t *exp = json_object_get(claims, "exp");
	json_t *iat = json_object_get(claims, "iat");
	const char *scope;

	scope = json_string_value(json_object_get(claims, "scope"));
	if (!json_is_integer(exp) || !json_is_integer(iat) || scope == NULL ||
	    !json_is_string(json_object_get(claims, "client_id")) ||
	    !copy_uuid(claims, "sub", out->sub) ||
	    !copy_uuid(claims, "sid", out->sid) ||
	    !copy_uuid(claims, "jti", out->jti))
		return (TOKEN_MALFORMED);
	if (!text_is(json_object_get(claims, "iss"), issuer) ||
	    !audience_has(json_object_get(claims, "aud"), audience))
		return (TOKEN_WRONG_AUDIENCE);
	out->exp_s = json_integer_value(exp);
	out->iat_s = json_integer_value(iat);
	if (out->exp_s <= now_s)
		return (TOKEN_EXPIRED);
	if (out->iat_s > now_s + IAT_LEEWAY_S)
		return (TOKEN_MALFORMED);
	out->scope = arena_strdup(arena, scope);
	return (TOKEN_OK);
}
