/*
 * op_auth.c -- login, refresh and logout: the database decides and keeps
 * the sessions, the worker signs the access token. Passwords are hashed in
 * the database, on the slow pool, so that no worker ever waits.
 */
#include "app/ops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/request.h"
#include "base/config.h"
#include "base/log.h"
#include "base/parse.h"
#include "contract/token.h"

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
	    column(row, "scope"), (int64_t)time(NULL), config->access_token_s);
	if (token == NULL)
		return (request_problem_code(rq, "internal-error"));
	body = json_pack("{s:s,s:s,s:I,s:s,s:s}", "access_token", token,
	    "token_type", "Bearer", "expires_in",
	    (json_int_t)config->access_token_s, "refresh_token",
	    column(row, "refresh_token"), "scope", column(row, "scope"));
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
