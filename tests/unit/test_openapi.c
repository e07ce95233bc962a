/*
 * test_openapi.c -- the contract loader. data/openapi/good is taken apart
 * member by member; every data/openapi/bad-* is refused, and each line of
 * its file `expected` stands in what is printed, which has no line more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/openapi.h"
#include "contract/schema_tree.h"

#define DATA "tests/unit/data/openapi"

static const struct operation *
find(const struct contract *contract, const char *id)
{
	size_t i;

	for (i = 0; i < contract->operation_count; i++)
		if (strcmp(contract->operations[i].id, id) == 0)
			return (&contract->operations[i]);
	fail_msg("no operation %s", id);
	return (NULL);
}

static void
check_list(const struct operation *op)
{
	const struct param *param;

	assert_int_equal(op->method, METHOD_GET);
	assert_string_equal(op->path, "/v1/things");
	assert_true(op->is_public);
	assert_string_equal(op->cache_control, "public, max-age=60");
	assert_int_equal(op->param_count, 3);
	assert_null(op->body_media_type);

	param = operation_param(op, "limit");
	assert_non_null(param);
	assert_int_equal(param->in, PARAM_QUERY);
	assert_false(param->is_required);
	assert_false(param->is_array);
	assert_string_equal(param->default_text, "50");
	param = operation_param(op, "state");
	assert_true(param->is_array);
	assert_true(param->is_unique);
	assert_int_equal(param->max_items, 3);
	assert_true(schema_check_text(param->schema, "open", 4, "state",
	    "query", NULL));
	assert_false(schema_check_text(param->schema, "opened", 6, "state",
	    "query", NULL));
	param = operation_param(op, "X-Acting-Role");
	assert_int_equal(param->in, PARAM_HEADER);
	assert_null(operation_param(op, "cursor"));

	assert_int_equal(op->response_count, 3);
	assert_int_equal(op->responses[0].status, 200);
	assert_string_equal(op->responses[0].media_type, "application/json");
	assert_non_null(op->responses[0].schema);
	assert_string_equal(op->responses[1].media_type, "text/csv");
	assert_null(op->responses[1].schema);
	assert_int_equal(op->responses[2].status, 0);
	assert_string_equal(op->responses[2].media_type,
	    "application/problem+json");
}

static void
check_create(const struct operation *op)
{
	assert_int_equal(op->method, METHOD_POST);
	assert_false(op->is_public);
	assert_int_equal(op->scope_count, 2);
	assert_string_equal(op->scopes[0], "things:write");
	assert_string_equal(op->scopes[1], "reference-data:write");
	assert_string_equal(op->body_media_type, "application/json");
	assert_non_null(op->body);
	assert_true(op->is_body_required);
	assert_true(op->is_slow);
	assert_false(op->is_c);
	assert_int_equal(op->timeout_ms, 9000);
	assert_int_equal(op->body_max, 4096);
	assert_string_equal(op->rule_id, "R-PRB-02");
	assert_string_equal(op->clause_id, "C2.3.2.b");
	assert_int_equal(op->response_count, 1);
	assert_null(op->responses[0].media_type);
}

static void
check_get(const struct operation *op)
{
	const struct param *param;

	assert_int_equal(op->param_count, 2);
	assert_false(op->is_public);
	assert_int_equal(op->scope_count, 0);
	param = operation_param(op, "thing_id");
	assert_int_equal(param->in, PARAM_PATH);
	assert_true(param->is_required);
	/* The operation's own declaration wins over that of the path. */
	param = operation_param(op, "fields");
	assert_true(param->is_required);
	assert_true(schema_check_text(param->schema, "elevenchars", 11,
	    "fields", "query", NULL));
}

/* The engine's own members are not served, those of the reader are. */
static void
check_document(const struct contract *contract)
{
	assert_int_equal(strlen(contract->json), contract->json_len);
	assert_null(strstr(contract->json, "x-handler"));
	assert_null(strstr(contract->json, "x-pool"));
	assert_null(strstr(contract->json, "x-timeout-ms"));
	assert_null(strstr(contract->json, "x-body-max"));
	assert_non_null(strstr(contract->json, "\"x-note\":\"stays\""));
	assert_non_null(strstr(contract->json, "\"x-clause\":"));
	assert_non_null(
	    strstr(contract->json, "\"example\":92.35,\"multipleOf\":0.01}"));
	assert_non_null(
	    strstr(contract->json, "\"tags\":[{\"name\":\"Things\"}]"));
}

static void
test_good(void **state)
{
	struct contract *contract;
	const struct operation *op;
	size_t i;

	(void)state;
	contract = contract_load(DATA "/good", stderr);
	assert_non_null(contract);
	assert_int_equal(contract->operation_count, 4);
	for (i = 0; i < contract->operation_count; i++)
		assert_int_equal(contract->operations[i].index, i);
	check_list(find(contract, "listThings"));
	check_create(find(contract, "createThing"));
	check_get(find(contract, "getThing"));
	op = find(contract, "uploadThing");
	assert_true(op->is_c);
	assert_true(op->is_public && op->takes_basic);
	assert_false(find(contract, "getThing")->takes_basic);
	assert_string_equal(op->body_media_type, "*/*");
	assert_null(op->body);
	assert_false(op->is_body_required);
	check_document(contract);
	contract_free(contract);
	schema_forget();
}

/* What faults say of a schema is not the document's. */
static void
test_schemas_outlive_the_document(void **state)
{
	struct contract *contract;
	struct problem *problem;
	struct arena *arena;
	const struct param *param;

	(void)state;
	contract = contract_load(DATA "/good", stderr);
	assert_non_null(contract);
	contract_release_document(contract);
	param = operation_param(find(contract, "getThing"), "thing_id");
	arena = arena_new(1024);
	problem = problem_new(arena, "invalid-parameter");
	assert_false(schema_check_text(param->schema, "x", 1, "thing_id",
	    "path", problem));
	assert_int_equal(problem_fault_count(problem), 1);
	arena_free(arena);
	contract_free(contract);
	schema_forget();
}

static size_t
count_lines(const char *text)
{
	size_t count;

	for (count = 0; *text != '\0'; text++)
		count += *text == '\n';
	return (count);
}

static void
check_bad(const char *name)
{
	char path[512], line[512], *errors;
	FILE *stream, *expected;
	size_t len, count;

	stream = open_memstream(&errors, &len);
	snprintf(path, sizeof(path), DATA "/%s", name);
	if (contract_load(path, stream) != NULL)
		fail_msg("%s was taken", name);
	fclose(stream);

	snprintf(path, sizeof(path), DATA "/%s/expected", name);
	expected = fopen(path, "r");
	assert_non_null(expected);
	for (count = 0; fgets(line, sizeof(line), expected) != NULL; count++) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(errors, line) == NULL)
			fail_msg("%s: no line has\n%s\nin\n%s", name, line,
			    errors);
	}
	fclose(expected);
	assert_true(count > 0);
	if (count_lines(errors) != count)
		fail_msg("%s: %zu lines expected in\n%s", name, count, errors);
	free(errors);
	schema_forget();
}

static void
test_bad(void **state)
{
	struct dirent **entries;
	int count, i;
	size_t bad_count;

	(void)state;
	bad_count = 0;
	count = scandir(DATA, &entries, NULL, alphasort);
	assert_true(count > 0);
	for (i = 0; i < count; i++) {
		if (strncmp(entries[i]->d_name, "bad-", 4) == 0) {
			check_bad(entries[i]->d_name);
			bad_count++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(bad_count >= 14);
}

static void
test_methods(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < METHOD_COUNT; i++)
		assert_int_equal(method_parse(method_name((enum method)i),
				     strlen(method_name((enum method)i))),
		    i);
	assert_int_equal(method_parse("get", 3), METHOD_COUNT);
	assert_int_equal(method_parse("GETS", 4), METHOD_COUNT);
	assert_int_equal(method_parse("", 0), METHOD_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_schemas_outlive_the_document),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_methods),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
