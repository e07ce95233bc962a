/*
 * test_problem.c -- the catalogue's checks and the documents.
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

#include "base/problem.h"
#include "contract/openapi.h"

static const char catalogue_text[] =
    "{\"internal-error\": {\"status\": 500,"
    " \"title\": {\"zh-CN\": \"系统内部错误\", \"en\": \"Internal\"},"
    " \"detail\": {\"zh-CN\": \"意外\", \"en\": \"Unexpected\"}},"
    "\"validation-failed\": {\"status\": 422,"
    " \"title\": {\"zh-CN\": \"未通过校验\", \"en\": \"Invalid\"},"
    " \"detail\": {\"zh-CN\": \"{count} 处\", \"en\": \"{count} places\"}},"
    "\"out-of-range\": {\"status\": 422,"
    " \"title\": {\"zh-CN\": \"超出范围\", \"en\": \"Out of range\"},"
    " \"detail\": {\"zh-CN\": \"{min} 至 {max}\","
    "  \"en\": \"from {min} to {max}\"}},"
    "\"too-small\": {\"status\": 422,"
    " \"title\": {\"zh-CN\": \"过小\", \"en\": \"Too small\"},"
    " \"detail\": {\"zh-CN\": \"{min}\", \"en\": \"{min} and more\"}},"
    "\"not-in-enum\": {\"status\": 422,"
    " \"title\": {\"zh-CN\": \"不在范围\", \"en\": \"Not a choice\"},"
    " \"detail\": {\"zh-CN\": \"{allowed}\", \"en\": \"{allowed}\"}},"
    "\"overloaded\": {\"status\": 503,"
    " \"title\": {\"zh-CN\": \"繁忙\", \"en\": \"Busy\"},"
    " \"detail\": {\"zh-CN\": \"稍后\", \"en\": \"Later\"}}}";

static json_t *catalogue;
static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	catalogue = json_loads(catalogue_text, 0, NULL);
	if (catalogue == NULL || !problem_load(catalogue, stderr))
		return (-1);
	arena = arena_new(1024);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	json_decref(catalogue);
	return (0);
}

static json_t *
render(const struct problem *problem, enum lang lang, const char *id)
{
	struct buf out;
	json_t *document;

	buf_init(&out);
	problem_render(problem, lang, id, &out);
	document = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	if (document == NULL)
		fail_msg("not JSON: %.*s", (int)out.len, out.data);
	buf_fini(&out);
	return (document);
}

static const char *
text_at(json_t *document, const char *name)
{
	return (json_string_value(json_object_get(document, name)));
}

static json_t *
fault_at(json_t *document, size_t index)
{
	return (json_array_get(json_object_get(document, "errors"), index));
}

static void
test_exact_document(void **state)
{
	struct problem *problem;
	struct buf out;
	const char *expected;

	(void)state;
	problem = problem_new(arena, "validation-failed");
	problem_member(problem, "state", json_string("open"));
	problem_at_pointer(problem, "/findings/0/score", "out-of-range",
	    json_pack("{s:i, s:f}", "min", 0, "max", 92.35));
	problem_at_parameter(problem, "limit", "query", "out-of-range",
	    json_pack("{s:i, s:i}", "min", 1, "max", 200));
	assert_int_equal(problem_fault_count(problem), 2);
	assert_int_equal(problem_http_status(problem), 422);
	buf_init(&out);
	problem_render(problem, LANG_EN, "abc", &out);
	buf_putc(&out, '\0');
	expected =
	    "{\"type\":\"/problems/validation-failed\","
	    "\"title\":\"Invalid\",\"status\":422,"
	    "\"code\":\"validation-failed\",\"detail\":\"2 places\","
	    "\"request_id\":\"abc\",\"state\":\"open\",\"errors\":["
	    "{\"code\":\"out-of-range\",\"pointer\":\"/findings/0/score\","
	    "\"detail\":\"from 0 to 92.35\","
	    "\"params\":{\"min\":0,\"max\":92.35}},"
	    "{\"code\":\"out-of-range\",\"parameter\":\"limit\","
	    "\"in\":\"query\",\"detail\":\"from 1 to 200\","
	    "\"params\":{\"min\":1,\"max\":200}}]}";
	assert_string_equal(out.data, expected);
	buf_fini(&out);
}

static void
test_languages_and_params(void **state)
{
	struct problem *problem;
	json_t *document, *params;

	(void)state;
	problem = problem_new(arena, "not-in-enum");
	params = json_pack("{s:[s, i, {s:s, s:s}]}", "allowed", "甲", 3,
	    "zh-CN", "丙", "en", "C");
	problem_params(problem, params);
	json_decref(params);
	document = render(problem, LANG_ZH_CN, NULL);
	assert_string_equal(text_at(document, "title"), "不在范围");
	assert_string_equal(text_at(document, "detail"), "甲、3、丙");
	assert_null(json_object_get(document, "request_id"));
	assert_null(json_object_get(document, "errors"));
	json_decref(document);
	document = render(problem, LANG_EN, NULL);
	assert_string_equal(text_at(document, "detail"), "甲, 3, C");
	json_decref(document);
}

/* No reader ever sees a brace: the title stands in. */
static void
test_missing_params(void **state)
{
	struct problem *problem;
	json_t *document;

	(void)state;
	problem = problem_new(arena, "validation-failed");
	problem_at_pointer(problem, "/a", "out-of-range", NULL);
	problem_at_pointer(problem, "/b", "out-of-range",
	    json_pack("{s:i, s:n}", "min", 1, "max"));
	problem_at_pointer(problem, "/c", "out-of-range",
	    json_pack("{s:i}", "min", 1));
	problem_at_pointer(problem, "/d", "out-of-range",
	    json_pack("{s:i}", "max", 1));
	document = render(problem, LANG_EN, NULL);
	/* A range that is open at one end has words of its own. */
	assert_string_equal(text_at(fault_at(document, 2), "detail"),
	    "1 and more");
	assert_string_equal(text_at(fault_at(document, 2), "code"),
	    "out-of-range");
	assert_string_equal(text_at(fault_at(document, 3), "detail"),
	    "Out of range");
	assert_string_equal(text_at(fault_at(document, 0), "detail"),
	    "Out of range");
	assert_null(json_object_get(fault_at(document, 0), "params"));
	assert_string_equal(text_at(fault_at(document, 1), "detail"),
	    "Out of range");
	json_decref(document);
}

static void
test_fault_of_the_database(void **state)
{
	struct problem *problem;
	json_t *fault, *document;

	(void)state;
	fault = json_pack("{s:s, s:s, s:{s:i, s:i}, s:s, s:n, s:s}", "pointer",
	    "/score", "code", "out-of-range", "params", "min", 0, "max", 100,
	    "rule_id", "R-07", "clause_id", "sql", "secret");
	problem = problem_new(arena, "validation-failed");
	problem_at_json(problem, fault);
	json_decref(fault);
	document = render(problem, LANG_ZH_CN, NULL);
	fault = fault_at(document, 0);
	assert_string_equal(text_at(fault, "pointer"), "/score");
	assert_string_equal(text_at(fault, "detail"), "0 至 100");
	assert_string_equal(text_at(fault, "rule_id"), "R-07");
	assert_null(json_object_get(fault, "clause_id"));
	assert_null(json_object_get(fault, "sql"));
	json_decref(document);
}

static void
test_unknown_code(void **state)
{
	struct problem *problem;
	json_t *document;

	(void)state;
	assert_false(problem_is_known("no-such-code"));
	assert_int_equal(problem_status("no-such-code"), 500);
	assert_null(problem_entry("no-such-code"));
	problem = problem_new(arena, "no-such-code");
	problem_at_pointer(problem, "/a", "nor-this", NULL);
	document = render(problem, LANG_EN, NULL);
	assert_int_equal(json_integer_value(
			     json_object_get(document, "status")),
	    500);
	assert_string_equal(text_at(document, "title"), "Internal");
	assert_string_equal(text_at(fault_at(document, 0), "code"), "nor-this");
	json_decref(document);
}

static void
test_text_from_outside(void **state)
{
	struct problem *problem;
	json_t *document;

	(void)state;
	problem = problem_new(arena, "validation-failed");
	problem_at_parameter(problem, "a\"\xff\n", "query", "out-of-range",
	    json_pack("{s:s, s:i}", "min", "{max}\"", "max", 2));
	document = render(problem, LANG_EN, "id\"");
	assert_string_equal(text_at(fault_at(document, 0), "parameter"),
	    "a\"\xef\xbf\xbd\n");
	/* A value is not searched for placeholders again. */
	assert_string_equal(text_at(fault_at(document, 0), "detail"),
	    "from {max}\" to 2");
	assert_string_equal(text_at(document, "request_id"), "id\"");
	json_decref(document);
}

static void
test_many_faults(void **state)
{
	struct problem *problem;
	json_t *document;
	int i;

	(void)state;
	problem = problem_new(arena, "validation-failed");
	for (i = 0; i < 1000; i++)
		problem_at_pointer(problem, "/x", "out-of-range",
		    json_pack("{s:i, s:i}", "min", 0, "max", i));
	assert_int_equal(problem_fault_count(problem), 1000);
	document = render(problem, LANG_EN, NULL);
	assert_string_equal(text_at(document, "detail"), "1000 places");
	assert_int_equal(json_array_size(json_object_get(document, "errors")),
	    200);
	assert_int_equal(json_integer_value(
			     json_object_get(document, "errors_omitted")),
	    800);
	json_decref(document);
}

static void
test_retry_after(void **state)
{
	struct problem *problem;

	(void)state;
	problem = problem_new(arena, "overloaded");
	assert_int_equal(problem_retry_after(problem), 1);
	problem_set_retry_after(problem, 30);
	assert_int_equal(problem_retry_after(problem), 30);
	assert_int_equal(problem_retry_after(
			     problem_new(arena, "validation-failed")),
	    0);
}

static void
assert_refused(const char *code, const char *entry, const char *message)
{
	json_t *copy;
	char *text;
	FILE *errors;
	size_t len;
	bool result;

	copy = json_deep_copy(catalogue);
	assert_int_equal(json_object_set_new(copy, code,
			     json_loads(entry, 0, NULL)),
	    0);
	errors = open_memstream(&text, &len);
	assert_non_null(errors);
	result = problem_load(copy, errors);
	(void)fclose(errors);
	if (result || strstr(text, message) == NULL)
		fail_msg("%s: taken, or told: %s", entry, text);
	free(text);
	json_decref(copy);
	/* A refused catalogue does not take the place of the good one. */
	assert_true(problem_catalogue() == catalogue);
}

static void
test_catalogue_checks(void **state)
{
#define T "\"title\": {\"zh-CN\": \"a\", \"en\": \"b\"}"
#define D "\"detail\": {\"zh-CN\": \"{n} c\", \"en\": \"d {n}\"}"
	(void)state;
	assert_refused("x", "{\"status\": 200," T "," D "}", "status");
	assert_refused("x", "{" T "," D "}", "status");
	assert_refused("x", "{\"status\": 400," D "}", "title");
	assert_refused("x", "{\"status\": 400," T "}", "detail");
	assert_refused("x",
	    "{\"status\": 400," T ", \"detail\": "
	    "{\"zh-CN\": \"{n}\", \"en\": \"{m}\"}}",
	    "placeholders");
	assert_refused("x",
	    "{\"status\": 400," T ", \"detail\": "
	    "{\"zh-CN\": \"n\", \"en\": \"{m}\"}}",
	    "placeholders");
	assert_refused("x",
	    "{\"status\": 400," T ", \"detail\": "
	    "{\"zh-CN\": \"\", \"en\": \"m\"}}",
	    "detail needs");
	assert_refused("x",
	    "{\"status\": 400," D ", \"title\": "
	    "{\"zh-CN\": \"{n}\", \"en\": \"{n}\"}}",
	    "no placeholders");
	assert_refused("x", "{\"status\": 400, \"hint\": 1," T "," D "}",
	    "hint is unknown");
	assert_refused("Bad_Code", "{\"status\": 400," T "," D "}",
	    "kebab-case");
	assert_refused("x", "[]", "status");
#undef T
#undef D
}

/* The real one. Runs in the repository's root. */
static void
test_catalogue_of_the_service(void **state)
{
	json_t *real;

	(void)state;
	real = yaml_load_file("openapi/problems.yaml", stderr);
	assert_non_null(real);
	assert_true(problem_load(real, stderr));
	assert_int_equal(problem_status("illegal-transition"), 409);
	assert_true(problem_load(catalogue, stderr));
	json_decref(real);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_document),
		cmocka_unit_test(test_languages_and_params),
		cmocka_unit_test(test_missing_params),
		cmocka_unit_test(test_fault_of_the_database),
		cmocka_unit_test(test_unknown_code),
		cmocka_unit_test(test_text_from_outside),
		cmocka_unit_test(test_many_faults),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_catalogue_checks),
		cmocka_unit_test(test_catalogue_of_the_service),
	};

	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
