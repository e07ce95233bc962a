/*
 * request.h -- one request on its way through the engine.
 *
 * Two owners: Kore's http_request and the database job. The client may go
 * while the job runs; the last of the two frees (request_release()).
 */
#ifndef DUDAO_APP_REQUEST_H
#define DUDAO_APP_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/principal.h"
#include "app/service.h"
#include "base/arena.h"
#include "base/problem.h"
#include "contract/cursor.h"
#include "contract/params.h"
#include "contract/router.h"
#include "io/pgpool.h"
#include "io/reply.h"

struct export;
struct http_request;

#define REQUEST_LOCALS_MAX 16

/* A named value that a handler supplies to its statement. */
struct local {
	const char *name;
	const char *value; /* NULL: SQL null */
	int len;	   /* binary: bytes; -1: text */
};

struct request {
	struct http_request *http; /* NULL: the client has gone */
	struct arena *arena;
	uint64_t started_us, duration_us; /* the second when counted */
	bool is_counted;
	size_t step; /* index into the engine's steps */
	char id[65]; /* X-Request-Id */
	enum lang lang;
	enum method method;
	const struct binding *binding; /* NULL until routed */
	struct route_match route;
	struct params params;
	struct principal *principal;
	struct token_claims claims;
	const char *roles; /* array literal, narrowed by X-Acting-Role */
	const char *ip;
	const char *body; /* NUL-terminated; NULL if none */
	size_t body_len;
	json_t *body_json;
	const char *if_match; /* the version as text; NULL if not sent or * */
	const char *if_none_match;
	const char *idempotency_key;
	char request_hash[65];
	struct export *export; /* lists: all of it, no page; else NULL */
	struct list_order order;
	struct cursor *cursor; /* lists: opened; else NULL */
	int64_t limit;
	int64_t retry_count;
	int64_t limiter_remaining, limiter_reset_s;
	/* The job under way. */
	struct pgjob job;
	unsigned ref_count; /* http, job, streamed answer */
	bool is_job_back; /* its results are here; the next step begins anew */
	uint64_t generation; /* of the principals, when loading one */
	enum step_result (*on_result)(struct request *rq);
	/* The client has left and no job is under way: called once. */
	void (*on_gone)(struct request *rq);
	/* Answered. */
	void (*on_finished)(const struct request *rq);
	struct local locals[REQUEST_LOCALS_MAX];
	size_t local_count;
	void *carried; /* a handler's own, between its jobs; in the arena */
	/* A fault or an empty page that waits for the existence check. */
	struct problem *fault;
	struct reply *empty_page;
	const char *problem_etag;  /* the current version, told with 412 */
	const char *problem_range; /* what there is, told with 416 */
	/* For the log line. */
	int status;
	const char *problem_code;
	size_t answer_len;
};

/* Starts the request's clock. */
void request_start(struct request *rq);

/* Counts the request and its duration for the metrics. Called before its
 * answer leaves, so that whoever has the answer finds it counted, whichever
 * worker is asked. Only the first call counts. */
void request_count(struct request *rq);

/* One owner less; the last one frees. */
void request_release(struct request *rq);

/* The client has left and nothing is under way: calls on_gone, once. */
void request_gone(struct request *rq);

/* Supplies :name to the statements of this request; value is borrowed. */
void request_local(struct request *rq, const char *name, const char *value);
void request_local_binary(struct request *rq, const char *name,
    const void *value, size_t len);

/* Appends a step to the request's job. The first call after the last result
 * begins a new job. */
struct pgstep *request_add_step(struct request *rq,
    const struct variant *variant);
/* The context statement that fits the method, as first step. */
void request_add_context(struct request *rq);
/* Sends the job; on_result is called when it is back. Answers 503 by itself
 * when it cannot be sent. */
enum step_result request_submit(struct request *rq, struct pgpool *pool,
    enum step_result (*on_result)(struct request *rq)) MUST_CHECK;

/* The result of the job's last step. */
const PGresult *request_last_result(const struct request *rq);

/* What a named parameter of a statement is for this request; false: nothing
 * supplies it. */
bool request_can_supply(const struct operation *op, const char *name);
/* Asked by statement_variant(): is the optional parameter there? */
bool request_is_present(void *rq, const char *name);

/* Parameter value by contract name; NULL when absent. */
const char *request_param(const struct request *rq, const char *name);
const char *request_header(const struct request *rq, const char *name);

/* Answers. All give STEP_DONE. */
enum step_result request_reply(struct request *rq, struct reply *reply);
enum step_result request_problem(struct request *rq, struct problem *problem);
enum step_result request_problem_code(struct request *rq, const char *code);
/* A refusal that may only be shown to those who can see the resource. */
enum step_result request_refuse_if_visible(struct request *rq,
    struct problem *problem);
/* An empty list of parts: 404 where the whole is absent or hidden. */
enum step_result request_reply_empty(struct request *rq, struct reply *reply);
/* A job that did not end in PGJOB_DONE becomes a problem, a repetition, or the
 * replay of a kept answer. */
enum step_result request_failed_job(struct request *rq);
/* For an ETag: 16 hexadecimal digits that tell a body from others. */
const char *request_digest(const struct request *rq, const void *body,
    size_t len);
/* A reply with the fields that every answer of this request has. */
void request_reply_init(const struct request *rq, struct reply *reply);

#endif
