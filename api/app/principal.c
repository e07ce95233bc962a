/*
 * principal.c -- token and principal caches of one worker. Owned by the
 * worker; entries are counted, so that a request keeps its principal when
 * the cache forgets it.
 */
#include "app/principal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

/* A worker serves a county's users many times over with this. */
#define CACHE_MAX 16384

struct token_entry {
	char *text; /* key */
	struct token_claims claims;
	UT_hash_handle hh;
};

struct principal_entry {
	char session_id[UUID_TEXT_SIZE]; /* key */
	struct principal *principal;
	UT_hash_handle hh;
};

static struct token_entry *tokens;
static struct principal_entry *principals;
static bool is_listening;
static uint64_t generation;
static struct principal public_principal = {
	.user_id = (char[]){ "" },
	.session_id = (char[]){ "" },
	.login = (char[]){ "" },
	.display_name = (char[]){ "" },
	.organization_id = (char[]){ "" },
	.roles = (char[]){ "{public}" },
	.valid_until_s = INT64_MAX,
	.ref_count = 1,
};

static void token_forget(struct token_entry *owned_entry);
static void principal_forget(struct principal_entry *owned_entry);
static char *column(const PGresult *row, const char *name);

void
principal_init(void)
{
	is_listening = false;
}

struct principal *
principal_public(void)
{
	return (&public_principal);
}

enum token_result
principal_verify(const char *token, size_t len, struct arena *arena,
    struct token_claims *out)
{
	struct token_entry *entry;
	enum token_result result;
	int64_t now_s = (int64_t)time(NULL);

	HASH_FIND(hh, tokens, token, len, entry);
	if (entry != NULL && entry->claims.exp_s > now_s) {
		metric_add(METRIC_TOKEN_CACHE_HIT, 1);
		*out = entry->claims;
		return (TOKEN_OK);
	}
	if (entry != NULL)
		token_forget(entry);
	metric_add(METRIC_TOKEN_CACHE_MISS, 1);
	result = token_verify(arena, token, len, config_get()->issuer,
	    PRINCIPAL_AUDIENCE, now_s, out);
	if (result != TOKEN_OK)
		return (result);
	out->scope = NULL; /* the principal's scopes are the current ones */
	if (HASH_COUNT(tokens) >= CACHE_MAX)
		token_forget(tokens); /* the oldest: uthash keeps order */
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL || (entry->text = strndup(token, len)) == NULL)
		abort();
	entry->claims = *out;
	HASH_ADD_KEYPTR(hh, tokens, entry->text, len, entry);
	return (TOKEN_OK);
}

struct principal *
principal_find(const char *session_id)
{
	struct principal_entry *entry;

	if (!is_listening)
		return (NULL);
	HASH_FIND_STR(principals, session_id, entry);
	if (entry == NULL)
		return (NULL);
	if (entry->principal->valid_until_s <= (int64_t)time(NULL)) {
		principal_forget(entry);
		return (NULL);
	}
	entry->principal->ref_count++;
	return (entry->principal);
}

uint64_t
principal_generation(void)
{
	return (generation);
}

struct principal *
principal_take_row(const char *session_id, const PGresult *row,
    uint64_t read_generation)
{
	struct principal_entry *entry;
	struct principal *principal;
	char *scopes, *until;

	principal = calloc(1, sizeof(*principal));
	if (principal == NULL)
		abort();
	principal->user_id = column(row, "user_id");
	principal->login = column(row, "login");
	principal->display_name = column(row, "display_name");
	principal->organization_id = column(row, "organization_id");
	principal->roles = column(row, "roles");
	principal->session_id = strdup(session_id);
	scopes = column(row, "scopes");
	service_scope_parse(scopes, &principal->scopes);
	free(scopes);
	until = column(row, "valid_until");
	if (!parse_int64(until, strlen(until), 0, INT64_MAX,
		&principal->valid_until_s))
		principal->valid_until_s = 0;
	free(until);
	principal->ref_count = 1;
	if (!is_listening || read_generation != generation)
		return (principal);

	HASH_FIND_STR(principals, session_id, entry);
	if (entry != NULL)
		principal_forget(entry);
	if (HASH_COUNT(principals) >= CACHE_MAX)
		principal_forget(principals);
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		abort();
	(void)strncpy(entry->session_id, session_id,
	    sizeof(entry->session_id) - 1);
	entry->principal = principal;
	principal->ref_count++;
	HASH_ADD_STR(principals, session_id, entry);
	return (principal);
}

void
principal_release(struct principal *principal)
{
	if (principal == NULL || principal == &public_principal)
		return;
	if (--principal->ref_count > 0)
		return;
	free(principal->user_id);
	free(principal->session_id);
	free(principal->login);
	free(principal->display_name);
	free(principal->organization_id);
	free(principal->roles);
	free(principal);
}

bool
principal_has_role(const struct principal *principal, const char *role)
{
	const char *p = principal->roles;
	size_t len = strlen(role), n;

	while (*p != '\0') {
		p += strspn(p, "{,}\"");
		n = strcspn(p, "{,}\"");
		if (n == len && n > 0 && memcmp(p, role, len) == 0)
			return (true);
		p += n;
	}
	return (false);
}

void
principal_on_notify(const char *user_id)
{
	struct principal_entry *entry, *next;

	generation++;
	HASH_ITER(hh, principals, entry, next) {
		if (strcmp(entry->principal->user_id, user_id) == 0)
			principal_forget(entry);
	}
}

void
principal_on_listening(bool is_on)
{
	struct principal_entry *entry, *next;

	/* What was cached before may have changed unheard. */
	generation++;
	HASH_ITER(hh, principals, entry, next)
		principal_forget(entry);
	is_listening = is_on;
	log_event(is_on ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    is_on ? "revocations-heard" : "revocations-deaf", NULL, NULL);
}

void
principal_on_keys(void)
{
	struct token_entry *entry, *next;

	HASH_ITER(hh, tokens, entry, next)
		token_forget(entry);
}

static void
token_forget(struct token_entry *owned_entry)
{
	HASH_DEL(tokens, owned_entry);
	free(owned_entry->text);
	free(owned_entry);
}

static void
principal_forget(struct principal_entry *owned_entry)
{
	HASH_DEL(principals, owned_entry);
	principal_release(owned_entry->principal);
	free(owned_entry);
}

/* A copy of the value; "" for null. */
static char *
column(const PGresult *row, const char *name)
{
	int i = PQfnumber(row, name);
	char *copy;

	copy = strdup(i < 0 ? "" : PQgetvalue(row, 0, i));
	if (copy == NULL)
		abort();
	return (copy);
}
