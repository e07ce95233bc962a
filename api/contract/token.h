/*
 * token.h -- access tokens after RFC 9068, ES256 by OpenSSL.
 *
 * The algorithm comes from the key, never from the token: the header is
 * checked first (alg must be ES256, typ at+jwt, kid one of ours), then the
 * signature by that key alone, then iss, aud, exp, iat, sub, sid, jti.
 * (libjwt 1.10 takes the algorithm from the token, ignores exp, and can
 * neither write nor read typ at+jwt.)
 */
#ifndef DUDAO_CONTRACT_TOKEN_H
#define DUDAO_CONTRACT_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/must.h"
#include "base/uuid.h"

struct token_claims {
	char sub[UUID_TEXT_SIZE]; /* user */
	char sid[UUID_TEXT_SIZE]; /* session */
	char jti[UUID_TEXT_SIZE];
	const char *scope; /* in the arena */
	int64_t iat_s, exp_s;
};

enum token_result {
	TOKEN_OK,
	TOKEN_MALFORMED,
	TOKEN_BAD_SIGNATURE,
	TOKEN_EXPIRED,
	TOKEN_WRONG_AUDIENCE
};

/*
 * Reads every *.pem (EC P-256 private keys) of dir; kid = RFC 7638
 * thumbprint. The newest file (mtime, then name) signs, all verify: two
 * files make a rotation without downtime. Replaces the set only when all
 * are good; false and lines on errors otherwise.
 */
bool token_keys_load(const char *dir, FILE *errors) MUST_CHECK;
/* Public keys, RFC 7517. New reference. */
json_t *token_jwks(void);

/*
 * Fills jti; text in the arena. now_s: seconds since the epoch. Needs keys;
 * all texts are UTF-8.
 */
char *token_sign(struct arena *arena, const char *issuer, const char *audience,
    const char *client_id, const char *sub, const char *sid, const char *scope,
    int64_t now_s, int64_t lifetime_s) MUST_CHECK;

/*
 * 60 s of leeway for iat, none for exp. Texts over 8 KiB are refused before
 * anything is decoded. Costs one verification (about 0.1 ms) at most, and
 * none for a token whose header is not ours.
 */
enum token_result token_verify(struct arena *arena, const char *text,
    size_t len, const char *issuer, const char *audience, int64_t now_s,
    struct token_claims *out) MUST_CHECK;

#endif
