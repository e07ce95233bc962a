/*
 * test_params.c -- query, path and header values against an operation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "contract/params.h"
#include "contract/schema.h"

static struct param declared[] = {
	{ .name = "zone_id", .in = PARAM_PATH, .is_required = true },
	{ .name = "limit", .in = PARAM_QUERY, .default_text = "50" },
	{ .name = "state",
	    .in = PARAM_QUERY,
	    .is_array = true,
	    .max_items = 3,
	    .is_unique = true },
	{ .name = "due_on.lte", .in = PARAM_QUERY },
	{ .name = "q", .in = PARAM_QUERY },
	{ .name = "as_of", .in = PARAM_QUERY, .is_required = true },
	{ .name = "Idempotency-Key", .in = PARAM_HEADER },
};

#define DECLARED_COUNT (sizeof(declared) / sizeof(declared[0]))

static const char *const schemas[DECLARED_COUNT] = {
	"{\"type\":\"string\",\"format\":\"uuid\"}",
	"{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}",
	"{\"type\":\"string\",\"enum\":[\"open\",\"closed\",\"a,b\"]}",
	"{\"type\":\"string\",\"format\":\"date\"}",
	"{\"type\":\"string\",\"maxLength\":4}",
	"{\"type\":\"string\",\"format\":\"date\"}",
	"{\"type\":\"string\",\"minLength\":8}",
};

#define ID "0193a5c0-7f3e-7abc-8def-0123456789ab"

static struct operation op = { .id = "listThings",
	.params = declared,
	.param_count = DECLARED_COUNT };
static struct arena *arena;
static struct problem *problem;
static struct params params;
static struct route_match match;
static const char *header_value;
static json_t *document, *nodes[DECLARED_COUNT];

static int
set_up_all(void **state)
{
	size_t i;

	(void)state;
	document = json_object();
	for (i = 0; i < DECLARED_COUNT; i++) {
		nodes[i] = json_loads(schemas[i], 0, NULL);
		declared[i].schema =
		    schema_compile(document, nodes[i], "#", stderr);
		if (declared[i].schema == NULL)
			return (-1);
	}
	return (0);
}

static int
tear_down_all(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < DECLARED_COUNT; i++)
		json_decref(nodes[i]);
	json_decref(document);
	return (0);
}

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(4096);
	memset(&match, 0, sizeof(match));
	match.names[0] = "zone_id";
	match.values[0] = ID;
	match.param_count = 1;
	header_value = NULL;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static const char *
header(void *arg, const char *name)
{
	assert_ptr_equal(arg, &op);
	assert_string_equal(name, "Idempotency-Key");
	return (header_value);
}

static bool
parse(const char *query)
{
	bool result;

	problem = problem_new(arena, "bad-request");
	result = params_parse(&op, &match, query, header, &op, arena, problem,
	    &params);
	assert_int_equal(result, problem_fault_count(problem) == 0);
	return (result);
}

static const char *
text_of(const char *name)
{
	const struct param_value *value;

	value = params_get(&params, name);
	return (value == NULL ? NULL : value->text);
}

/* "in parameter code" of every fault in order, joined by "; ". */
static void
assert_faults(const char *query, const char *expected)
{
	struct buf out, told;
	json_t *rendered, *fault;
	size_t i;

	(void)parse(query);
	buf_init(&out);
	buf_init(&told);
	problem_render(problem, LANG_EN, NULL, &out);
	rendered = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(rendered);
	json_array_foreach(json_object_get(rendered, "errors"), i, fault)
		buf_printf(&told, "%s%s %s %s", i > 0 ? "; " : "",
		    json_string_value(json_object_get(fault, "in")),
		    json_string_value(json_object_get(fault, "parameter")),
		    json_string_value(json_object_get(fault, "code")));
	buf_putc(&told, '\0');
	assert_string_equal(told.data, expected);
	json_decref(rendered);
	buf_fini(&out);
	buf_fini(&told);
}

static void
test_values_and_defaults(void **state)
{
	(void)state;
	assert_true(parse("as_of=2024-02-29&due_on.lte=2026-11-01&&"));
	assert_string_equal(text_of("zone_id"), ID);
	assert_string_equal(text_of("as_of"), "2024-02-29");
	assert_string_equal(text_of("due_on.lte"), "2026-11-01");
	assert_string_equal(text_of("limit"), "50");
	assert_true(params_get(&params, "limit")->is_default);
	assert_false(params_get(&params, "as_of")->is_default);
	assert_null(params_get(&params, "q"));
	assert_null(params_get(&params, "state"));
	assert_null(params_get(&params, "Idempotency-Key"));
	assert_null(params_get(&params, "nobody"));
	assert_true(parse("limit=200&as_of=2026-11-01"));
	assert_string_equal(text_of("limit"), "200");
	assert_false(params_get(&params, "limit")->is_default);
}

static void
test_decoding(void **state)
{
	(void)state;
	assert_true(parse("%61s_of=2026%2D11-01&q=a+%26%3D"));
	assert_string_equal(text_of("q"), "a &=");
	/* Four characters are twelve bytes. */
	assert_true(parse("as_of=2026-11-01&q=%E7%9D%A3%E5%AF%BC督导"));
	assert_string_equal(text_of("q"), "督导督导");
	assert_true(parse("as_of=2026-11-01&q="));
	assert_string_equal(text_of("q"), "");
	assert_true(parse("as_of=2026-11-01&q=a=b"));
	assert_string_equal(text_of("q"), "a=b");
	assert_faults("as_of=2026-11-01&q=a%00b", "query q bad-encoding");
	assert_faults("as_of=2026-11-01&q=%", "query q bad-encoding");
	assert_faults("as_of=2026-11-01&q=%ff", "query q bad-encoding");
	assert_faults("as_of=2026-11-01&%zz=1", "query %zz bad-encoding");
	assert_faults("as_of=%80", "query as_of bad-encoding");
}

static void
test_arrays(void **state)
{
	const struct param_value *value;

	(void)state;
	assert_true(parse("as_of=2026-11-01&state=open&q=x&state=a,b"));
	value = params_get(&params, "state");
	assert_int_equal(value->item_count, 2);
	assert_string_equal(value->items[0], "open");
	assert_string_equal(value->items[1], "a,b");
	assert_string_equal(value->text, "{\"open\",\"a,b\"}");
	assert_true(parse("as_of=2026-11-01&state=open"));
	assert_string_equal(text_of("state"), "{\"open\"}");
	assert_faults("as_of=2026-11-01&state=open&state=open",
	    "query state duplicate-items");
	assert_faults("as_of=2026-11-01&state=1&state=2&state=3&state=4",
	    "query state too-many-items");
	assert_faults("as_of=2026-11-01&state=open&state=shut",
	    "query state not-in-enum");
	assert_faults("as_of=2026-11-01&state=", "query state not-in-enum");
}

static void
test_all_faults_at_once(void **state)
{
	(void)state;
	match.values[0] = "17";
	header_value = "short";
	assert_faults("limt=1&q=a&limit=0&sort=x&q=b&limt=2&q=c"
		      "&due_on.lte=2026-02-29",
	    "query limt unknown-parameter; query sort unknown-parameter; "
	    "query q repeated-parameter; path zone_id format; "
	    "query limit out-of-range; query due_on.lte format; "
	    "query as_of required; header Idempotency-Key too-short");
	assert_null(params_get(&params, "q"));
}

static void
test_absent_query(void **state)
{
	(void)state;
	assert_faults(NULL, "query as_of required");
	assert_faults("", "query as_of required");
	assert_faults("&", "query as_of required");
	/* Empty is not absent. */
	assert_faults("as_of", "query as_of format");
	assert_faults("=1&as_of=2026-11-01", "query  unknown-parameter");
	/* Names are those of their place: no path value by the query. */
	assert_faults("as_of=2026-11-01&zone_id=1",
	    "query zone_id unknown-parameter");
	assert_faults("as_of=2026-11-01&Idempotency-Key=1",
	    "query Idempotency-Key unknown-parameter");
}

static void
test_headers(void **state)
{
	(void)state;
	header_value = "0193-a5c0+%41";
	assert_true(parse("as_of=2026-11-01"));
	/* Headers are not percent-encoded. */
	assert_string_equal(text_of("Idempotency-Key"), "0193-a5c0+%41");
	header_value = "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8";
	assert_faults("as_of=2026-11-01",
	    "header Idempotency-Key bad-encoding");
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = { "1.0", "1e1", "+1", "01", "%201",
		"0x1", "NaN", "", "true", "99999999999999999999" };
	char query[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(query, sizeof(query),
		    "as_of=2026-11-01&limit=%s", bad[i]);
		if (parse(query))
			fail_msg("taken: %s", bad[i]);
	}
}

static void
test_array_literal(void **state)
{
	const char *const items[] = { "a", "", "NULL", "x\"y\\z", "{1,2}",
		"督 导" };

	(void)state;
	assert_string_equal(params_array_literal(arena, items, 0), "{}");
	assert_string_equal(params_array_literal(arena, items, 6),
	    "{\"a\",\"\",\"NULL\",\"x\\\"y\\\\z\",\"{1,2}\",\"督 导\"}");
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_values_and_defaults),
		T(test_decoding),
		T(test_arrays),
		T(test_all_faults_at_once),
		T(test_absent_query),
		T(test_headers),
		T(test_numbers),
		T(test_array_literal),
	};
#undef T

	return (cmocka_run_group_tests(tests, set_up_all, tear_down_all));
}
