/*
 * test_parse.c -- what the readers of outside text take and refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"

/* Exactly len bytes on the heap: reading beyond them is a fault. */
static char *
exact(const char *text, size_t len)
{
	char *copy;

	copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, text, len);
	return (copy);
}

static bool
check(bool (*fn)(const char *, size_t), const char *text)
{
	char *copy;
	bool result;

	copy = exact(text, strlen(text));
	result = fn(copy, strlen(text));
	free(copy);
	return (result);
}

static bool
check_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *copy;
	bool result;

	copy = exact(text, strlen(text));
	result = parse_int64(copy, strlen(text), min, max, out);
	free(copy);
	return (result);
}

static void
assert_decoded(const char *text, bool is_query, const char *expected)
{
	char *copy, *out;
	int64_t len;

	copy = exact(text, strlen(text));
	out = malloc(strlen(text) + 1);
	assert_non_null(out);
	len = parse_percent_decode(copy, strlen(text), is_query, out);
	if (expected == NULL)
		assert_int_equal(len, -1);
	else {
		assert_int_equal(len, strlen(expected));
		assert_string_equal(out, expected);
	}
	free(copy);
	free(out);
}

static void
test_int64(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "01",
		"00", "-0", "-01", "1.0", "1e3", "0x10", "1\n", "１",
		"9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "99999999999999999999999" };
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = 42;
		if (check_int(bad[i], INT64_MIN, INT64_MAX, &value))
			fail_msg("taken: \"%s\"", bad[i]);
		assert_int_equal(value, 42);
	}
	assert_true(check_int("0", 0, 0, &value));
	assert_int_equal(value, 0);
	assert_true(check_int("9223372036854775807", 0, INT64_MAX, &value));
	assert_true(value == INT64_MAX);
	assert_true(check_int("-9223372036854775808", INT64_MIN, 0, &value));
	assert_true(value == INT64_MIN);
	assert_true(check_int("1", 1, 200, &value));
	assert_true(check_int("200", 1, 200, &value));
	assert_false(check_int("0", 1, 200, &value));
	assert_false(check_int("201", 1, 200, &value));
	assert_int_equal(value, 200);
}

static void
test_uuid(void **state)
{
	(void)state;
	assert_true(
	    check(parse_is_uuid, "0193a5c0-7f3e-7abc-8def-0123456789ab"));
	assert_true(
	    check(parse_is_uuid, "0193A5C0-7F3E-7ABC-8DEF-0123456789AB"));
	assert_false(check(parse_is_uuid, ""));
	assert_false(
	    check(parse_is_uuid, "0193a5c0-7f3e-7abc-8def-0123456789a"));
	assert_false(
	    check(parse_is_uuid, "0193a5c0-7f3e-7abc-8def-0123456789abc"));
	assert_false(
	    check(parse_is_uuid, "0193a5c0-7f3e-7abc-8def-0123456789ag"));
	assert_false(
	    check(parse_is_uuid, "0193a5c07-f3e-7abc-8def-0123456789ab"));
	assert_false(
	    check(parse_is_uuid, "{193a5c0-7f3e-7abc-8def-0123456789a}"));
}

static void
test_date(void **state)
{
	static const char *const good[] = { "1900-01-01", "9999-12-31",
		"2024-02-29", "2000-02-29", "2026-04-30" };
	static const char *const bad[] = { "", "2026-02-29", "1900-02-29",
		"2100-02-29", "2024-02-30", "2026-04-31", "2026-00-10",
		"2026-13-10", "2026-01-00", "2026-01-32", "1899-12-31",
		"26-01-01", "2026-1-1", "2026/01/01", "2026-01-01 ",
		"2026-01-0x", "-026-01-01", "10000-01-01" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!check(parse_is_date, good[i]))
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (check(parse_is_date, bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void
test_datetime(void **state)
{
	static const char *const good[] = { "2026-11-01T00:00:00Z",
		"2026-11-01t23:59:59z", "2026-11-01T08:00:00.5+08:00",
		"2026-11-01T08:00:00.123456789-11:30", "2016-12-31T23:59:60Z",
		"2017-01-01T07:59:60+08:00", "2024-02-29T12:00:00+14:00" };
	static const char *const bad[] = { "", "2026-11-01",
		"2026-11-01T00:00:00", "2026-11-01 00:00:00Z",
		"2026-11-01T24:00:00Z", "2026-11-01T00:60:00Z",
		"2026-11-01T00:00:61Z", "2026-11-01T12:00:60Z",
		"2016-12-31T23:59:60+08:00", "2026-11-01T00:00:00.Z",
		"2026-11-01T00:00:00.1234567890Z", "2026-11-01T00:00Z",
		"2026-11-01T00:00:00+0800", "2026-11-01T00:00:00+08",
		"2026-11-01T00:00:00+16:00", "2026-11-01T00:00:00+08:60",
		"2026-11-01T00:00:00ZZ", "2026-02-29T00:00:00Z",
		"2026-11-01T00:00:00 08:00", "2026-11-01T00:00:00.123456" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!check(parse_is_datetime, good[i]))
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (check(parse_is_datetime, bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void
test_utf8(void **state)
{
	static const char *const good[] = { "", "a", "é", "督导",
		"\xf0\x9f\x8f\xab", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xc3", "\xe7\x9d", "\xf0\x9f\x8f", "a\xe7\x9d",
		"\xe7\x9dz", "\xf0\x9f\x8fz", "\xc3\xc3" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!check(parse_is_utf8, good[i]))
			fail_msg("refused: good[%zu]", i);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (check(parse_is_utf8, bad[i]))
			fail_msg("taken: bad[%zu]", i);
	assert_int_equal(parse_utf8_count("", 0), 0);
	assert_int_equal(parse_utf8_count("a督导\xf0\x9f\x8f\xab", 11), 4);
	assert_int_equal(parse_utf8_next("督导", 6), 3);
	assert_int_equal(parse_utf8_next("督", 2), 0);
	assert_int_equal(parse_utf8_next("", 0), 0);
}

static void
test_percent_decode(void **state)
{
	(void)state;
	assert_decoded("", false, "");
	assert_decoded("a%2Fb", false, "a/b");
	assert_decoded("a%2fb+c", false, "a/b+c");
	assert_decoded("a+b%2B", true, "a b+");
	assert_decoded("%E7%9D%A3%E5%AF%BC", true, "督导");
	assert_decoded("督", true, "督");
	assert_decoded("%25", true, "%");
	assert_decoded("%", true, NULL);
	assert_decoded("%2", true, NULL);
	assert_decoded("%2G", true, NULL);
	assert_decoded("%%41", true, NULL);
	assert_decoded("a%00b", true, NULL);
	assert_decoded("a%0Ab", true, NULL);
	assert_decoded("%7f", false, NULL);
	assert_decoded("a\tb", false, NULL);
	assert_decoded("%E7%9D", true, NULL);
	assert_decoded("%C0%AF", true, NULL);
	assert_decoded("%ED%A0%80", true, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int64),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_datetime),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_percent_decode),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
