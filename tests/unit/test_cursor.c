/*
 * test_cursor.c -- a cursor comes back as it was, and nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "contract/base64url.h"
#include "contract/cursor.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096);
	cursor_set_secret("0123456789abcdef0123456789abcdef", 32);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static void
comes_back(void **state)
{
	struct cursor in = { .is_backward = true,
		.value_count = 3,
		.values = { "2026-11-01", "", "督导〔2026〕5号" } };
	struct cursor out;
	char *text;

	(void)state;
	text = cursor_seal(arena, &in, "listZones|state=open|u1");
	assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789-_"),
	    strlen(text));
	assert_int_equal(cursor_open(arena, text, "listZones|state=open|u1",
			     &out),
	    CURSOR_OK);
	assert_true(out.is_backward);
	assert_int_equal(out.value_count, 3);
	assert_string_equal(out.values[0], "2026-11-01");
	assert_string_equal(out.values[1], "");
	assert_string_equal(out.values[2], "督导〔2026〕5号");
	in.is_backward = false;
	in.value_count = 0;
	text = cursor_seal(arena, &in, "");
	assert_int_equal(cursor_open(arena, text, "", &out), CURSOR_OK);
	assert_false(out.is_backward);
	assert_int_equal(out.value_count, 0);
}

static void
tells_foreign_from_forged(void **state)
{
	struct cursor in = { .value_count = 2, .values = { "a", "b" } };
	struct cursor out;
	char *text, *copy;
	size_t i, len;

	(void)state;
	text = cursor_seal(arena, &in, "one");
	len = strlen(text);
	assert_int_equal(cursor_open(arena, text, "two", &out),
	    CURSOR_MISMATCH);
	assert_int_equal(cursor_open(arena, text, "", &out), CURSOR_MISMATCH);
	for (i = 0; i < len; i++) {
		copy = arena_strdup(arena, text);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(cursor_open(arena, copy, "one", &out),
		    CURSOR_BAD);
		assert_int_equal(cursor_open(arena,
				     arena_strndup(arena, text, i), "one",
				     &out),
		    CURSOR_BAD);
	}
	assert_int_equal(cursor_open(arena, arena_printf(arena, "%sA", text),
			     "one", &out),
	    CURSOR_BAD);
	assert_int_equal(cursor_open(arena, arena_printf(arena, "%s=", text),
			     "one", &out),
	    CURSOR_BAD);
	cursor_set_secret("another secret of thirty-two bytes", 34);
	assert_int_equal(cursor_open(arena, text, "one", &out), CURSOR_BAD);
	cursor_set_secret("0123456789abcdef0123456789abcdef", 32);
	copy = arena_alloc(arena, 40001);
	memset(copy, 'A', 40000);
	copy[40000] = '\0';
	assert_int_equal(cursor_open(arena, copy, "one", &out), CURSOR_BAD);
}

/* RFC 4648 section 10, and one text for each value only. */
static void
base64url_is_strict(void **state)
{
	static const struct {
		const char *bytes, *text;
	} good[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "-_8" },
	};
	static const char *const bad[] = { "Z", "Zh", "Zg==", "Zg=", "Zm9",
		"Zm9v\n", " Zm9v", "+_8A", "/_8A", "Zm9vY" };
	char out[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		len = strlen(good[i].bytes);
		assert_int_equal(BASE64URL_LEN(len), strlen(good[i].text));
		assert_int_equal(base64url_encode(good[i].bytes, len, out),
		    strlen(good[i].text));
		assert_string_equal(out, good[i].text);
		assert_int_equal(base64url_decode(good[i].text,
				     strlen(good[i].text), out),
		    len);
		assert_memory_equal(out, good[i].bytes, len);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), out),
		    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(tells_foreign_from_forged),
		cmocka_unit_test(base64url_is_strict),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
