/*
 * op_auth.c -- login, refresh and logout: the database decides and keeps
 * the sessions, the worker signs the access token. Passwords are hashed in
 * the database, on the slow pool, so that no worker ever waits.
 */
#include "app/ops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/engine.h"
#include "app/request.h"
#include "base/config.h"
#include "base/log.h"
#include "base/parse.h"
#include "contract/basic.h"
#include "contract/token.h"

static bool take_client(struct request *rq);
static enum step_result on_client(struct request *rq);
static enum step_result refuse_oauth(struct request *rq, const char *code,
    const char *error);
static size_t form_find(struct request *rq, const char *name,
    const char **value, size_t *value_len);
static const char *form_member(struct request *rq, const char *name);
static enum step_result on_session(struct request *rq);
static enum step_result on_logout(struct request *rq);
static enum step_result refuse_session(struct request *rq, const PGresult *row,
    int64_t status);

static const char *
member(const struct request *rq, const char *name)
{
	return (json_string_value(json_object_get(rq->body_json, name)));
}

static const char *
column(const PGresult *row, const char *name)
{
	int i = PQfnumber(row, name);

	return (i < 0 || PQgetisnull(row, 0, i) ? "" : PQgetvalue(row, 0, i));
}

enum step_result
op_login(struct request *rq)
{
	request_local(rq, "login", member(rq, "login"));
	request_local(rq, "password", member(rq, "password"));
	request_local(rq, "ip", rq->ip);
	request_local(rq, "user_agent", request_header(rq, "user-agent"));
	request_add_context(rq);
	(void)request_add_step(rq, service.login);
	return (request_submit(rq, service.slow_pool, on_session));
}

enum step_result
op_refreshSession(struct request *rq)
{
	request_local(rq, "refresh_token", member(rq, "refresh_token"));
	request_add_context(rq);
	(void)request_add_step(rq, service.refresh_session);
	return (request_submit(rq, service.pool, on_session));
}

/* Client credentials (RFC 6749, 4.4): a machine's id and secret. */
enum step_result
op_issueToken(struct request *rq)
{
	const char *grant = form_member(rq, "grant_type");

	if (grant == NULL || strcmp(grant, "client_credentials") != 0)
		return (refuse_oauth(rq, "unsupported-grant-type",
		    "unsupported_grant_type"));
	if (!take_client(rq))
		return (STEP_DONE);
	request_local(rq, "scope", form_member(rq, "scope"));
	request_local(rq, "ip", rq->ip);
	request_local(rq, "user_agent", request_header(rq, "user-agent"));
	request_add_context(rq);
	(void)request_add_step(rq, ops_statement("tokenSession"));
	return (request_submit(rq, service.pool, on_session));
}

/*
 * RFC 7009 and RFC 7662: what the form's token is. The session of an access
 * token is named only when its signature holds. Whoever says which client
 * he is has to prove it, and may then revoke no other's.
 */
enum step_result
op_tokenOfForm(struct request *rq)
{
	const char *token = form_member(rq, "token");
	struct token_claims *claims;

	if (token == NULL)
		return (refuse_oauth(rq, "token-missing", "invalid_request"));
	claims = arena_zalloc(rq->arena, sizeof(*claims));
	request_local(rq, "token", token);
	if (principal_verify(token, strlen(token), rq->arena, claims) ==
	    TOKEN_OK) {
		request_local(rq, "token.session_id", claims->sid);
		request_local(rq, "iat",
		    arena_printf(rq->arena, "%lld", (long long)claims->iat_s));
		request_local(rq, "exp",
		    arena_printf(rq->arena, "%lld", (long long)claims->exp_s));
	} else {
		request_local(rq, "token.session_id", NULL);
		request_local(rq, "iat", NULL);
		request_local(rq, "exp", NULL);
	}
	if (!basic_is_meant(request_header(rq, "authorization")) &&
	    form_find(rq, "client_secret", NULL, NULL) == 0)
		return (engine_execute_statement(rq));
	if (!take_client(rq))
		return (STEP_DONE);
	request_local(rq, "ip", rq->ip);
	request_add_context(rq);
	(void)request_add_step(rq, ops_statement("proveClient"));
	return (request_submit(rq, service.pool, on_client));
}

static enum step_result
on_client(struct request *rq)
{
	const PGresult *row = request_last_result(rq);

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	if (PQntuples(row) != 1 || column(row, "client_id")[0] == '\0')
		return (refuse_oauth(rq, "invalid-client", "invalid_client"));
	return (engine_execute_statement(rq));
}

/*
 * The id and secret of a client, by Basic or in the form but never both
 * ways (RFC 6749, 2.3); the form may repeat the id (3.2.1). False: refused.
 */
static bool
take_client(struct request *rq)
{
	const char *header = request_header(rq, "authorization");
	const char *form_id = form_member(rq, "client_id"), *id, *secret;

	if (!basic_is_meant(header)) {
		id = form_id;
		secret = form_member(rq, "client_secret");
	} else if (!basic_parse(rq->arena, header, &id, &secret)) {
		(void)refuse_oauth(rq, "invalid-client", "invalid_client");
		return (false);
	} else if (form_find(rq, "client_secret", NULL, NULL) > 0 ||
		   (form_find(rq, "client_id", NULL, NULL) > 0 &&
		       (form_id == NULL || strcmp(form_id, id) != 0))) {
		(void)refuse_oauth(rq, "invalid-request", "invalid_request");
		return (false);
	}
	request_local(rq, "client_id", id);
	request_local(rq, "client_secret", secret);
	return (true);
}

/* A problem document with the word that OAuth has for it (RFC 6749, 5.2). */
static enum step_result
refuse_oauth(struct request *rq, const char *code, const char *error)
{
	struct problem *problem = problem_new(rq->arena, code);

	problem_member(problem, "error", json_string(error));
	return (request_problem(rq, problem));
}

/*
 * How often an application/x-www-form-urlencoded body has a member with a
 * value: one without counts as absent (RFC 6749, 3.2). value, unless it is
 * NULL, is the last of them as it stands there.
 */
static size_t
form_find(struct request *rq, const char *name, const char **value,
    size_t *value_len)
{
	const char *at = rq->body, *end;
	size_t name_len = strlen(name), len, count = 0;

	for (; at != NULL && *at != '\0'; at = *end == '&' ? end + 1 : end) {
		end = at + strcspn(at, "&");
		len = (size_t)(end - at);
		if (len <= name_len + 1 || at[name_len] != '=' ||
		    memcmp(at, name, name_len) != 0)
			continue;
		count++;
		if (value != NULL) {
			*value = at + name_len + 1;
			*value_len = len - name_len - 1;
		}
	}
	return (count);
}

/* Decoded, in the arena; NULL when it is absent, badly encoded, or there
 * twice (RFC 6749, 3.2). */
static const char *
form_member(struct request *rq, const char *name)
{
	const char *value;
	size_t len;
	char *text;

	if (form_find(rq, name, &value, &len) != 1)
		return (NULL);
	text = arena_alloc(rq->arena, len + 1);
	return (parse_percent_decode(value, len, true, text) < 0 ? NULL : text);
}

/* A row of status 200 with a session, or of 401 or 429. */
static enum step_result
on_session(struct request *rq)
{
	const struct config *config = config_get();
	const PGresult *row = request_last_result(rq);
	const char *text, *token;
	struct reply reply;
	json_t *body;
	int64_t status = 401;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	text = PQntuples(row) == 1 ? column(row, "status") : "401";
	if (!parse_int64(text, strlen(text), 200, 599, &status) ||
	    status != 200)
		return (refuse_session(rq, row, status));
	token = token_sign(rq->arena, config->issuer, PRINCIPAL_AUDIENCE,
	    "dudao", column(row, "user_id"), column(row, "session_id"),
	    column(row, "roles"), (int64_t)time(NULL), config->access_token_s);
	if (token == NULL)
		return (request_problem_code(rq, "internal-error"));
	body = json_pack("{s:s,s:s,s:I,s:s,s:s}", "access_token", token,
	    "token_type", "Bearer", "expires_in",
	    (json_int_t)config->access_token_s, "refresh_token",
	    column(row, "refresh_token"), "scope", column(row, "scope"));
	/* A machine asks anew with its credentials (RFC 6749, 4.4.3). */
	if (rq->binding->run == op_issueToken)
		(void)json_object_del(body, "refresh_token");
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	arena_on_free(rq->arena, free, (void *)(uintptr_t)text);
	request_reply_init(rq, &reply);
	reply.cache_control = "no-store";
	reply.body = text;
	reply.body_len = strlen(text);
	return (request_reply(rq, &reply));
}

static enum step_result
refuse_session(struct request *rq, const PGresult *row, int64_t status)
{
	struct problem *problem;
	const char *text;
	int64_t seconds = 60;

	if (status != 429 && rq->binding->run == op_issueToken)
		return (refuse_oauth(rq, "invalid-client", "invalid_client"));
	if (status != 429)
		return (request_problem_code(rq, rq->binding->run == op_login ?
						     "invalid-credentials" :
						     "invalid-refresh-token"));
	text = column(row, "retry_after");
	if (!parse_int64(text, strlen(text), 1, 86400, &seconds))
		seconds = 60;
	problem = problem_new(rq->arena, "account-locked");
	problem_set_retry_after(problem, (int)seconds);
	problem_params(problem,
	    json_pack("{s:I}", "seconds", (json_int_t)seconds));
	return (request_problem(rq, problem));
}

enum step_result
op_logout(struct request *rq)
{
	request_add_context(rq);
	(void)request_add_step(rq, service.logout_session);
	return (request_submit(rq, service.pool, on_logout));
}

static enum step_result
on_logout(struct request *rq)
{
	struct reply reply;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	request_reply_init(rq, &reply);
	reply.status = 204;
	return (request_reply(rq, &reply));
}

enum step_result
op_getJwks(struct request *rq)
{
	struct reply reply;
	json_t *keys = token_jwks();
	char *text = json_dumps(keys, JSON_COMPACT);

	json_decref(keys);
	arena_on_free(rq->arena, free, text);
	request_reply_init(rq, &reply);
	reply.media_type = "application/jwk-set+json";
	reply.body = text;
	reply.body_len = strlen(text);
	return (request_reply(rq, &reply));
}
