/*
 * fuzz_schema.c -- the first half of the input is a document of schemas, the
 * second a value. A schema that compiles checks any value to an end; the
 * answer with and without a problem document is the same, and faults are
 * there exactly when it is no. Runs in the repository's root: it reads the
 * catalogue of problems.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"
#include "contract/openapi.h"
#include "contract/schema.h"
#include "contract/schema_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct schema *schema, json_t *value, const char *text, size_t len)
{
	struct arena *arena;
	struct problem *problem;
	struct buf out;
	bool is_good;

	arena = arena_new(4096);
	problem = problem_new(arena, "validation-failed");
	if (value != NULL)
		is_good = schema_check(schema, value, "", problem);
	else
		is_good =
		    schema_check_text(schema, text, len, "p", "query", problem);
	if (is_good != (problem_fault_count(problem) == 0))
		abort();
	if (value != NULL && schema_check(schema, value, "", NULL) != is_good)
		abort();
	buf_init(&out);
	problem_render(problem, LANG_EN, NULL, &out);
	buf_fini(&out);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static FILE *nowhere;
	const char *text, *value_text;
	const struct schema *schema;
	json_t *document, *value;
	size_t split;

	if (nowhere == NULL) {
		if ((nowhere = fopen("/dev/null", "w")) == NULL ||
		    !problem_load(yaml_load_file("openapi/problems.yaml",
				      stderr),
			stderr))
			abort();
	}
	text = (const char *)data;
	value_text = len > 0 ? memchr(text, '\n', len) : NULL;
	if (value_text == NULL)
		return (0);
	split = (size_t)(value_text++ - text);
	document = json_loadb(text, split, JSON_REJECT_DUPLICATES, NULL);
	value = json_loadb(value_text, len - split - 1, JSON_DECODE_ANY, NULL);
	schema = schema_compile(document, document, "", nowhere);
	if (schema != NULL)
		check(schema, value, value_text, len - split - 1);
	json_decref(document);
	json_decref(value);
	schema_forget();
	return (0);
}
