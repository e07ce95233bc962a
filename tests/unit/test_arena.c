/*
 * test_arena.c -- alignment, growth, order of the callbacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static char order[8];
static size_t order_len;

static void
on_free(void *ptr)
{
	order[order_len++] = *(char *)ptr;
}

static void
test_alignment_and_growth(void **state)
{
	struct arena *arena;
	unsigned char *pieces[300];
	size_t i, len;

	(void)state;
	arena = arena_new(64);
	for (i = 0; i < 300; i++) {
		len = i * 7 % 1500;
		pieces[i] = arena_alloc(arena, len);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t),
		    0);
		memset(pieces[i], (int)(i & 0xff), len);
	}
	/* Nobody wrote over his neighbour. */
	for (i = 0; i < 300; i++)
		for (len = 0; len < i * 7 % 1500; len++)
			assert_int_equal(pieces[i][len], i & 0xff);
	arena_free(arena);
}

static void
test_zero_and_large(void **state)
{
	struct arena *arena;
	unsigned char *large;
	size_t i;

	(void)state;
	arena = arena_new(0);
	assert_non_null(arena_alloc(arena, 0));
	large = arena_zalloc(arena, 3000000);
	for (i = 0; i < 3000000; i += 4096)
		assert_int_equal(large[i], 0);
	arena_free(arena);
	arena_free(NULL);
}

static void
test_copies(void **state)
{
	struct arena *arena;
	char *text;

	(void)state;
	arena = arena_new(16);
	assert_string_equal(arena_strdup(arena, "督导"), "督导");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(arena, NULL, 0), "");
	text = arena_printf(arena, "%s-%05d", "WT", 124);
	assert_string_equal(text, "WT-00124");
	assert_int_equal(strlen(arena_printf(arena, "%5000s", "x")), 5000);
	arena_free(arena);
}

static void
test_callbacks_run_in_reverse(void **state)
{
	struct arena *arena;

	(void)state;
	arena = arena_new(32);
	order_len = 0;
	/* The callbacks look at memory of the arena itself. */
	arena_on_free(arena, on_free, arena_strdup(arena, "1"));
	arena_on_free(arena, on_free, arena_strdup(arena, "2"));
	arena_on_free(arena, on_free, arena_strdup(arena, "3"));
	assert_int_equal(order_len, 0);
	arena_free(arena);
	assert_int_equal(order_len, 3);
	assert_memory_equal(order, "321", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment_and_growth),
		cmocka_unit_test(test_zero_and_large),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_callbacks_run_in_reverse),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
