/*
 * fuzz_yaml.c -- any text as YAML. What is read can be written as JSON and
 * read by jansson to the same value; places hold for every container.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "contract/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static FILE *nowhere;
	struct yaml_places *places;
	const char *file;
	json_t *root, *again;
	char *text;
	size_t line;

	if (nowhere == NULL && (nowhere = fopen("/dev/null", "w")) == NULL)
		abort();
	places = yaml_places_new();
	root =
	    yaml_parse((const char *)data, len, "fuzz.yaml", places, nowhere);
	if (root != NULL) {
		text = json_dumps(root, JSON_ENCODE_ANY);
		if (text == NULL)
			abort();
		again = json_loads(text,
		    JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		if (!json_equal(root, again))
			abort();
		/* An alias at the root cannot be: it has no anchor. */
		if ((json_is_object(root) || json_is_array(root)) &&
		    (!yaml_places_find(places, root, &file, &line) ||
			line == 0))
			abort();
		free(text);
		json_decref(again);
	}
	json_decref(root);
	yaml_places_free(places);
	return (0);
}
