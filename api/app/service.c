/*
 * service.c -- binds the contract's operations to their statements and
 * handlers. Everything here runs once in the parent and is read-only in the
 * workers, but for the pools.
 */
#include "app/service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/export.h"
#include "app/ops.h"
#include "app/principal.h"
#include "app/request.h"
#include "base/config.h"
#include "base/problem.h"
#include "io/pginfo.h"

struct service service;

static char *conninfo; /* names looked up; as long as the process */
static const char *scope_names[SERVICE_SCOPES_MAX];
static int scope_count;

static bool load_problems(const char *home, FILE *errors);
static bool bind_engine_statements(FILE *errors);
static bool bind_operations(FILE *errors);
static bool bind_operation(const struct operation *op, FILE *errors);
static bool bind_parameters(const struct operation *op, FILE *errors);
static bool check_unbound_statements(FILE *errors);
static int scope_number_new(const char *scope);

/* Statements that the engine itself runs; not operations of the contract. */
static const struct {
	const char *name;
	const struct variant **variant;
} engine_statements[] = {
	{ "setContextRead", &service.set_context_read },
	{ "setContextWrite", &service.set_context_write },
	{ "setTimeout", &service.set_timeout },
	{ "loadPrincipal", &service.load_principal },
	{ "describeViolation", &service.describe_violation },
	{ "claimIdempotency", &service.claim_idempotency },
	{ "replayIdempotency", &service.replay_idempotency },
	{ "probeSchema", &service.probe_schema },
	{ "runDue", &service.run_due },
	{ "recordExport", &service.record_export },
	{ "claimImport", &service.claim_import },
	{ "runImport", &service.run_import },
	{ "failImport", &service.fail_import },
	{ "login", &service.login },
	{ "refreshSession", &service.refresh_session },
	{ "logoutSession", &service.logout_session },
};

#define ENGINE_STATEMENT_COUNT \
	(sizeof(engine_statements) / sizeof(engine_statements[0]))

bool
service_load(FILE *errors)
{
	const struct config *config = config_get();
	char path[4096];
	bool is_good;

	if (!load_problems(config->home, errors))
		return (false);
	conninfo = pginfo_resolve(config->database_url, errors);
	if (conninfo == NULL)
		return (false);
	/* First what stays, so that the contract's document leaves no holes. */
	(void)snprintf(path, sizeof(path), "%s/db/queries", config->home);
	service.statements = statements_load(path, errors);
	(void)snprintf(path, sizeof(path), "%s/openapi", config->home);
	service.contract = contract_load(path, errors);
	if (service.contract == NULL || service.statements == NULL)
		return (false);
	service.router = router_new(service.contract, errors);
	if (service.router == NULL)
		return (false);
	is_good = bind_engine_statements(errors);
	is_good &= bind_operations(errors);
	is_good &= check_unbound_statements(errors);
	/* Tens of thousands of nodes that every worker would inherit. */
	contract_release_document(service.contract);
	return (is_good);
}

void
service_open(void)
{
	const struct config *config = config_get();
	struct pgpool_options options = {
		.name = "main",
		.conninfo = conninfo,
		.size = (int)config->pool_size,
		.depth = (int)config->pipeline_depth,
		.queue_max = (int)config->queue_max,
		.queue_wait_ms = 5000,
		.statement_timeout_ms = config->statement_timeout_ms,
		.application_name = "dudao",
	};

	service.pool = pgpool_new(&options);
	options.name = "slow";
	options.size = (int)config->slow_pool_size;
	options.depth = 1;
	service.slow_pool = pgpool_new(&options);
	pglisten_start(conninfo, "dudao_principal", principal_on_notify,
	    principal_on_listening);
}

int
service_scope_number(const char *scope, size_t len)
{
	int i;

	for (i = 0; i < scope_count; i++) {
		if (strlen(scope_names[i]) == len &&
		    memcmp(scope_names[i], scope, len) == 0)
			return (i);
	}
	return (-1);
}

void
service_scope_parse(const char *list, struct scope_set *out)
{
	size_t len;
	int number;

	memset(out, 0, sizeof(*out));
	while (*list != '\0') {
		len = strcspn(list, " ");
		number = service_scope_number(list, len);
		if (number >= 0)
			out->bits[number / 64] |= UINT64_C(1) << (number % 64);
		list += len;
		list += strspn(list, " ");
	}
}

bool
scope_set_covers(const struct scope_set *held, const struct scope_set *needed)
{
	size_t i;

	for (i = 0; i < SERVICE_SCOPES_MAX / 64; i++) {
		if ((held->bits[i] & needed->bits[i]) != needed->bits[i])
			return (false);
	}
	return (true);
}

/* All that the statement may say, but no selection of its members. */
static bool
is_part_of_whole(void *arg, const char *name)
{
	(void)arg;
	return (strcmp(name, "fields") != 0);
}

const struct variant *
service_whole_variant(const struct statement *st)
{
	return (
	    statement_variant(st, FORM_PLAIN, NULL, is_part_of_whole, NULL));
}

static bool
load_problems(const char *home, FILE *errors)
{
	char path[4096];
	json_t *catalogue;

	(void)snprintf(path, sizeof(path), "%s/openapi/problems.yaml", home);
	catalogue = yaml_load_file(path, errors);
	return (catalogue != NULL && problem_load(catalogue, errors));
}

static bool
bind_engine_statements(FILE *errors)
{
	const struct statement *st;
	size_t i;
	bool is_good = true;

	for (i = 0; i < ENGINE_STATEMENT_COUNT; i++) {
		st = statements_find(service.statements,
		    engine_statements[i].name);
		if (st == NULL) {
			fprintf(errors,
			    "db/queries: the engine needs the "
			    "statement %s\n",
			    engine_statements[i].name);
			is_good = false;
			continue;
		}
		*engine_statements[i].variant = service_whole_variant(st);
	}
	return (is_good);
}

static bool
bind_operations(FILE *errors)
{
	size_t i;
	bool is_good = true;

	service.bindings = calloc(service.contract->operation_count + 1,
	    sizeof(*service.bindings));
	assert(service.bindings != NULL);
	for (i = 0; i < service.contract->operation_count; i++)
		is_good &=
		    bind_operation(&service.contract->operations[i], errors);
	return (is_good);
}

static bool
bind_operation(const struct operation *op, FILE *errors)
{
	struct binding *binding = &service.bindings[op->index];
	size_t i;
	int number;

	binding->op = op;
	binding->is_write = op->method != METHOD_GET;
	binding->parent_read = router_parent_read(service.router, op);
	for (i = 0; i < op->scope_count; i++) {
		number = scope_number_new(op->scopes[i]);
		if (number < 0) {
			fprintf(errors, "openapi: more than %d scopes\n",
			    SERVICE_SCOPES_MAX);
			return (false);
		}
		binding->scopes.bits[number / 64] |= UINT64_C(1)
						     << (number % 64);
	}
	binding->run = ops_find(op->id);
	binding->statement = statements_find(service.statements, op->id);
	if (op->is_c != (binding->run != NULL)) {
		fprintf(errors, "openapi: %s: x-handler: c %s a C handler\n",
		    op->id, op->is_c ? "needs" : "is missing but there is");
		return (false);
	}
	if (binding->statement == NULL && !op->is_c) {
		fprintf(errors, "db/queries: no statement `-- name: %s`\n",
		    op->id);
		return (false);
	}
	if (binding->statement == NULL)
		return (true);
	if (statement_kind(binding->statement) == STATEMENT_LIST &&
	    operation_param(op, "format") != NULL &&
	    !export_bind(binding, errors))
		return (false);
	return (bind_parameters(op, errors));
}

/* Every name that the statement uses has to come from somewhere. */
static bool
bind_parameters(const struct operation *op, FILE *errors)
{
	struct statement *st;
	const struct param *param;
	const char *name;
	size_t i;
	bool is_good = true;

	st = statements_find_mutable(service.statements, op->id);
	for (i = 0; i < statement_param_count(st); i++) {
		name = statement_param(st, i);
		param = operation_param(op, name);
		if (param != NULL)
			statement_set_optional(st, name,
			    !param->is_required && param->default_text == NULL);
		else if (!op->is_c && !request_can_supply(op, name)) {
			fprintf(errors,
			    "db/queries: %s: nothing supplies "
			    ":%s\n",
			    op->id, name);
			is_good = false;
		}
	}
	return (statement_check(st, errors) && is_good);
}

static bool
check_unbound_statements(FILE *errors)
{
	const struct statement *st;
	size_t i, k;
	bool is_good = true, is_bound;

	for (i = 0; i < statements_count(service.statements); i++) {
		st = statements_at(service.statements, i);
		is_bound = ops_uses_statement(statement_name(st));
		for (k = 0; !is_bound && k < ENGINE_STATEMENT_COUNT; k++)
			is_bound = strcmp(statement_name(st),
				       engine_statements[k].name) == 0;
		for (k = 0; !is_bound && k < service.contract->operation_count;
		     k++)
			is_bound = strcmp(statement_name(st),
				       service.contract->operations[k].id) == 0;
		if (!is_bound) {
			fprintf(errors,
			    "openapi: no operation %s for the "
			    "statement of that name\n",
			    statement_name(st));
			is_good = false;
		}
	}
	return (is_good);
}

static int
scope_number_new(const char *scope)
{
	int number = service_scope_number(scope, strlen(scope));

	if (number >= 0)
		return (number);
	if (scope_count == SERVICE_SCOPES_MAX)
		return (-1);
	scope_names[scope_count] = scope;
	return (scope_count++);
}
