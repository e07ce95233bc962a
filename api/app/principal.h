/*
 * principal.h -- who is asking: from a bearer token to user, roles and
 * scopes, from a cache that forgets within a second of a revocation.
 *
 * Two caches a worker: verified tokens (text -> claims, until exp) and
 * principals (session -> grants, until the next moment at which a grant
 * begins or ends). The second may be used only while the worker is
 * listening to the database's notifications.
 */
#ifndef DUDAO_APP_PRINCIPAL_H
#define DUDAO_APP_PRINCIPAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/service.h"
#include "base/arena.h"
#include "base/uuid.h"
#include "contract/token.h"

struct principal {
	char *user_id; /* "" when anonymous */
	char *session_id;
	char *login;
	char *display_name;
	char *organization_id;
	char *roles; /* array literal: {office_staff} */
	struct scope_set scopes;
	int64_t valid_until_s;
	unsigned ref_count; /* private */
};

/* Audience of our access tokens. */
#define PRINCIPAL_AUDIENCE "dudao-api"

void principal_init(void); /* in a worker */

/* The anonymous principal, role public. Not counted. */
struct principal *principal_public(void);

/* Verifies the token text, or finds it verified. out->scope is not kept. */
enum token_result principal_verify(const char *token, size_t len,
    struct arena *arena, struct token_claims *out) MUST_CHECK;

/* The cached principal of a session, one reference for the caller; NULL if it
 * has to be loaded. */
struct principal *principal_find(const char *session_id);
/*
 * Taken before loadPrincipal is sent and given back with its row: a row that
 * was read while a notification came in is used once, but not cached.
 */
uint64_t principal_generation(void);
/* From the row of loadPrincipal; cached if listening. One reference for the
 * caller. */
struct principal *principal_take_row(const char *session_id,
    const PGresult *row, uint64_t generation);
void principal_release(struct principal *principal);

bool principal_has_role(const struct principal *principal, const char *role);

/* For pglisten_start(). */
void principal_on_notify(const char *user_id);
void principal_on_listening(bool is_listening);

/* The keys were read again: a token may have lost its own. */
void principal_on_keys(void);

#endif
