/*
 * test_yaml.c -- YAML 1.2 core schema to JSON: what is read as what, and
 * what is refused where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/openapi.h"
#include "contract/yaml.h"

struct reading {
	const char *yaml;
	const char *json;    /* compact; NULL: refused */
	const char *message; /* what errors holds then */
};

static char *
read_text(const char *yaml, char **errors)
{
	FILE *stream;
	size_t len;
	json_t *node;
	char *text;

	stream = open_memstream(errors, &len);
	node = yaml_parse(yaml, strlen(yaml), "x.yaml", NULL, stream);
	fclose(stream);
	text = NULL;
	if (node != NULL)
		text = json_dumps(node,
		    JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(node);
	return (text);
}

static void
expect(const struct reading *readings, size_t count)
{
	char *text, *errors;
	size_t i;

	for (i = 0; i < count; i++) {
		text = read_text(readings[i].yaml, &errors);
		if (readings[i].json != NULL) {
			if (text == NULL)
				fail_msg("%s: %s", readings[i].yaml, errors);
			assert_string_equal(text, readings[i].json);
			assert_string_equal(errors, "");
		} else {
			if (text != NULL)
				fail_msg("%s became %s", readings[i].yaml,
				    text);
			if (strstr(errors, readings[i].message) == NULL)
				fail_msg("%s: got %s", readings[i].yaml,
				    errors);
		}
		free(text);
		free(errors);
	}
}

#define EXPECT(readings) \
	expect(readings, sizeof(readings) / sizeof(readings[0]))

static void
test_scalars(void **state)
{
	static const struct reading readings[] = {
		{ "[~, null, Null, '~', 'null']",
		    "[null,null,null,\"~\",\"null\"]", NULL },
		{ "a:", "{\"a\":null}", NULL },
		{ "a: ''", "{\"a\":\"\"}", NULL },
		{ "[true, True, FALSE, 'true', yes, no, on, off, y]",
		    "[true,true,false,\"true\",\"yes\",\"no\",\"on\","
		    "\"off\",\"y\"]",
		    NULL },
		{ "[0, 17, -3, '17', \"17\", -0]", "[0,17,-3,\"17\",\"17\",0]",
		    NULL },
		{ "[9223372036854775807, -9223372036854775808]",
		    "[9223372036854775807,-9223372036854775808]", NULL },
		{ "[0.01, 92.35, 1e3, .5, 5., -1.5E-2]",
		    "[0.01,92.35,1000.0,0.5,5.0,-0.015]", NULL },
		{ "[2026-01-01, 2026-11-23T01:02:03Z, 12:30, 1_000]",
		    "[\"2026-01-01\",\"2026-11-23T01:02:03Z\",\"12:30\","
		    "\"1_000\"]",
		    NULL },
		{ "[e3, ., -, +, 1e, 1.2.3, 0b1, 017.x]",
		    "[\"e3\",\".\",\"-\",\"+\",\"1e\",\"1.2.3\",\"0b1\","
		    "\"017.x\"]",
		    NULL },
		{ "a: |\n  x\n  y\nb: >\n  x\n  y\n",
		    "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\"}", NULL },
		{ "200: ok\n'304': ok\ntrue: x\n",
		    "{\"200\":\"ok\",\"304\":\"ok\",\"true\":\"x\"}", NULL },
		{ "督导: 平江", "{\"督导\":\"平江\"}", NULL },
		{ "42", "42", NULL },
	};

	(void)state;
	EXPECT(readings);
}

static void
test_anchors(void **state)
{
	static const struct reading readings[] = {
		{ "a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}",
		    NULL },
		{ "[&x 1, *x, &x 2, *x]", "[1,1,2,2]", NULL },
		{ "a: *x", NULL, "x.yaml:1: no anchor x before" },
		{ "&x [*x]", NULL, "no anchor x" },
		{ "a: &x {b: 1}\nc: {<<: *x}\n", NULL, "x.yaml:2: merge keys" },
	};

	(void)state;
	EXPECT(readings);
}

static void
test_refused(void **state)
{
	static const struct reading readings[] = {
		{ "", NULL, "no document" },
		{ "# nothing\n", NULL, "no document" },
		{ "a: 1\n---\nb: 2\n", NULL, "x.yaml:2: a second document" },
		{ "a: 1\nb: 2\na: 3\n", NULL, "x.yaml:3: duplicate key a" },
		{ "a:\n  x: 1\n  x: 2\nb:\n  y: 1\n  'y': 2\n", NULL,
		    "x.yaml:6: duplicate key y" },
		{ "[1, 0123]", NULL, "0123: quote it" },
		{ "+5", NULL, "quote it" },
		{ "9223372036854775808", NULL, "quote it" },
		{ "[.inf]", NULL, ".inf is no number" },
		{ "-.Inf", NULL, "no number" },
		{ ".nan", NULL, "no number" },
		{ "0x1F", NULL, "no number" },
		{ "0o17", NULL, "no number" },
		{ "1e999", NULL, "too large" },
		{ "!!str 5", NULL, "tag tag:yaml.org,2002:str" },
		{ "{[1]: 2}", NULL, "a key that is not a scalar" },
		{ "a: \"x\\0y\"", NULL, "a text with a NUL" },
		{ "\"a\\0\": 1", NULL, "a key with a NUL" },
		{ "a: [1", NULL, "x.yaml:2: did not find" },
		{ "a: b: c", NULL, "x.yaml:1: " },
		{ "a: \xff", NULL, "x.yaml:1: " },
	};

	(void)state;
	EXPECT(readings);
}

/* Both duplicates of one file are named, not the first alone. */
static void
test_every_fault(void **state)
{
	char *errors;

	(void)state;
	assert_null(read_text("a: 1\na: 2\nb: 012\n", &errors));
	assert_string_equal(errors,
	    "x.yaml:2: duplicate key a\n"
	    "x.yaml:3: 012: quote it, or write a plain 64-bit integer\n");
	free(errors);
}

static void
test_depth(void **state)
{
	char yaml[2 * YAML_DEPTH_MAX + 3], *text, *errors;
	size_t depth;

	(void)state;
	for (depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
		memset(yaml, '[', depth);
		memset(yaml + depth, ']', depth);
		yaml[2 * depth] = '\0';
		text = read_text(yaml, &errors);
		if (depth == YAML_DEPTH_MAX)
			assert_non_null(text);
		else
			assert_null(text);
		free(text);
		free(errors);
	}
}

/* Nine levels of ten aliases would be a thousand million nodes. */
static void
test_alias_bomb(void **state)
{
	char yaml[2048], *text, *errors;
	size_t len, level, i;

	(void)state;
	len = (size_t)sprintf(yaml, "a0: &a0 [x]\n");
	for (level = 1; level <= 9; level++) {
		len +=
		    (size_t)sprintf(yaml + len, "a%zu: &a%zu [", level, level);
		for (i = 0; i < 10; i++)
			len += (size_t)sprintf(yaml + len, "*a%zu,", level - 1);
		len += (size_t)sprintf(yaml + len, "]\n");
	}
	text = read_text(yaml, &errors);
	assert_null(text);
	assert_non_null(strstr(errors, "grows too far"));
	free(errors);
}

/* Aliases add up in depth as well. */
static void
test_alias_depth(void **state)
{
	char yaml[4096], *errors;
	size_t len, level;

	(void)state;
	len = (size_t)sprintf(yaml, "a0: &a0 [x]\n");
	for (level = 1; level <= YAML_DEPTH_MAX; level++)
		len += (size_t)sprintf(yaml + len, "a%zu: &a%zu [*a%zu]\n",
		    level, level, level - 1);
	assert_null(read_text(yaml, &errors));
	assert_non_null(strstr(errors, "grows too far"));
	free(errors);
}

static void
test_places(void **state)
{
	static const char yaml[] = "a:\n  b:\n    - x\n    - {c: 1}\n";
	struct yaml_places *places;
	const char *file;
	json_t *root, *item;
	size_t line;

	(void)state;
	places = yaml_places_new();
	root = yaml_parse(yaml, strlen(yaml), "dir/x.yaml", places, stderr);
	assert_non_null(root);
	assert_true(yaml_places_find(places, root, &file, &line));
	assert_int_equal(line, 1);
	assert_string_equal(file, "dir/x.yaml");
	item =
	    json_array_get(json_object_get(json_object_get(root, "a"), "b"), 1);
	assert_true(yaml_places_find(places, item, &file, &line));
	assert_int_equal(line, 4);
	assert_true(
	    yaml_places_find(places, json_object_get(item, "c"), &file, &line));
	assert_int_equal(line, 4);
	json_decref(root);
	yaml_places_free(places);
}

static void
test_no_file(void **state)
{
	FILE *stream;
	char *errors;
	size_t len;

	(void)state;
	stream = open_memstream(&errors, &len);
	assert_null(yaml_load_file("/nonexistent/x.yaml", stream));
	fclose(stream);
	assert_string_equal(errors,
	    "/nonexistent/x.yaml: No such file or directory\n");
	free(errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_alias_depth),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_no_file),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
