/*
 * request.c -- what every operation needs: values for statements, jobs,
 * answers and refusals. No order of events here; that is engine.c.
 */
#include "app/request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

static void on_job_done(struct pgjob *job, void *arg);
static const struct local *value_of(struct request *rq, const char *name,
    struct local *buffer);
static const char *context_value(struct request *rq, const char *name);
static uint64_t now_us(void);
static const char *challenge(const char *code);
static enum step_result refuse_database(struct request *rq);
static enum step_result refuse_detail(struct request *rq, json_t *detail,
    int status);
static enum step_result describe_violation(struct request *rq);
static enum step_result on_violation(struct request *rq);
static enum step_result replay_answer(struct request *rq);
static enum step_result on_replay(struct request *rq);
static bool add_parent_read(struct request *rq);
static enum step_result on_parent_read(struct request *rq);

static const char *const context_names[] = {
	"ctx.user_id",
	"ctx.session_id",
	"ctx.roles",
	"ctx.organization_id",
	"ctx.request_id",
	"ctx.ip",
	"ctx.if_match",
	"ctx.if_none_match",
	"ctx.lang",
	"ctx.idempotency_key",
	"ctx.operation",
	"ctx.request_hash",
	"ctx.user_agent",
};

bool
request_can_supply(const struct operation *op, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(context_names) / sizeof(context_names[0]); i++) {
		if (strcmp(context_names[i], name) == 0)
			return (true);
	}
	if (strcmp(name, "body") == 0)
		return (op->body_media_type != NULL);
	if (strncmp(name, "expand.", 7) == 0)
		return (operation_param(op, "expand") != NULL);
	return (operation_param(op, name) != NULL);
}

void
request_local(struct request *rq, const char *name, const char *value)
{
	assert(rq->local_count < REQUEST_LOCALS_MAX);
	rq->locals[rq->local_count++] =
	    (struct local){ .name = name, .value = value, .len = -1 };
}

void
request_local_binary(struct request *rq, const char *name, const void *value,
    size_t len)
{
	assert(rq->local_count < REQUEST_LOCALS_MAX);
	rq->locals[rq->local_count++] =
	    (struct local){ .name = name, .value = value, .len = (int)len };
}

struct pgstep *
request_add_step(struct request *rq, const struct variant *variant)
{
	struct pgstep *step;
	const struct local *local;
	struct local buffer;
	const char **values;
	int *lengths, *formats;
	size_t i;

	assert(variant != NULL);
	if (rq->is_job_back) {
		pgjob_clear(&rq->job);
		memset(&rq->job, 0, sizeof(rq->job));
		rq->is_job_back = false;
	}
	assert(rq->job.step_count < PGJOB_STEPS_MAX);
	step = &rq->job.steps[rq->job.step_count++];
	values = arena_alloc(rq->arena,
	    (variant->param_count + 1) * sizeof(*values));
	lengths = arena_zalloc(rq->arena,
	    (variant->param_count + 1) * sizeof(*lengths));
	formats = arena_zalloc(rq->arena,
	    (variant->param_count + 1) * sizeof(*formats));
	for (i = 0; i < variant->param_count; i++) {
		local = value_of(rq, variant->param_names[i], &buffer);
		values[i] = local->value;
		if (local->len >= 0) {
			lengths[i] = local->len;
			formats[i] = 1;
		}
	}
	*step = (struct pgstep){ .variant = variant,
		.values = values,
		.lengths = lengths,
		.formats = formats };
	return (step);
}

void
request_add_context(struct request *rq)
{
	const struct binding *binding = rq->binding;

	(void)request_add_step(rq, binding->is_write ?
				       service.set_context_write :
				       service.set_context_read);
	if (binding->op->timeout_ms > 0) {
		request_local(rq, "ctx.timeout_ms",
		    arena_printf(rq->arena, "%lld",
			(long long)binding->op->timeout_ms));
		(void)request_add_step(rq, service.set_timeout);
	}
}

enum step_result
request_submit(struct request *rq, struct pgpool *pool,
    enum step_result (*on_result)(struct request *rq))
{
	rq->job.on_done = on_job_done;
	rq->job.arg = rq;
	if (rq->job.timeout_ms == 0)
		rq->job.timeout_ms = rq->binding->op->timeout_ms;
	rq->job.is_read_only = rq->binding->op->method == METHOD_GET;
	if (!pgpool_submit(pool, &rq->job)) {
		if (!pgpool_is_ready(pool))
			return (
			    request_problem_code(rq, "database-unavailable"));
		return (request_problem_code(rq, "overloaded"));
	}
	rq->on_result = on_result;
	rq->ref_count++;
	return (STEP_WAIT);
}

const PGresult *
request_last_result(const struct request *rq)
{
	return (rq->job.results[rq->job.step_count - 1]);
}

static void
on_job_done(struct pgjob *job, void *arg)
{
	struct request *rq = arg;

	(void)job;
	rq->is_job_back = true;
	if (rq->http != NULL)
		http_request_wakeup(rq->http);
	else
		request_gone(rq);
	request_release(rq);
}

void
request_gone(struct request *rq)
{
	void (*on_gone)(struct request *) = rq->on_gone;

	rq->on_gone = NULL;
	if (on_gone != NULL)
		on_gone(rq);
}

void
request_start(struct request *rq)
{
	rq->started_us = now_us();
}

void
request_count(struct request *rq)
{
	if (rq->is_counted)
		return;
	rq->is_counted = true;
	rq->duration_us = now_us() - rq->started_us;
	metric_observe_request_us(rq->duration_us);
	metric_add(rq->status < 300 ? METRIC_REQUESTS_2XX :
		   rq->status < 400 ? METRIC_REQUESTS_3XX :
		   rq->status < 500 ? METRIC_REQUESTS_4XX :
				      METRIC_REQUESTS_5XX,
	    1);
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

void
request_release(struct request *rq)
{
	if (--rq->ref_count > 0)
		return;
	pgjob_clear(&rq->job);
	principal_release(rq->principal);
	if (rq->body_json != NULL)
		json_decref(rq->body_json);
	arena_free(rq->arena); /* rq itself lives in it */
}

const char *
request_header(const struct request *rq, const char *name)
{
	return (rq->http == NULL ? NULL : reply_request_header(rq->http, name));
}

const char *
request_param(const struct request *rq, const char *name)
{
	const struct param_value *value;

	value = params_get(&rq->params, name);
	return (value == NULL ? NULL : value->text);
}

bool
request_is_present(void *arg, const char *name)
{
	struct request *rq = arg;
	const struct param_value *value;
	size_t i;

	if (strncmp(name, "expand.", 7) != 0)
		return (request_param(rq, name) != NULL);
	value = params_get(&rq->params, "expand");
	if (value == NULL)
		return (false);
	for (i = 0; i < value->item_count; i++) {
		if (strcmp(value->items[i], name + 7) == 0)
			return (true);
	}
	return (false);
}

/* The value of a statement's parameter; absent ones are SQL null. */
static const struct local *
value_of(struct request *rq, const char *name, struct local *buffer)
{
	size_t i, n;

	for (i = rq->local_count; i > 0; i--) {
		if (strcmp(rq->locals[i - 1].name, name) == 0)
			return (&rq->locals[i - 1]);
	}
	*buffer = (struct local){ .name = name, .value = NULL, .len = -1 };
	if (strncmp(name, "ctx.", 4) == 0) {
		buffer->value = context_value(rq, name + 4);
	} else if (strcmp(name, "body") == 0) {
		buffer->value = rq->body;
	} else if (strcmp(name, "page.limit") == 0) {
		buffer->value =
		    arena_printf(rq->arena, "%lld", (long long)rq->limit + 1);
	} else if (strncmp(name, "cursor.", 7) == 0 && rq->cursor != NULL) {
		n = (size_t)(name[7] - '1');
		if (n < rq->cursor->value_count)
			buffer->value = rq->cursor->values[n];
	} else if (strncmp(name, "expand.", 7) == 0) {
		buffer->value = request_is_present(rq, name) ? "true" : "false";
	} else if ((buffer->value = request_param(rq, name)) == NULL) {
		for (i = 0; i < rq->route.param_count; i++) {
			if (strcmp(rq->route.names[i], name) == 0)
				buffer->value = rq->route.values[i];
		}
	}
	return (buffer);
}

static const char *
context_value(struct request *rq, const char *name)
{
	const struct {
		const char *name;
		const char *value;
	} values[] = {
		{ "user_id",
		    rq->principal == NULL ? "" : rq->principal->user_id },
		{ "session_id",
		    rq->principal == NULL ? NULL : rq->principal->session_id },
		{ "roles", rq->roles == NULL ? "{public}" : rq->roles },
		{ "organization_id", rq->principal == NULL ?
					 "" :
					 rq->principal->organization_id },
		{ "request_id", rq->id },
		{ "ip", rq->ip },
		{ "if_match", rq->if_match },
		{ "if_none_match", rq->if_none_match },
		{ "lang", rq->lang == LANG_EN ? "en" : "zh-CN" },
		{ "idempotency_key", rq->idempotency_key },
		{ "operation", rq->binding->op->id },
		{ "request_hash", rq->request_hash },
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i].name, name) == 0)
			return (values[i].value);
	}
	if (strcmp(name, "user_agent") == 0)
		return (request_header(rq, "user-agent"));
	return (NULL);
}

/* ------------------------------------------------------------ answers -- */

void
request_reply_init(const struct request *rq, struct reply *reply)
{
	*reply = (struct reply){
		.status = 200,
		.lang = rq->lang,
		.request_id = rq->id,
	};
	if (rq->limiter_reset_s > 0) {
		reply->rate_limit = rq->principal == principal_public() ||
					    rq->principal == NULL ?
					config_get()->public_rate_limit :
					config_get()->rate_limit;
		reply->rate_remaining = rq->limiter_remaining;
		reply->rate_reset_s = rq->limiter_reset_s;
	}
	reply->traceparent = request_header(rq, "traceparent");
	if (rq->binding != NULL)
		reply->cache_control = rq->binding->op->cache_control;
}

const char *
request_digest(const struct request *rq, const void *body, size_t len)
{
	return (arena_printf(rq->arena, "%016" PRIx64,
	    (uint64_t)XXH3_64bits(body, len)));
}

enum step_result
request_reply(struct request *rq, struct reply *reply)
{
	rq->status = reply->status;
	rq->answer_len = reply->body_len;
	request_count(rq);
	if (rq->http != NULL)
		reply_send(rq->http, reply);
	else if (reply->release != NULL)
		reply->release(reply->release_arg);
	return (STEP_DONE);
}

enum step_result
request_problem(struct request *rq, struct problem *problem)
{
	struct reply reply;

	request_reply_init(rq, &reply);
	reply.cache_control = "no-store";
	reply.status = problem_http_status(problem);
	rq->status = reply.status;
	rq->problem_code = problem_code(problem);
	request_count(rq);
	if (reply.status == 401)
		reply.www_authenticate = challenge(problem_code(problem));
	if (rq->route.allow != NULL && reply.status == 405)
		reply.allow = rq->route.allow;
	reply.etag = rq->problem_etag;
	reply.content_range = rq->problem_range;
	if (rq->http != NULL)
		reply_problem(rq->http, &reply, problem);
	return (STEP_DONE);
}

/* RFC 6750 section 3; RFC 6749 section 5.2 for clients. */
static const char *
challenge(const char *code)
{
	if (strcmp(code, "invalid-client") == 0)
		return ("Basic realm=\"dudao\", charset=\"UTF-8\"");
	if (strcmp(code, "unauthenticated") == 0)
		return ("Bearer realm=\"dudao\"");
	return ("Bearer realm=\"dudao\", error=\"invalid_token\"");
}

enum step_result
request_problem_code(struct request *rq, const char *code)
{
	return (request_problem(rq, problem_new(rq->arena, code)));
}

/* ------------------------------------------------- what went wrong there */

enum step_result
request_failed_job(struct request *rq)
{
	switch (rq->job.outcome) {
	case PGJOB_UNAVAILABLE:
		return (request_problem_code(rq, "database-unavailable"));
	case PGJOB_LOST:
		return (request_problem_code(rq, rq->binding->is_write ?
						     "outcome-unknown" :
						     "database-unavailable"));
	default:
		return (refuse_database(rq));
	}
}

static enum step_result
refuse_database(struct request *rq)
{
	const char *state, *text;
	struct logline line;
	json_t *detail;
	int64_t status;

	state = pgjob_error_field(&rq->job, PG_DIAG_SQLSTATE);
	if (state == NULL)
		state = "XX000";
	if (strncmp(state, "DD", 2) == 0) {
		text = pgjob_error_field(&rq->job, PG_DIAG_MESSAGE_DETAIL);
		detail = text == NULL ? NULL : json_loads(text, 0, NULL);
		if (!parse_int64(state + 2, 3, 400, 599, &status))
			status = 500;
		return (refuse_detail(rq, detail, (int)status));
	}
	if (strncmp(state, "23", 2) == 0)
		return (describe_violation(rq));
	if (strcmp(state, "42501") == 0)
		return (request_problem_code(rq, "out-of-scope"));
	if (strcmp(state, "57014") == 0)
		return (request_problem_code(rq, "statement-timeout"));
	if (strncmp(state, "40", 2) == 0 || strncmp(state, "55P", 3) == 0)
		return (request_problem_code(rq, "conflict-retry"));
	if (strncmp(state, "57", 2) == 0 || strncmp(state, "08", 2) == 0 ||
	    strncmp(state, "53", 2) == 0)
		return (request_problem_code(rq, "database-unavailable"));
	log_begin(&line, LOG_LEVEL_ERROR, "statement-failed");
	log_str(&line, "request_id", rq->id);
	log_str(&line, "operation", rq->binding->op->id);
	log_str(&line, "sqlstate", state);
	text = pgjob_error_field(&rq->job, PG_DIAG_MESSAGE_PRIMARY);
	log_str(&line, "message", text == NULL ? "" : text);
	text = pgjob_error_field(&rq->job, PG_DIAG_CONTEXT);
	log_str(&line, "context", text == NULL ? "" : text);
	log_end(&line);
	return (request_problem_code(rq, "internal-error"));
}

/* The JSON that app.refuse() raised, or describeViolation gave. Consumed. */
static enum step_result
refuse_detail(struct request *rq, json_t *detail, int status)
{
	static const char *const members[] = { "rule_id", "clause_id", "state",
		"allowed_actions", "error" };
	struct problem *problem;
	json_t *value, *fault;
	const char *code;
	size_t i;

	code = json_string_value(json_object_get(detail, "code"));
	if (code != NULL && strcmp(code, "idempotency-replay") == 0) {
		json_decref(detail);
		return (replay_answer(rq));
	}
	if (code == NULL || !problem_is_known(code) ||
	    problem_status(code) != status) {
		struct logline line;

		log_begin(&line, LOG_LEVEL_ERROR, "problem-not-in-catalogue");
		log_str(&line, "code", code == NULL ? "" : code);
		log_int(&line, "status", status);
		log_end(&line);
		if (code == NULL || !problem_is_known(code))
			code = "internal-error";
	}
	problem = problem_new(rq->arena, code);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		value = json_object_get(detail, members[i]);
		if (value != NULL && !json_is_null(value))
			problem_member(problem, members[i], json_incref(value));
	}
	problem_params(problem, json_object_get(detail, "params"));
	json_array_foreach(json_object_get(detail, "errors"), i, fault)
		problem_at_json(problem, fault);
	value = json_object_get(detail, "retry_after");
	if (json_is_integer(value))
		problem_set_retry_after(problem,
		    (int)json_integer_value(value));
	value = json_object_get(detail, "version");
	if (json_is_integer(value))
		rq->problem_etag = arena_printf(rq->arena, "%lld",
		    (long long)json_integer_value(value));
	json_decref(detail);
	return (request_problem(rq, problem));
}

/* Constraint names stay inside: the database turns them into pointers. */
static enum step_result
describe_violation(struct request *rq)
{
	static const struct {
		const char *name;
		int field;
	} fields[] = {
		{ "sqlstate", PG_DIAG_SQLSTATE },
		{ "constraint", PG_DIAG_CONSTRAINT_NAME },
		{ "table", PG_DIAG_TABLE_NAME },
		{ "column", PG_DIAG_COLUMN_NAME },
	};
	const char *text;
	size_t i;

	rq->local_count = 0;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		text = pgjob_error_field(&rq->job, fields[i].field);
		request_local(rq, fields[i].name,
		    text == NULL ? NULL : arena_strdup(rq->arena, text));
	}
	(void)request_add_step(rq, service.describe_violation);
	return (request_submit(rq, service.pool, on_violation));
}

static enum step_result
on_violation(struct request *rq)
{
	const PGresult *row = request_last_result(rq);
	const char *code;
	json_t *detail = NULL;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_problem_code(rq, "database-unavailable"));
	if (PQntuples(row) == 1)
		detail = json_loads(PQgetvalue(row, 0, 0), 0, NULL);
	code = json_string_value(json_object_get(detail, "code"));
	return (refuse_detail(rq, detail,
	    problem_status(code == NULL ? "internal-error" : code)));
}

/* --------------------------------------------------------- idempotency -- */

static enum step_result
replay_answer(struct request *rq)
{
	rq->local_count = 0;
	request_local(rq, "key", rq->idempotency_key);
	(void)request_add_step(rq, service.set_context_read);
	(void)request_add_step(rq, service.replay_idempotency);
	return (request_submit(rq, service.pool, on_replay));
}

static enum step_result
on_replay(struct request *rq)
{
	const PGresult *row = request_last_result(rq);
	struct reply reply;
	const char *text;
	int64_t status;
	int column;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	if (PQntuples(row) != 1) /* expired a moment ago */
		return (request_problem_code(rq, "service-unavailable"));
	request_reply_init(rq, &reply);
	reply.is_replay = true;
	column = PQfnumber(row, "status");
	text = PQgetvalue(row, 0, column);
	if (parse_int64(text, strlen(text), 200, 299, &status))
		reply.status = (int)status;
	column = PQfnumber(row, "location");
	if (!PQgetisnull(row, 0, column))
		reply.location = PQgetvalue(row, 0, column);
	column = PQfnumber(row, "etag");
	if (!PQgetisnull(row, 0, column))
		reply.etag = PQgetvalue(row, 0, column);
	column = PQfnumber(row, "body");
	reply.body = PQgetvalue(row, 0, column);
	reply.body_len = (size_t)PQgetlength(row, 0, column);
	return (request_reply(rq, &reply));
}

/* ------------------------------------------------------------ existence -- */

/*
 * A fault in the request is shown only when the caller can see the resource
 * (order of checks: existence and visibility first), so the parent is read
 * once. This costs a query in the case of a fault alone.
 */
enum step_result
request_refuse_if_visible(struct request *rq, struct problem *problem)
{
	if (!add_parent_read(rq))
		return (request_problem(rq, problem));
	rq->fault = problem;
	return (request_submit(rq, service.pool, on_parent_read));
}

enum step_result
request_reply_empty(struct request *rq, struct reply *reply)
{
	if (!add_parent_read(rq))
		return (request_reply(rq, reply));
	rq->empty_page = arena_alloc(rq->arena, sizeof(*reply));
	*rq->empty_page = *reply;
	return (request_submit(rq, service.pool, on_parent_read));
}

/* False: the path names no other resource that could be read. */
static bool
add_parent_read(struct request *rq)
{
	const struct operation *parent = rq->binding->parent_read;
	const struct statement *st;

	st = parent == NULL ? NULL : service.bindings[parent->index].statement;
	if (st == NULL || statement_kind(st) != STATEMENT_ONE)
		return (false);
	(void)request_add_step(rq, service.set_context_read);
	(void)request_add_step(rq,
	    statement_variant(st, FORM_PLAIN, NULL, request_is_present, rq));
	return (true);
}

static enum step_result
on_parent_read(struct request *rq)
{
	bool is_done = rq->job.outcome == PGJOB_DONE;

	if (is_done && PQntuples(request_last_result(rq)) == 0)
		return (request_problem_code(rq, "not-found"));
	/* An id that is no uuid never gets here: it is the fault. */
	if (rq->fault != NULL)
		return (request_problem(rq, rq->fault));
	if (!is_done)
		return (request_failed_job(rq));
	return (request_reply(rq, rq->empty_page));
}
