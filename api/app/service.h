/*
 * service.h -- what the parent compiles before the workers are forked, and
 * what each worker opens: contract, router, statements, and the pools.
 */
#ifndef DUDAO_APP_SERVICE_H
#define DUDAO_APP_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "contract/openapi.h"
#include "contract/router.h"
#include "contract/statement.h"
#include "io/pgpool.h"

#define SERVICE_SCOPES_MAX 256

struct csv_columns;
struct request;

/* What a step of a request says about its life. */
enum step_result {
	STEP_NEXT, /* go on with the next step */
	STEP_WAIT, /* a job is under way; its on_result goes on */
	STEP_DONE  /* answered */
};

/* An operation that SQL alone cannot do (x-handler: c). */
struct c_operation {
	const char *id;
	enum step_result (*run)(struct request *rq);
};

/* A set of scopes; the numbers are given by service_scope_number(). */
struct scope_set {
	uint64_t bits[SERVICE_SCOPES_MAX / 64];
};

/* An operation bound to the text or the function that does its work. */
struct binding {
	const struct operation *op;
	const struct statement *statement; /* NULL when run is set */
	enum step_result (*run)(struct request *rq);
	/* The read whose empty result means 404 for this operation. */
	const struct operation *parent_read;
	struct scope_set scopes;
	bool is_write;
	/* Lists that can be exported; see export_bind(). */
	const struct csv_columns *columns;
	json_t *required; /* names; NULL: all */
};

struct service {
	struct contract *contract;
	struct router *router;
	struct statements *statements;
	struct binding *bindings; /* by operation->index */
	/* The engine's own statements (db/queries/engine.sql, auth.sql). */
	const struct variant *set_context_read;
	const struct variant *set_context_write;
	const struct variant *set_timeout;
	const struct variant *load_principal;
	const struct variant *describe_violation;
	const struct variant *claim_idempotency;
	const struct variant *replay_idempotency;
	const struct variant *probe_schema;
	const struct variant *run_due;
	const struct variant *record_export;
	const struct variant *claim_import;
	const struct variant *run_import;
	const struct variant *fail_import;
	const struct variant *login;
	const struct variant *refresh_session;
	const struct variant *logout_session;
	/* Per worker. */
	struct pgpool *pool;
	struct pgpool *slow_pool;
	bool is_draining;
};

extern struct service service;

/*
 * In the parent: reads and binds everything. Every fault is printed to
 * errors; false if there was any: an operation without a statement or
 * handler, a statement without an operation, a parameter that nothing
 * supplies.
 */
bool service_load(FILE *errors) MUST_CHECK;
/* In a worker: opens the pools. */
void service_open(void);

/* A statement as it stands in its file: every line of it, the body uncut. */
const struct variant *service_whole_variant(const struct statement *st);

/* The number of a scope that some operation needs, or -1. */
int service_scope_number(const char *scope, size_t len);
/* Every scope of a space-separated list that some operation needs. */
void service_scope_parse(const char *list, struct scope_set *out);
bool scope_set_covers(const struct scope_set *held,
    const struct scope_set *needed);

#endif
