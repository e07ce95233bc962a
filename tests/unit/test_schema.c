/*
 * test_schema.c -- what compiles, what does not, and which faults a value
 * gets: pointer, code and params of each, in order.
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
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"
#include "contract/openapi.h"
#include "contract/schema.h"
#include "contract/schema_tree.h"

struct example {
	const char *value;
	const char *faults; /* "" = good */
};

/* ' stands for " in the JSON of this file. */
static json_t *
parse(const char *text)
{
	json_error_t error;
	json_t *json;
	char *copy, *p;

	copy = strdup(text);
	for (p = copy; (p = strchr(p, '\'')) != NULL; p++)
		*p = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (json == NULL)
		fail_msg("%s: %s", copy, error.text);
	free(copy);
	return (json);
}

static const struct schema *
compile(const char *text, json_t **document)
{
	const struct schema *schema;

	*document = parse(text);
	schema = schema_compile(*document, *document, "", stderr);
	if (schema == NULL)
		fail_msg("does not compile: %s", text);
	return (schema);
}

/* "/a out-of-range {'max':9}; /b required" */
static char *
faults_of(const struct problem *problem)
{
	struct buf buf, text;
	const char *place;
	char *params, *p;
	json_t *document, *fault;
	size_t i, len;

	buf_init(&buf);
	problem_render(problem, LANG_EN, NULL, &buf);
	document = json_loadb(buf.data, buf.len, 0, NULL);
	assert_non_null(document);
	buf_fini(&buf);
	buf_init(&text);
	json_array_foreach(json_object_get(document, "errors"), i, fault) {
		place = json_string_value(json_object_get(fault, "pointer"));
		if (place == NULL)
			place = json_string_value(
			    json_object_get(fault, "parameter"));
		assert_non_null(place);
		buf_printf(&text, "%s%s %s", i > 0 ? "; " : "", place,
		    json_string_value(json_object_get(fault, "code")));
		if (json_object_get(fault, "params") == NULL)
			continue;
		params = json_dumps(json_object_get(fault, "params"),
		    JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
		for (p = params; (p = strchr(p, '"')) != NULL; p++)
			*p = '\'';
		buf_printf(&text, " %s", params);
		free(params);
	}
	json_decref(document);
	buf_putc(&text, '\0');
	return (buf_take(&text, &len));
}

static void
expect_fault(const struct schema *schema, const struct example *example,
    bool is_text)
{
	struct arena *arena;
	struct problem *problem;
	json_t *value;
	char *faults;
	bool is_good;

	arena = arena_new(1024);
	problem = problem_new(arena, "validation-failed");
	value = NULL;
	if (is_text) {
		is_good = schema_check_text(schema, example->value,
		    strlen(example->value), "p", "query", problem);
		assert_int_equal(is_good,
		    schema_check_text(schema, example->value,
			strlen(example->value), "p", "query", NULL));
	} else {
		value = parse(example->value);
		is_good = schema_check(schema, value, "", problem);
		assert_int_equal(is_good,
		    schema_check(schema, value, "", NULL));
	}
	faults = faults_of(problem);
	if (strcmp(faults, example->faults) != 0)
		fail_msg("%s gave\n%s\ninstead of\n%s", example->value, faults,
		    example->faults);
	assert_int_equal(is_good, example->faults[0] == '\0');
	free(faults);
	json_decref(value);
	arena_free(arena);
}

static void
expect(const char *text, const struct example *examples, size_t count,
    bool is_text)
{
	const struct schema *schema;
	json_t *document;
	size_t i;

	schema = compile(text, &document);
	for (i = 0; i < count; i++)
		expect_fault(schema, &examples[i], is_text);
	json_decref(document);
	schema_forget();
}

#define EXPECT(text, ...)                                                  \
	do {                                                               \
		static const struct example rows[] = { __VA_ARGS__ };      \
		expect(text, rows, sizeof(rows) / sizeof(rows[0]), false); \
	} while (0)

#define EXPECT_TEXT(text, ...)                                            \
	do {                                                              \
		static const struct example rows[] = { __VA_ARGS__ };     \
		expect(text, rows, sizeof(rows) / sizeof(rows[0]), true); \
	} while (0)

static void
test_types(void **state)
{
	(void)state;
	EXPECT("{'type': 'string'}", { "'x'", "" }, { "''", "" },
	    { "1", " type {'expected':'string'}" },
	    { "null", " type {'expected':'string'}" });
	EXPECT("{'type': 'integer'}", { "1", "" },
	    { "9223372036854775807", "" },
	    /* PostgreSQL would not take '1.0' for an integer. */
	    { "1.0", " type {'expected':'integer'}" },
	    { "true", " type {'expected':'integer'}" });
	EXPECT("{'type': 'number'}", { "1", "" }, { "1.5", "" },
	    { "'1'", " type {'expected':'number'}" });
	EXPECT("{'type': ['string', 'null']}", { "null", "" }, { "'x'", "" },
	    { "[]", " type {'expected':['string','null']}" });
	EXPECT("{'type': 'null'}", { "null", "" },
	    { "0", " type {'expected':'null'}" });
	EXPECT("{'type': 'boolean'}", { "false", "" },
	    { "0", " type {'expected':'boolean'}" });
	EXPECT("{}", { "null", "" }, { "[1, {'a': 2}]", "" });
}

static void
test_objects(void **state)
{
	(void)state;
	EXPECT("{'type': 'object', 'additionalProperties': false,"
	       " 'required': ['a', 'c'], 'properties': {"
	       " 'c': {'type': 'string'}, 'a': {'type': 'integer'},"
	       " 'b': {'type': 'object', 'required': ['x'],"
	       "  'properties': {'x/y': {'type': 'null'}, 'x': {}}}}}",
	    { "{'a': 1, 'c': ''}", "" }, { "{}", "/a required; /c required" },
	    { "{'a': null, 'c': '', 'd': 1}",
		"/a type {'expected':'integer'}; /d unknown-field" },
	    { "{'a': 'x', 'b': {'x/y': 0}, '~/': 1}",
		"/c required; /a type {'expected':'integer'};"
		" /b/x required; /b/x~1y type {'expected':'null'};"
		" /~0~1 unknown-field" });
	EXPECT("{'type': 'object', 'minProperties': 1,"
	       " 'additionalProperties': {'type': 'integer'},"
	       " 'properties': {'a': {'type': 'string'}}}",
	    { "{}", " too-few-properties {'min':1}" },
	    { "{'a': 'x', 'b': 2}", "" },
	    { "{'a': 'x', 'b': 'y'}", "/b type {'expected':'integer'}" });
	EXPECT("{'type': 'object', 'properties': {}}", { "{'x': 1}", "" });
}

static void
test_arrays(void **state)
{
	(void)state;
	EXPECT("{'type': 'array', 'minItems': 1, 'maxItems': 3,"
	       " 'uniqueItems': true, 'items': {'type': 'integer'}}",
	    { "[1, 2]", "" }, { "[]", " too-few-items {'min':1}" },
	    { "[1, 2, 3, 'x']", " too-many-items {'max':3}" },
	    { "[1, 2, 1]", " duplicate-items" },
	    { "['x', 2, 'y']", "/0 type {'expected':'integer'};"
			       " /2 type {'expected':'integer'}" });
	EXPECT("{'type': 'array', 'maxItems': 9, 'uniqueItems': true,"
	       " 'items': {}}",
	    { "[{'a': 1, 'b': 2}, {'b': 2, 'a': 1}]", " duplicate-items" },
	    { "[1, '1', true, 'true', null, [], {}]", "" });
}

static void
test_strings(void **state)
{
	(void)state;
	/* Code points, not bytes. */
	EXPECT("{'type': 'string', 'minLength': 2, 'maxLength': 4}",
	    { "'督导'", "" }, { "'督导办公'", "" },
	    { "'督'", " too-short {'min':2}" },
	    { "'督导办公室'", " too-long {'max':4}" }, { "'abcd'", "" },
	    { "'\xf0\x9f\x98\x80\xf0\x9f\x98\x80'", "" });
	EXPECT("{'type': 'string', 'pattern': '^[a-z]+$'}", { "'abc'", "" },
	    { "'aBc'", " pattern {'pattern':'^[a-z]+$'}" },
	    /* $ is the end, not the place before the last newline. */
	    { "'abc\\n'", " pattern {'pattern':'^[a-z]+$'}" });
	EXPECT("{'type': 'string', 'pattern': '^.{2}$'}", { "'督导'", "" });
	EXPECT("{'type': 'string', 'pattern': '\\\\d'}", { "'a1b'", "" },
	    { "'\xd9\xa3'", " pattern {'pattern':'\\\\d'}" });
	/* One slip, one fault. */
	EXPECT("{'type': 'string', 'format': 'uuid', 'minLength': 36,"
	       " 'pattern': '^[0-9a-f-]+$'}",
	    { "'x'", " too-short {'min':36}" });
	EXPECT("{'enum': ['open', 'closed', 3, null]}", { "'open'", "" },
	    { "3", "" }, { "null", "" },
	    { "'Open'", " not-in-enum {'allowed':['open','closed',3]}" });
	EXPECT("{'const': {'a': 1}}", { "{'a': 1}", "" },
	    { "{'a': 2}", " not-in-enum {'allowed':[{'a':1}]}" });
}

static void
test_formats(void **state)
{
	(void)state;
	EXPECT("{'type': 'string', 'format': 'uuid'}",
	    { "'0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e'", "" },
	    { "'0199c1d2'", " format {'format':'uuid'}" });
	EXPECT("{'type': ['string', 'null'], 'format': 'date'}",
	    { "'2026-02-28'", "" }, { "null", "" },
	    { "'2026-02-30'", " format {'format':'date'}" });
	EXPECT("{'type': 'string', 'format': 'date-time'}",
	    { "'2026-11-23T01:02:03.456789Z'", "" },
	    { "'2026-11-23'", " format {'format':'date-time'}" });
	EXPECT("{'type': 'string', 'format': 'email'}",
	    { "'a.b+c@example.cn'", "" }, { "'a@localhost'", "" },
	    { "'a'", " format {'format':'email'}" },
	    { "'@b'", " format {'format':'email'}" },
	    { "'a@'", " format {'format':'email'}" },
	    { "'a b@c.cn'", " format {'format':'email'}" },
	    { "'a@b@c'", " format {'format':'email'}" },
	    { "'.a@b.cn'", " format {'format':'email'}" },
	    { "'a@.cn'", " format {'format':'email'}" });
	EXPECT("{'type': 'string', 'format': 'uri'}",
	    { "'https://dudao.example/a?b=%E7%9D%A3#c'", "" },
	    { "'urn:uuid:0'", "" }, { "'/a/b'", " format {'format':'uri'}" },
	    { "'https://x/%zz'", " format {'format':'uri'}" },
	    { "'https://x/%1'", " format {'format':'uri'}" },
	    { "'1a:b'", " format {'format':'uri'}" },
	    { "'a:'", " format {'format':'uri'}" },
	    { "'https://x/ y'", " format {'format':'uri'}" });
	EXPECT("{'type': 'string', 'format': 'uri-reference'}",
	    { "'/a/b?c'", "" }, { "''", "" },
	    { "'<a>'", " format {'format':'uri-reference'}" });
}

static void
test_numbers(void **state)
{
	(void)state;
	EXPECT("{'type': 'number', 'minimum': 0, 'maximum': 100,"
	       " 'multipleOf': 0.01}",
	    { "0", "" }, { "100", "" }, { "92.35", "" }, { "0.07", "" },
	    { "1.1", "" }, { "99.99", "" }, { "100.00", "" },
	    { "92.351", " multiple-of {'multiple_of':0.01}" },
	    { "0.001", " multiple-of {'multiple_of':0.01}" },
	    { "99.999999", " multiple-of {'multiple_of':0.01}" },
	    { "-0.01", " out-of-range {'max':100,'min':0}" },
	    { "100.01", " out-of-range {'max':100,'min':0}" });
	EXPECT("{'type': 'number', 'multipleOf': 0.1}", { "0.3", "" },
	    { "0.7", "" }, { "1e15", "" }, { "-0.3", "" },
	    { "-0.35", " multiple-of {'multiple_of':0.1}" });
	EXPECT("{'type': 'integer', 'multipleOf': 5}", { "-10", "" },
	    { "7", " multiple-of {'multiple_of':5}" });
	/* Beyond 2^53 a double could not tell these apart. */
	EXPECT("{'type': 'integer', 'maximum': 9007199254740993}",
	    { "9007199254740993", "" },
	    { "9007199254740994", " out-of-range {'max':9007199254740993}" });
	EXPECT("{'type': 'integer', 'minimum': -9223372036854775807}",
	    { "-9223372036854775807", "" },
	    { "-9223372036854775808",
		" out-of-range {'min':-9223372036854775807}" });
	EXPECT("{'type': 'integer', 'format': 'int32', 'minimum': 1}",
	    { "2147483647", "" },
	    { "2147483648", " out-of-range {'max':2147483647,'min':1}" });
	EXPECT("{'type': 'integer', 'maximum': 2.5}", { "2", "" },
	    { "3", " out-of-range {'max':2.5}" });
}

static void
test_alternatives(void **state)
{
	(void)state;
	EXPECT(
	    "{'oneOf': [{'type': 'null'}, {'type': 'object',"
	    " 'required': ['a'], 'properties': {'a': {'type': 'integer'}}}]}",
	    { "null", "" }, { "{'a': 1}", "" },
	    { "{'a': 'x'}", "/a type {'expected':'integer'}" },
	    { "{}", "/a required" }, { "'x'", " no-alternative" });
	EXPECT("{'oneOf': [{'type': 'object', 'required': ['kind', 'n'],"
	       "  'properties': {'kind': {'const': 'a'},"
	       "   'n': {'type': 'integer'}}},"
	       " {'type': 'object', 'required': ['kind', 's'],"
	       "  'properties': {'kind': {'const': 'b'},"
	       "   's': {'type': 'string'}}}]}",
	    { "{'kind': 'a', 'n': 1}", "" },
	    { "{'kind': 'b', 's': 1}", "/s type {'expected':'string'}" },
	    { "{'kind': 'c'}", " no-alternative" },
	    { "{'n': 1}", " no-alternative" });
	/* Exactly one, and at least one. */
	EXPECT("{'oneOf': [{'type': 'integer'}, {'type': 'number'}]}",
	    { "1.5", "" }, { "1", " no-alternative" });
	EXPECT("{'anyOf': [{'type': 'integer'}, {'type': 'number'}]}",
	    { "1.5", "" }, { "1", "" }, { "''", " no-alternative" });
	EXPECT("{'allOf': [{'required': ['a']}, {'required': ['b']}],"
	       " 'type': 'object'}",
	    { "{'a': 1, 'b': 1}", "" }, { "{}", "/a required; /b required" });
}

/* A tree of any depth, and one node that is wrong deep down. */
static void
test_recursion(void **state)
{
	static const char text[] =
	    "{'components': {'schemas': {'Node': {'type': 'object',"
	    " 'additionalProperties': false, 'properties': {"
	    " 'name': {'$ref': '#/components/schemas/Name', 'maxLength': 2},"
	    " 'children': {'type': 'array', 'maxItems': 9,"
	    "  'items': {'$ref': '#/components/schemas/Node'}}}},"
	    " 'Name': {'type': 'string', 'minLength': 1}}}}";
	static const struct example examples[] = {
		{ "{'name': 'a', 'children': [{'children': []}]}", "" },
		{ "{'children': [{}, {'children': [{'name': ''},"
		  " {'name': 'abc'}, {'nmae': 1}]}]}",
		    "/children/1/children/0/name too-short {'min':1};"
		    " /children/1/children/1/name too-long {'max':2};"
		    " /children/1/children/2/nmae unknown-field" },
	};
	const struct schema *schema, *again;
	json_t *document, *node;
	size_t i;

	(void)state;
	document = parse(text);
	node = json_object_get(json_object_get(json_object_get(document,
						   "components"),
				   "schemas"),
	    "Node");
	schema = schema_compile(document, node, "/x", stderr);
	assert_non_null(schema);
	again = schema_compile(document, node, "/y", stderr);
	assert_ptr_equal(schema, again);
	for (i = 0; i < 2; i++)
		expect_fault(schema, &examples[i], false);
	json_decref(document);
	schema_forget();
}

static void
test_base(void **state)
{
	const struct schema *schema;
	struct arena *arena;
	struct problem *problem;
	json_t *document, *value;
	char *faults;

	(void)state;
	schema = compile("{'type': 'array', 'items': {'type': 'string'}}",
	    &document);
	arena = arena_new(1024);
	problem = problem_new(arena, "validation-failed");
	value = parse("[1]");
	assert_false(schema_check(schema, value, "/body", problem));
	faults = faults_of(problem);
	assert_string_equal(faults, "/body/0 type {'expected':'string'}");
	free(faults);
	arena_free(arena);
	json_decref(value);
	json_decref(document);
	schema_forget();
}

static void
test_texts(void **state)
{
	(void)state;
	EXPECT_TEXT("{'type': 'integer', 'minimum': 1, 'maximum': 200}",
	    { "50", "" }, { "0", "p out-of-range {'max':200,'min':1}" },
	    { "99999999999999999999", "p out-of-range {'max':200,'min':1}" },
	    { "", "p type {'expected':'integer'}" },
	    { "05", "p type {'expected':'integer'}" },
	    { "+5", "p type {'expected':'integer'}" },
	    { "5.0", "p type {'expected':'integer'}" },
	    { "5 ", "p type {'expected':'integer'}" });
	EXPECT_TEXT("{'type': 'number', 'maximum': 2}", { "1.5", "" },
	    { "-1e3", "" }, { "2", "" }, { "2.1", "p out-of-range {'max':2}" },
	    { "0x1", "p type {'expected':'number'}" },
	    { "nan", "p type {'expected':'number'}" },
	    { " 1", "p type {'expected':'number'}" },
	    { "1]", "p type {'expected':'number'}" });
	EXPECT_TEXT("{'type': 'boolean'}", { "true", "" }, { "false", "" },
	    { "1", "p type {'expected':'boolean'}" },
	    { "True", "p type {'expected':'boolean'}" });
	EXPECT_TEXT("{'type': 'string', 'maxLength': 2}", { "12", "" },
	    { "true", "p too-long {'max':2}" }, { "督导", "" });
	EXPECT_TEXT("{'type': ['integer', 'null']}", { "7", "" },
	    { "null", "p type {'expected':'integer'}" });
	EXPECT_TEXT("{'type': ['integer', 'string'], 'maximum': 5}",
	    { "7", "p out-of-range {'max':5}" }, { "x", "" });
	EXPECT_TEXT("{'enum': ['open', 'closed']}", { "open", "" },
	    { "Open", "p not-in-enum {'allowed':['open','closed']}" });
	EXPECT_TEXT("{'allOf': [{'type': 'integer'}]}", { "7", "" },
	    { "x", "p type {'expected':'integer'}" });
}

static void
test_does_not_compile(void **state)
{
	static const struct {
		const char *schema;
		const char *message;
	} cases[] = {
		{ "[]", "/: a schema is a mapping" },
		{ "{'type': 'text'}", "/type: not a type" },
		{ "{'type': []}", "/type: not a type" },
		{ "{'type': ['string', 'string']}", "/type: not a type" },
		{ "{'type': 5}", "/type: not a type" },
		{ "{'if': {}}", "/if: keyword if is not supported" },
		{ "{'nullable': true}", "keyword nullable" },
		{ "{'properties': {'a/b': {'maxLenght': 5}}}",
		    "/properties/a~1b/maxLenght: keyword maxLenght" },
		{ "{'type': 'integer', 'maxLength': 5}",
		    "/maxLength: maxLength has no meaning" },
		{ "{'type': 'string', 'maximum': 5}", "no meaning" },
		{ "{'maxLength': -1}", "/maxLength: not an integer" },
		{ "{'maxLength': '5'}", "/maxLength: not an integer" },
		{ "{'maxLength': 4294967295}", "/maxLength: not an integer" },
		/* Each of two that say the same is named. */
		{ "{'properties': {'a': {'type': 'text'},"
		  " 'b': {'type': 'text'}}}",
		    "/properties/b/type: not a type" },
		{ "{'minLength': 5, 'maxLength': 4}", "minLength is over" },
		{ "{'minItems': 5, 'maxItems': 4}", "minItems is over" },
		{ "{'minimum': 5, 'maximum': 4}", "minimum is over" },
		{ "{'minimum': '5'}", "/minimum: not a number" },
		{ "{'multipleOf': 0}", "/multipleOf: not a number over 0" },
		{ "{'uniqueItems': true}", "uniqueItems without maxItems" },
		{ "{'type': 'array'}", "items is missing" },
		{ "{'items': [{}]}", "/items: a schema is a mapping" },
		{ "{'pattern': '('}", "/pattern: missing closing" },
		{ "{'pattern': 5}", "/pattern: not a text" },
		{ "{'type': 'string', 'format': 'ipv4'}",
		    "/format: format ipv4 is not supported" },
		{ "{'type': 'integer', 'format': 'date'}", "for strings" },
		{ "{'type': 'string', 'format': 'int32'}", "int32 is not" },
		{ "{'enum': []}", "/enum: enum is a list" },
		{ "{'type': 'string', 'enum': ['a', 1]}",
		    "/enum: value 1 is not of the type" },
		{ "{'type': 'string', 'enum': ['a', null]}", "value 1" },
		{ "{'enum': [1], 'const': 1}", "enum and const together" },
		{ "{'properties': []}", "/properties: not a mapping" },
		{ "{'required': 'a'}", "/required: not a list" },
		{ "{'required': [1]}", "/required: not a list of names" },
		{ "{'required': ['a'], 'additionalProperties': false,"
		  " 'properties': {'b': {}}}",
		    "/: required a is not among the properties" },
		{ "{'additionalProperties': 5}",
		    "/additionalProperties: a schema is a mapping" },
		{ "{'oneOf': []}", "/oneOf: not a list of schemas" },
		{ "{'oneOf': [{}, {'x': 1}]}", "/oneOf/1/x: keyword x" },
		{ "{'$ref': '#/components/schemas/X'}",
		    "/$ref: $ref #/components/schemas/X leads nowhere" },
		{ "{'$ref': 'x.yaml'}", "x.yaml leads nowhere" },
		{ "{'allOf': [{'$ref': '#/components/a'}],"
		  " 'x-y': 0, 'title': ''}",
		    "leads nowhere" },
	};
	json_t *document;
	FILE *stream;
	char *errors;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		document = parse(cases[i].schema);
		stream = open_memstream(&errors, &len);
		if (schema_compile(document, document, "", stream) != NULL)
			fail_msg("compiles: %s", cases[i].schema);
		fclose(stream);
		if (strstr(errors, cases[i].message) == NULL)
			fail_msg("%s gave %s", cases[i].schema, errors);
		free(errors);
		/* The second time it is known to be broken. */
		assert_null(schema_compile(document, document, "", stderr));
		json_decref(document);
		schema_forget();
	}
}

/* A needs B needs A, of the same value: no check would come to an end. */
static void
test_circle(void **state)
{
	static const char text[] =
	    "{'components': {"
	    "'A': {'allOf': [{'$ref': '#/components/B'}]},"
	    "'B': {'oneOf': [{'type': 'null'}, {'$ref': '#/components/A'}]},"
	    "'C': {'properties': {'x': {'$ref': '#/components/A'}}}}}";
	json_t *document;
	FILE *stream;
	char *errors;
	size_t len;

	(void)state;
	document = parse(text);
	stream = open_memstream(&errors, &len);
	assert_null(schema_compile(document,
	    json_object_get(json_object_get(document, "components"), "C"), "/c",
	    stream));
	fclose(stream);
	assert_non_null(strstr(errors, "/c: needs itself"));
	free(errors);
	json_decref(document);
	schema_forget();
}

/* Neither a pattern nor a long list may hold a worker up. */
static void
test_bounded(void **state)
{
	const struct schema *schema;
	json_t *document, *value;
	char *text;
	clock_t start;
	int i;

	(void)state;
	start = clock();
	schema = compile("{'type': 'string', 'pattern': '^(a+)+$'}", &document);
	text = malloc(40001);
	memset(text, 'a', 40000);
	text[39999] = 'b';
	text[40000] = '\0';
	value = json_string(text);
	assert_false(schema_check(schema, value, "", NULL));
	json_decref(value);
	json_decref(document);
	free(text);

	schema = compile("{'type': 'array', 'maxItems': 100000,"
			 " 'uniqueItems': true, 'items': {'type': 'integer'}}",
	    &document);
	value = json_array();
	for (i = 0; i < 100000; i++)
		json_array_append_new(value, json_integer(i));
	assert_true(schema_check(schema, value, "", NULL));
	json_array_append_new(value, json_integer(0));
	assert_false(schema_check(schema, value, "", NULL));
	json_decref(value);
	json_decref(document);
	schema_forget();
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static int
set_up(void **state)
{
	json_t *catalogue;

	catalogue = yaml_load_file("openapi/problems.yaml", stderr);
	*state = catalogue;
	return (catalogue != NULL && problem_load(catalogue, stderr) ? 0 : 1);
}

static int
tear_down(void **state)
{
	json_decref(*state);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_does_not_compile),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_bounded),
	};

	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
