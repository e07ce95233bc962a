/*
 * engine.c -- the life of a request, top to bottom.
 *
 * engine_handle() is called by Kore when a request has arrived and again
 * whenever its database job is back. Each call walks the table of steps
 * until one has to wait or has answered. Order of checks (api.md):
 * authentication, existence and visibility, media type, syntax,
 * preconditions, semantics, state. State is the database's business.
 */
#include "app/engine.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/evp.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "app/export.h"
#include "app/limiter.h"
#include "app/list.h"
#include "app/request.h"
#include "base/config.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/uuid.h"
#include "contract/basic.h"
#include "contract/schema.h"
#include "io/guard.h"

#define JSON_DEPTH_MAX 32

static enum step_result step_route(struct request *rq);
static enum step_result step_authenticate(struct request *rq);
static enum step_result step_limit(struct request *rq);
static enum step_result step_authorise(struct request *rq);
static enum step_result step_media_type(struct request *rq);
static enum step_result step_syntax(struct request *rq);
static enum step_result step_preconditions(struct request *rq);
static enum step_result step_semantics(struct request *rq);
static enum step_result step_execute(struct request *rq);

static enum step_result (*const steps[])(struct request *rq) = {
	step_route,
	step_authenticate,
	step_limit,
	step_authorise,
	step_media_type,
	step_syntax,
	step_preconditions,
	step_semantics,
	step_execute,
};

static struct request *request_new(struct http_request *http);
static void on_client_gone(struct http_request *http);
static void finish(struct request *rq);
static enum step_result on_principal(struct request *rq);
static enum step_result check_subject(struct request *rq);
static enum step_result on_executed(struct request *rq);
static enum step_result answer_row(struct request *rq, const PGresult *row);
static enum step_result execute(struct request *rq, enum statement_form form);
static enum step_result submit(struct request *rq,
    enum step_result (*on_result)(struct request *rq));
static enum step_result on_tag(struct request *rq);
static const char *column(const PGresult *row, const char *name);
static bool needs_body_tag(struct request *rq);
static const char *representation_tag(struct request *rq,
    const struct reply *reply);
static bool answer_is_valid(struct request *rq, const struct reply *reply);
static bool etag_matches(const char *header, const char *etag);
static bool read_body(struct request *rq, struct problem *problem);
static size_t json_depth(const char *text, size_t len);
static void read_conditions(struct request *rq, struct problem *problem);
static void hash_request(struct request *rq);
static enum lang choose_language(const char *accept);
static const char *client_address(struct request *rq);

int
engine_handle(struct http_request *http)
{
	struct request **slot, *rq;
	enum step_result result;

	if (!http_state_exists(http)) {
		slot = http_state_create(http, sizeof(*slot), on_client_gone);
		*slot = request_new(http);
	}
	slot = http_state_get(http);
	rq = *slot;
	if (rq->on_result != NULL) {
		enum step_result (*on_result)(struct request *);

		if (!rq->is_job_back)
			return (KORE_RESULT_RETRY);
		on_result = rq->on_result;
		rq->on_result = NULL;
		result = on_result(rq);
	} else {
		result = STEP_NEXT;
	}
	while (result == STEP_NEXT)
		result = steps[rq->step++](rq);
	if (result == STEP_WAIT) {
		http_request_sleep(http);
		return (KORE_RESULT_RETRY);
	}
	rq->on_gone = NULL;
	finish(rq);
	if (rq->on_finished != NULL)
		rq->on_finished(rq);
	return (KORE_RESULT_OK);
}

size_t
engine_body_max(const char *method, size_t method_len, const char *target,
    size_t target_len)
{
	struct route_match match;
	struct arena *arena;
	const char *query;
	size_t max = (size_t)config_get()->body_max;

	query = memchr(target, '?', target_len);
	if (query != NULL)
		target_len = (size_t)(query - target);
	arena = arena_new(256);
	if (router_match(service.router, method_parse(method, method_len),
		target, target_len, arena, &match) == ROUTE_FOUND &&
	    match.op->body_max > 0)
		max = match.op->body_max;
	arena_free(arena);
	return (max);
}

static struct request *
request_new(struct http_request *http)
{
	struct arena *arena = arena_new(8192);
	struct request *rq = arena_zalloc(arena, sizeof(*rq));
	const char *id;

	rq->arena = arena;
	rq->http = http;
	rq->ref_count = 1;
	request_start(rq);
	rq->lang =
	    choose_language(reply_request_header(http, "accept-language"));
	id = reply_request_header(http, "x-request-id");
	if (id != NULL && strlen(id) >= 8 && strlen(id) < sizeof(rq->id) &&
	    strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		       "0123456789._-") == strlen(id))
		(void)strcpy(rq->id, id);
	else
		uuid_v7(rq->id);
	rq->ip = client_address(rq);
	return (rq);
}

/* Kore frees the request: answered, or the client has gone. */
static void
on_client_gone(struct http_request *http)
{
	struct request **slot = http_state_get(http);
	struct request *rq = *slot;

	if (rq == NULL)
		return;
	*slot = NULL;
	rq->http = NULL;
	if (rq->on_result != NULL && !rq->is_job_back)
		pgjob_abandon(&rq->job);
	else
		request_gone(rq);
	request_release(rq);
}

/* One line for the log; the count for what was never answered. */
static void
finish(struct request *rq)
{
	struct logline line;

	request_count(rq);
	log_begin(&line, LOG_LEVEL_INFO, "request");
	log_str(&line, "request_id", rq->id);
	log_str(&line, "method", method_name(rq->method));
	log_str(&line, "operation",
	    rq->binding == NULL ? "" : rq->binding->op->id);
	if (rq->binding == NULL && rq->http != NULL)
		log_str(&line, "path", rq->http->path);
	log_int(&line, "status", rq->status);
	if (rq->problem_code != NULL)
		log_str(&line, "code", rq->problem_code);
	if (rq->principal != NULL && rq->principal != principal_public())
		log_str(&line, "user_id", rq->principal->user_id);
	log_str(&line, "ip", rq->ip);
	log_int(&line, "bytes", (int64_t)rq->answer_len);
	log_int(&line, "duration_us", (int64_t)rq->duration_us);
	log_end_later(&line);
}

/* -------------------------------------------------------------- steps -- */

static enum step_result
step_route(struct request *rq)
{
	const char *path = rq->http->path;
	struct reply reply;

	rq->method = method_parse(http_method_text(rq->http->method),
	    strlen(http_method_text(rq->http->method)));
	switch (router_match(service.router, rq->method, path, strlen(path),
	    rq->arena, &rq->route)) {
	case ROUTE_FOUND:
		break;
	case ROUTE_NOT_FOUND:
		return (request_problem_code(rq, "not-found"));
	case ROUTE_BAD_PATH:
		return (request_problem_code(rq, "bad-encoding"));
	case ROUTE_METHOD_NOT_ALLOWED:
		if (rq->method != METHOD_OPTIONS)
			return (request_problem_code(rq, "method-not-allowed"));
		request_reply_init(rq, &reply);
		rq->status = reply.status = 204;
		request_count(rq);
		reply_options(rq->http, &reply, rq->route.allow);
		return (STEP_DONE);
	}
	rq->binding = &service.bindings[rq->route.op->index];
	return (STEP_NEXT);
}

static enum step_result
step_authenticate(struct request *rq)
{
	const char *header = request_header(rq, "authorization");

	/* A client's secret is the handler's to look at. */
	if (rq->binding->op->is_public ||
	    (rq->binding->op->takes_basic && basic_is_meant(header))) {
		rq->principal = principal_public();
		rq->roles = rq->principal->roles;
		return (STEP_NEXT);
	}
	if (header == NULL || strncasecmp(header, "bearer ", 7) != 0)
		return (request_problem_code(rq, "unauthenticated"));
	header += 7;
	header += strspn(header, " ");
	switch (
	    principal_verify(header, strlen(header), rq->arena, &rq->claims)) {
	case TOKEN_OK:
		break;
	case TOKEN_EXPIRED:
		return (request_problem_code(rq, "token-expired"));
	default:
		return (request_problem_code(rq, "token-invalid"));
	}
	rq->principal = principal_find(rq->claims.sid);
	if (rq->principal != NULL)
		return (check_subject(rq));
	rq->generation = principal_generation();
	request_local(rq, "token.session_id", rq->claims.sid);
	(void)request_add_step(rq, service.load_principal);
	return (request_submit(rq, service.pool, on_principal));
}

static enum step_result
on_principal(struct request *rq)
{
	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	if (PQntuples(rq->job.results[0]) != 1)
		return (request_problem_code(rq, "token-revoked"));
	rq->principal = principal_take_row(rq->claims.sid, rq->job.results[0],
	    rq->generation);
	return (check_subject(rq));
}

/* The session is its user's, whatever else the token says. */
static enum step_result
check_subject(struct request *rq)
{
	if (strcmp(rq->principal->user_id, rq->claims.sub) != 0)
		return (request_problem_code(rq, "token-invalid"));
	return (STEP_NEXT);
}

/*
 * Probes and what describes the service stay outside: they must not fail
 * because somebody at the same address asks too much.
 */
static enum step_result
step_limit(struct request *rq)
{
	bool is_anonymous = rq->principal == principal_public();
	int64_t limit = is_anonymous ? config_get()->public_rate_limit :
				       config_get()->rate_limit;
	struct problem *problem;

	if (limit == 0 ||
	    strncmp(rq->binding->op->path, "/v1/", sizeof("/v1/") - 1) != 0)
		return (STEP_NEXT);
	if (limiter_take(is_anonymous ? rq->ip : rq->principal->user_id, limit,
		&rq->limiter_remaining, &rq->limiter_reset_s))
		return (STEP_NEXT);
	problem = problem_new(rq->arena, "too-many-requests");
	problem_set_retry_after(problem, (int)rq->limiter_reset_s);
	problem_params(problem,
	    json_pack("{s:I}", "seconds", (json_int_t)rq->limiter_reset_s));
	return (request_problem(rq, problem));
}

/* Role and scope of the operation; rows are the database's business. */
static enum step_result
step_authorise(struct request *rq)
{
	const struct operation *op = rq->binding->op;
	const char *role = request_header(rq, "x-acting-role");
	struct problem *problem;

	if (op->is_public)
		return (STEP_NEXT);
	rq->roles = rq->principal->roles;
	if (role != NULL) {
		if (!principal_has_role(rq->principal, role))
			return (request_problem_code(rq, "not-held-role"));
		rq->roles = arena_printf(rq->arena, "{%s}", role);
	}
	if (scope_set_covers(&rq->principal->scopes, &rq->binding->scopes))
		return (STEP_NEXT);
	problem = problem_new(rq->arena, "insufficient-scope");
	if (op->rule_id != NULL)
		problem_member(problem, "rule_id", json_string(op->rule_id));
	if (op->clause_id != NULL)
		problem_member(problem, "clause_id",
		    json_string(op->clause_id));
	return (request_problem(rq, problem));
}

static enum step_result
step_media_type(struct request *rq)
{
	const struct operation *op = rq->binding->op;
	const char *type = request_header(rq, "content-type");
	struct problem *problem;
	size_t len;

	if (op->body_media_type == NULL ||
	    strcmp(op->body_media_type, "*/*") == 0)
		return (STEP_NEXT);
	if (rq->http->http_body == NULL && !op->is_body_required)
		return (STEP_NEXT);
	len = type == NULL ? 0 : strcspn(type, "; ");
	if (type != NULL && len == strlen(op->body_media_type) &&
	    strncasecmp(type, op->body_media_type, len) == 0)
		return (STEP_NEXT);
	problem = problem_new(rq->arena, "unsupported-media-type");
	problem_params(problem,
	    json_pack("{s:s}", "expected", op->body_media_type));
	return (request_refuse_if_visible(rq, problem));
}

static const char *
header_value(void *arg, const char *name)
{
	return (request_header(arg, name));
}

/* Parameters, and JSON as such: everything that is wrong is told at once. */
static enum step_result
step_syntax(struct request *rq)
{
	const struct binding *binding = rq->binding;
	struct problem *problem;
	bool is_good;

	problem = problem_new(rq->arena, "invalid-parameter");
	is_good = params_parse(binding->op, &rq->route, rq->http->query_string,
	    header_value, rq, rq->arena, problem, &rq->params);
	if (binding->statement != NULL &&
	    statement_kind(binding->statement) == STATEMENT_LIST) {
		if (is_good)
			export_prepare(rq, problem);
		is_good &= list_prepare(rq, problem);
	}
	read_conditions(rq, problem);
	if (!is_good || problem_fault_count(problem) > 0)
		return (request_refuse_if_visible(rq, problem));
	problem = problem_new(rq->arena, "malformed-json");
	if (!read_body(rq, problem))
		return (request_refuse_if_visible(rq, problem));
	return (STEP_NEXT);
}

static enum step_result
step_preconditions(struct request *rq)
{
	const struct operation *op = rq->binding->op;

	if ((op->method == METHOD_PATCH || op->method == METHOD_DELETE) &&
	    request_header(rq, "if-match") == NULL)
		return (request_refuse_if_visible(rq,
		    problem_new(rq->arena, "precondition-required")));
	return (STEP_NEXT);
}

static enum step_result
step_semantics(struct request *rq)
{
	const struct operation *op = rq->binding->op;
	struct problem *problem;

	if (op->body == NULL ||
	    (rq->body_json == NULL && !op->is_body_required)) {
		if (rq->body == NULL)
			rq->body = "{}";
		return (STEP_NEXT);
	}
	problem = problem_new(rq->arena, "validation-failed");
	if (schema_check(op->body, rq->body_json, "", problem))
		return (STEP_NEXT);
	problem_params(problem, json_pack("{s:I}", "count",
				    (json_int_t)problem_fault_count(problem)));
	return (request_refuse_if_visible(rq, problem));
}

static enum step_result
step_execute(struct request *rq)
{
	if (rq->binding->run != NULL)
		return (rq->binding->run(rq));
	return (engine_execute_statement(rq));
}

enum step_result
engine_execute_statement(struct request *rq)
{
	const struct binding *binding = rq->binding;

	if (rq->export != NULL)
		return (export_run(rq));
	if (statement_kind(binding->statement) == STATEMENT_LIST) {
		request_add_context(rq);
		list_add_steps(rq);
		return (submit(rq, on_executed));
	}
	if (binding->is_write && rq->idempotency_key != NULL)
		return (execute(rq, FORM_KEPT));
	if (rq->if_none_match != NULL && !binding->is_write &&
	    !needs_body_tag(rq) && statement_has_tag(binding->statement))
		return (execute(rq, FORM_TAG));
	return (execute(rq, FORM_PLAIN));
}

static enum step_result
execute(struct request *rq, enum statement_form form)
{
	const struct binding *binding = rq->binding;
	const struct variant *variant;

	request_add_context(rq);
	if (form == FORM_KEPT) {
		hash_request(rq);
		request_local(rq, "key", rq->idempotency_key);
		request_local(rq, "operation", binding->op->id);
		request_local(rq, "request_hash", rq->request_hash);
		(void)request_add_step(rq, service.claim_idempotency);
	}
	variant = statement_variant(binding->statement, form, NULL,
	    request_is_present, rq);
	if (variant == NULL)
		return (request_problem_code(rq, "overloaded"));
	(void)request_add_step(rq, variant);
	/* A timeout of its own would be that of its neighbours. */
	rq->job.may_share =
	    !binding->is_write &&
	    statement_kind(binding->statement) == STATEMENT_ONE &&
	    binding->op->timeout_ms == 0;
	return (submit(rq, form == FORM_TAG ? on_tag : on_executed));
}

static enum step_result
submit(struct request *rq, enum step_result (*on_result)(struct request *rq))
{
	return (request_submit(rq,
	    rq->binding->op->is_slow ? service.slow_pool : service.pool,
	    on_result));
}

/* What the client has need not be made; anything else is, in a second turn. */
static enum step_result
on_tag(struct request *rq)
{
	const PGresult *row;
	const char *tag;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	row = request_last_result(rq);
	if (PQntuples(row) > 0) {
		tag = column(row, "etag");
		if (tag == NULL || !etag_matches(rq->if_none_match, tag))
			return (execute(rq, FORM_PLAIN));
	}
	return (answer_row(rq, row));
}

/* -------------------------------------------------------------- answer -- */

static enum step_result
on_executed(struct request *rq)
{
	const struct statement *st = rq->binding->statement;
	const struct pgjob *job = &rq->job;
	struct reply reply;

	if (statement_kind(st) == STATEMENT_LIST &&
	    (job->outcome == PGJOB_DONE || list_has_page(rq))) {
		request_reply_init(rq, &reply);
		list_answer(rq, &reply);
		if (rq->if_none_match != NULL &&
		    etag_matches(rq->if_none_match, reply.etag)) {
			reply.status = 304;
			reply.body_len = 0;
		}
		if (!answer_is_valid(rq, &reply))
			return (request_problem_code(rq, "response-invalid"));
		if (list_is_empty(rq))
			return (request_reply_empty(rq, &reply));
		return (request_reply(rq, &reply));
	}
	if (job->outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	return (answer_row(rq, request_last_result(rq)));
}

static const char *
column(const PGresult *row, const char *name)
{
	int i = PQfnumber(row, name);

	return (i < 0 || PQgetisnull(row, 0, i) ? NULL : PQgetvalue(row, 0, i));
}

/* The result's columns by name: body, status, etag, location, link. */
static enum step_result
answer_row(struct request *rq, const PGresult *row)
{
	struct reply reply;
	const char *text;
	int64_t status;

	request_reply_init(rq, &reply);
	if (statement_kind(rq->binding->statement) == STATEMENT_EXEC) {
		reply.status = 204;
		return (request_reply(rq, &reply));
	}
	if (PQntuples(row) == 0)
		return (request_problem_code(rq, "not-found"));
	text = column(row, "status");
	if (text != NULL && parse_int64(text, strlen(text), 200, 599, &status))
		reply.status = (int)status;
	reply.etag = column(row, "etag");
	reply.location = column(row, "location");
	reply.link = column(row, "link");
	reply.body = column(row, "body");
	if (reply.body != NULL)
		reply.body_len =
		    (size_t)PQgetlength(row, 0, PQfnumber(row, "body"));
	if (!rq->binding->is_write)
		reply.etag = representation_tag(rq, &reply);
	if (rq->if_none_match != NULL && reply.etag != NULL &&
	    !rq->binding->is_write &&
	    etag_matches(rq->if_none_match, reply.etag)) {
		reply.status = 304;
		reply.body_len = 0;
	}
	if (!answer_is_valid(rq, &reply))
		return (request_problem_code(rq, "response-invalid"));
	return (request_reply(rq, &reply));
}

static bool
needs_body_tag(struct request *rq)
{
	return (request_param(rq, "fields") != NULL ||
		request_param(rq, "expand") != NULL ||
		request_param(rq, "as_of") != NULL);
}

/*
 * The tag of a read is its version, as If-Match takes it. What was selected,
 * expanded or derived for a day changes without the version: there a digest
 * of the body stands behind it.
 */
static const char *
representation_tag(struct request *rq, const struct reply *reply)
{
	if (reply->etag == NULL || reply->body == NULL || !needs_body_tag(rq))
		return (reply->etag);
	return (arena_printf(rq->arena, "%s-%s", reply->etag,
	    request_digest(rq, reply->body, reply->body_len)));
}

/* A list has other forms, too: these are not made here. */
static bool
is_json(const struct response *response, const struct reply *reply)
{
	return (response->media_type == NULL || reply->media_type != NULL ||
		strcmp(response->media_type, "application/json") == 0);
}

/* Test mode: an answer that breaks the contract is a fault of ours. */
static bool
answer_is_valid(struct request *rq, const struct reply *reply)
{
	const struct operation *op = rq->binding->op;
	const struct response *response = NULL;
	struct problem *problem;
	struct buf faults;
	struct logline line;
	json_t *body;
	size_t i;
	bool is_valid;

	if (config_get()->validate_responses == 0)
		return (true);
	for (i = 0; i < op->response_count; i++) {
		if (op->responses[i].status == reply->status &&
		    is_json(&op->responses[i], reply))
			response = &op->responses[i];
	}
	problem = problem_new(rq->arena, "response-invalid");
	is_valid = response != NULL;
	/* What "fields" leaves out is not missing. */
	if (is_valid && response->schema != NULL && reply->status != 304 &&
	    request_param(rq, "fields") == NULL) {
		body = json_loadb(reply->body == NULL ? "" : reply->body,
		    reply->body_len, JSON_REJECT_DUPLICATES, NULL);
		is_valid = body != NULL &&
			   schema_check(response->schema, body, "", problem);
		json_decref(body);
	}
	if (is_valid)
		return (true);
	buf_init(&faults);
	problem_render(problem, LANG_EN, rq->id, &faults);
	log_begin(&line, LOG_LEVEL_ERROR, "response-invalid");
	log_str(&line, "operation", op->id);
	log_int(&line, "status", reply->status);
	log_strn(&line, "faults", faults.data, faults.len);
	log_end(&line);
	buf_fini(&faults);
	return (false);
}

/* RFC 9110 section 13.1.2, weak comparison; "17-gzip" is version 17 too. */
static bool
etag_matches(const char *header, const char *etag)
{
	size_t len, etag_len = strlen(etag);

	if (strcmp(header, "*") == 0)
		return (true);
	while ((header = strchr(header, '"')) != NULL) {
		header++;
		len = strcspn(header, "\"");
		if (len >= etag_len && memcmp(header, etag, etag_len) == 0 &&
		    (len == etag_len ||
			(len == etag_len + 5 &&
			    memcmp(header + etag_len, "-gzip", 5) == 0)))
			return (true);
		header += len;
		if (*header == '"')
			header++;
	}
	return (false);
}

/* --------------------------------------------------------------- input -- */

static bool
read_body(struct request *rq, struct problem *problem)
{
	struct http_request *http = rq->http;
	json_error_t error;
	char *body;
	size_t len = 0;

	if (http->http_body != NULL && http->http_body->offset > 0) {
		len = http->http_body->offset;
		body = arena_strndup(rq->arena,
		    (const char *)http->http_body->data, len);
		rq->body = body;
		rq->body_len = len;
	}
	if (rq->binding->op->body == NULL)
		return (true);
	if (len == 0 && !rq->binding->op->is_body_required)
		return (true);
	if (json_depth(rq->body == NULL ? "" : rq->body, len) >
	    JSON_DEPTH_MAX) {
		problem_at_pointer(problem, "", "too-deep",
		    json_pack("{s:i}", "max", JSON_DEPTH_MAX));
		return (false);
	}
	rq->body_json = json_loadb(rq->body == NULL ? "" : rq->body, len,
	    JSON_REJECT_DUPLICATES, &error);
	if (rq->body_json != NULL)
		return (true);
	problem_params(problem,
	    json_pack("{s:i,s:i}", "line", error.line, "column", error.column));
	if (json_error_code(&error) == json_error_duplicate_key)
		problem_at_pointer(problem, "", "duplicate-key", NULL);
	return (false);
}

/* Nesting of arrays and objects, before jansson recurses into it. */
static size_t
json_depth(const char *text, size_t len)
{
	size_t i, depth = 0, deepest = 0;
	bool is_string = false;

	for (i = 0; i < len; i++) {
		if (is_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				is_string = false;
		} else if (text[i] == '"') {
			is_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return (deepest);
}

/* If-Match carries "17" or "17-gzip": the number is the version. */
static void
read_conditions(struct request *rq, struct problem *problem)
{
	const char *header = request_param(rq, "If-Match");
	int64_t version;
	size_t len;

	rq->if_none_match = request_header(rq, "if-none-match");
	rq->idempotency_key = request_header(rq, "idempotency-key");
	if (rq->binding->op->method == METHOD_GET ||
	    operation_param(rq->binding->op, "Idempotency-Key") == NULL)
		rq->idempotency_key = NULL;
	if (header == NULL || strcmp(header, "*") == 0)
		return;
	if (strncmp(header, "W/", 2) == 0)
		header += 2;
	if (*header == '"')
		header++;
	len = strspn(header, "0123456789");
	if (parse_int64(header, len, 1, INT32_MAX, &version))
		rq->if_match = arena_strndup(rq->arena, header, len);
	else
		problem_at_parameter(problem, "If-Match", "header",
		    "if-match-not-version", NULL);
}

static void
hash_request(struct request *rq)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const char *query = rq->http->query_string;

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		fatal("no SHA-256");
	(void)EVP_DigestUpdate(md, rq->http->path, strlen(rq->http->path) + 1);
	if (query != NULL)
		(void)EVP_DigestUpdate(md, query, strlen(query));
	(void)EVP_DigestUpdate(md, "", 1);
	if (rq->body_len > 0)
		(void)EVP_DigestUpdate(md, rq->body, rq->body_len);
	(void)EVP_DigestFinal_ex(md, digest, &len);
	EVP_MD_CTX_free(md);
	for (i = 0; i < len && i < 32; i++)
		(void)snprintf(rq->request_hash + 2 * i, 3, "%02x", digest[i]);
}

/* RFC 9110 section 12.5.4, as far as two languages need it. */
static enum lang
choose_language(const char *accept)
{
	enum lang best = LANG_ZH_CN;
	double best_q = 0, q;
	const char *p = accept, *weight;
	size_t len;

	while (p != NULL && *p != '\0') {
		p += strspn(p, " ,");
		len = strcspn(p, ",");
		weight = memchr(p, ';', len);
		q = weight != NULL && (weight = strstr(weight, "q=")) != NULL ?
			strtod(weight + 2, NULL) :
			1;
		if (len >= 2 && q > best_q &&
		    (strncasecmp(p, "en", 2) == 0 ||
			strncasecmp(p, "zh", 2) == 0)) {
			best =
			    strncasecmp(p, "en", 2) == 0 ? LANG_EN : LANG_ZH_CN;
			best_q = q;
		}
		p += len;
	}
	return (best);
}

/* Behind our proxy the last address that it added counts; else the peer. */
static const char *
client_address(struct request *rq)
{
	struct connection *c = rq->http->owner;
	const char *forwarded, *last;
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char raw[sizeof(struct in6_addr)];
	size_t len;

	forwarded = reply_request_header(rq->http, "x-forwarded-for");
	if (config_get()->trusted_proxy != 0 && forwarded != NULL) {
		last = strrchr(forwarded, ',');
		last = last == NULL ? forwarded : last + 1;
		last += strspn(last, " ");
		len = strcspn(last, " ");
		if (len < sizeof(text)) {
			memcpy(text, last, len);
			text[len] = '\0';
			if (inet_pton(AF_INET, text, raw) == 1 ||
			    inet_pton(AF_INET6, text, raw) == 1)
				return (arena_strdup(rq->arena, text));
		}
	}
	if (c->family == AF_INET)
		(void)inet_ntop(AF_INET, &c->addr.ipv4.sin_addr, text,
		    sizeof(text));
	else if (c->family == AF_INET6)
		(void)inet_ntop(AF_INET6, &c->addr.ipv6.sin6_addr, text,
		    sizeof(text));
	else
		return ("127.0.0.1");
	return (arena_strdup(rq->arena, text));
}
