/*
 * test_jsonmem.c -- values of the region are as any other, and all go at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/jsonmem.h"

static void
test_values_are_as_any_other_after_the_end(void **state)
{
	json_t *root, *kept;
	char *text;

	(void)state;
	jsonmem_begin();
	root = json_pack("{s:s, s:[i, i], s:{s:n}}", "a", "甲", "b", 1, 2, "c",
	    "d");
	jsonmem_end();
	assert_non_null(root);
	kept = json_deep_copy(json_object_get(root, "b"));
	assert_int_equal(json_object_del(root, "b"), 0);
	assert_int_equal(json_object_set_new(root, "e", json_string("乙")), 0);
	text = json_dumps(root, JSON_COMPACT);
	assert_string_equal(text,
	    "{\"a\":\"甲\",\"c\":{\"d\":null},\"e\":\"乙\"}");
	free(text);
	jsonmem_drop(root);

	text = json_dumps(kept, JSON_COMPACT);
	assert_string_equal(text, "[1,2]");
	free(text);
	json_decref(kept);
}

static void
test_the_last_drop_is_the_one_that_counts(void **state)
{
	json_t *first, *second;

	(void)state;
	jsonmem_begin();
	first = json_string("first");
	jsonmem_begin();
	second = json_string("second");
	jsonmem_end();
	jsonmem_end();
	jsonmem_drop(second);
	assert_string_equal(json_string_value(first), "first");
	jsonmem_drop(first);
}

/* More than one step of the region. */
static void
test_many_values(void **state)
{
	json_t *list;
	int i;

	(void)state;
	jsonmem_begin();
	list = json_array();
	for (i = 0; i < 200000; i++)
		assert_int_equal(json_array_append_new(list, json_integer(i)),
		    0);
	jsonmem_end();
	assert_int_equal(json_integer_value(json_array_get(list, 199999)),
	    199999);
	jsonmem_drop(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_as_any_other_after_the_end),
		cmocka_unit_test(test_the_last_drop_is_the_one_that_counts),
		cmocka_unit_test(test_many_values),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
