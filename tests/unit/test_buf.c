/*
 * test_buf.c -- growth, integers at their limits, JSON strings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
assert_buf(const struct buf *buf, const char *expected)
{
	assert_int_equal(buf->len, strlen(expected));
	assert_memory_equal(buf->data, expected, buf->len);
}

static void
assert_json(const char *text, size_t len, const char *expected)
{
	struct buf buf;

	buf_init(&buf);
	buf_json_string(&buf, text, len);
	assert_buf(&buf, expected);
	buf_fini(&buf);
}

static void
test_append_and_take(void **state)
{
	struct buf buf;
	char *data;
	size_t i, len;

	(void)state;
	buf_init(&buf);
	buf_append(&buf, NULL, 0);
	assert_null(buf.data);
	for (i = 0; i < 100000; i++)
		buf_putc(&buf, (char)('a' + i % 26));
	assert_int_equal(buf.len, 100000);
	assert_true(buf.cap < 4 * buf.len);
	for (i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	data = buf_take(&buf, &len);
	assert_int_equal(len, 100000);
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
	free(data);
	buf_puts(&buf, "again");
	assert_buf(&buf, "again");
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
}

static void
test_printf_grows_exactly(void **state)
{
	struct buf buf;
	size_t i;

	(void)state;
	/* The NUL of vsnprintf must fit at every fill of the buffer. */
	for (i = 250; i < 260; i++) {
		buf_init(&buf);
		buf_printf(&buf, "%*s|", (int)i, "x");
		assert_int_equal(buf.len, i + 1);
		assert_int_equal(buf.data[i], '|');
		buf_fini(&buf);
	}
}

static void
test_int_limits(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf);
	buf_int(&buf, 0);
	buf_putc(&buf, ' ');
	buf_int(&buf, INT64_MAX);
	buf_putc(&buf, ' ');
	buf_int(&buf, INT64_MIN);
	buf_putc(&buf, ' ');
	buf_int(&buf, -7);
	assert_buf(&buf, "0 9223372036854775807 -9223372036854775808 -7");
	buf_fini(&buf);
}

static void
test_json_escapes(void **state)
{
	(void)state;
	assert_json("", 0, "\"\"");
	assert_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	assert_json("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	assert_json("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
	assert_json("督导", 6, "\"督导\"");
	assert_json("\xf0\x9f\x8f\xab", 4, "\"\xf0\x9f\x8f\xab\"");
}

static void
test_json_repairs_utf8(void **state)
{
	(void)state;
	assert_json("\xff", 1, "\"\xef\xbf\xbd\"");
	/* A character that is cut off: one mark for each byte. */
	assert_json("a\xe7\x9d", 3, "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	/* CESU surrogate, over-long slash. */
	assert_json("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_json("\xffz", 2, "\"\xef\xbf\xbdz\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_take),
		cmocka_unit_test(test_printf_grows_exactly),
		cmocka_unit_test(test_int_limits),
		cmocka_unit_test(test_json_escapes),
		cmocka_unit_test(test_json_repairs_utf8),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
