/*
 * fuzz_params.c -- path and query of one request: bytes up to the first ?
 * are the path, those behind it the query. No input may crash, and what is
 * taken has to hold what the readers promise. Runs in the repository's
 * root: it reads the catalogue of problems.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/parse.h"
#include "contract/params.h"
#include "contract/router.h"
#include "contract/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct param declared[] = {
	{ .name = "id", .in = PARAM_PATH, .is_required = true },
	{ .name = "limit", .in = PARAM_QUERY, .default_text = "50" },
	{ .name = "state",
	    .in = PARAM_QUERY,
	    .is_array = true,
	    .max_items = 4,
	    .is_unique = true },
	{ .name = "due_on.lte", .in = PARAM_QUERY },
	{ .name = "at", .in = PARAM_QUERY },
	{ .name = "q", .in = PARAM_QUERY },
	{ .name = "X-Key", .in = PARAM_HEADER },
};

#define DECLARED_COUNT (sizeof(declared) / sizeof(declared[0]))

static const char *const schemas[DECLARED_COUNT] = {
	"{\"type\":\"string\",\"maxLength\":40}",
	"{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}",
	"{\"type\":\"string\",\"pattern\":\"^[a-z_]+$\"}",
	"{\"type\":\"string\",\"format\":\"date\"}",
	"{\"type\":\"string\",\"format\":\"date-time\"}",
	"{\"type\":\"string\",\"minLength\":1,\"maxLength\":8}",
	"{\"type\":\"string\",\"maxLength\":64}",
};

static struct operation operations[] = {
	{ .id = "getThing",
	    .method = METHOD_GET,
	    .path = "/v1/things/{id}",
	    .params = declared,
	    .param_count = DECLARED_COUNT },
	{ .id = "countThings",
	    .method = METHOD_GET,
	    .path = "/v1/things/count" },
	{ .id = "closeThing",
	    .method = METHOD_GET,
	    .path = "/v1/things/{id}/close",
	    .params = declared,
	    .param_count = DECLARED_COUNT },
};

static struct router *router;

static void
prepare(void)
{
	struct contract contract = { .operations = operations,
		.operation_count = sizeof(operations) / sizeof(operations[0]) };
	static json_t *document; /* kept, as the compiled contract */
	json_t *node, *catalogue;
	size_t i;

	catalogue = yaml_load_file("openapi/problems.yaml", stderr);
	if (catalogue == NULL || !problem_load(catalogue, stderr))
		abort();
	document = json_object();
	for (i = 0; i < DECLARED_COUNT; i++) {
		node = json_loads(schemas[i], 0, NULL);
		declared[i].schema =
		    schema_compile(document, node, "#", stderr);
		if (declared[i].schema == NULL)
			abort();
	}
	if ((router = router_new(&contract, stderr)) == NULL)
		abort();
}

static const char *
header(void *arg, const char *name)
{
	(void)name;
	return (arg);
}

static void
check_values(const struct params *params)
{
	const struct param_value *value;
	int64_t limit;
	size_t i;

	for (i = 0; i < params->op->param_count; i++) {
		value = &params->values[i];
		if (value->text != NULL &&
		    !parse_is_utf8(value->text, strlen(value->text)))
			abort();
		if (value->item_count > 4)
			abort();
	}
	if ((value = params_get(params, "limit")) != NULL &&
	    !parse_int64(value->text, strlen(value->text), 1, 200, &limit))
		abort();
	if ((value = params_get(params, "due_on.lte")) != NULL &&
	    !parse_is_date(value->text, strlen(value->text)))
		abort();
}

static void
run(const char *path, size_t path_len, const char *query, struct arena *arena)
{
	struct route_match match;
	struct problem *problem;
	struct params params;
	struct buf out;
	json_t *document;
	char *key;

	if (router_match(router, METHOD_GET, path, path_len, arena, &match) !=
	    ROUTE_FOUND)
		return;
	key = query == NULL ? NULL : arena_strdup(arena, query);
	problem = problem_new(arena, "invalid-parameter");
	if (params_parse(match.op, &match, query, header, key, arena, problem,
		&params)) {
		check_values(&params);
		return;
	}
	/* A refusal is whole JSON, whatever it has to quote. */
	buf_init(&out);
	problem_render(problem, LANG_ZH_CN, NULL, &out);
	document = json_loadb(out.data, out.len, 0, NULL);
	if (document == NULL)
		abort();
	json_decref(document);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *mark;
	struct arena *arena;
	const char *query;
	size_t path_len;

	if (router == NULL)
		prepare();
	arena = arena_new(1024);
	mark = len == 0 ? NULL : memchr(data, '?', len);
	path_len = mark == NULL ? len : (size_t)(mark - data);
	/* A NUL ends the query; Kore gives C strings. */
	query = mark == NULL ? NULL :
			       arena_strndup(arena, (const char *)mark + 1,
				   len - path_len - 1);
	run((const char *)data, path_len, query, arena);
	arena_free(arena);
	return (0);
}
