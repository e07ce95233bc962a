/*
 * test_csv.c -- JSON rows become CSV lines; files become cells; bytes become
 * UTF-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/charset.h"
#include "contract/csv.h"

static const struct csv_columns columns = { .names = { "a", "b", "c" },
	.count = 3 };

static void
line_is(const char *json, const char *expected)
{
	struct buf out;

	buf_init(&out);
	assert_true(csv_put_line(&out, &columns, json, strlen(json)));
	buf_putc(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_fini(&out);
}

static void
lines(void **state)
{
	(void)state;
	line_is("{\"a\":1,\"b\":\"x\",\"c\":null}", "1,x,\r\n");
	line_is("{ \"c\" : 3 , \"z\" : {\"a\":9} , \"a\" : 92.35 }",
	    "92.35,,3\r\n");
	line_is("{\"a\":-1.50,\"b\":\"-1\",\"c\":true}", "-1.50,'-1,true\r\n");
	line_is("{\"a\":\"=A1\",\"b\":\"a=b\",\"c\":\"\\t@\"}",
	    "'=A1,a=b,'\t@\r\n");
	line_is("{\"a\":\"q\\\"x\",\"b\":\"1,2\",\"c\":\"m\\nn\"}",
	    "\"q\"\"x\",\"1,2\",\"m\nn\"\r\n");
	line_is("{\"a\":[1, 2],\"b\":{\"k\" : \"v w\"},\"c\":[]}",
	    "\"[1,2]\",\"{\"\"k\"\":\"\"v w\"\"}\",\"[]\"\r\n");
	line_is("{\"a\":\"\\u4e2d\\u00e9\",\"b\":\"\\ud83d\\ude00\","
		"\"c\":\"\\ud83d\"}",
	    "中é,😀,\xef\xbf\xbd\r\n");
	line_is("{}", ",,\r\n");
}

static void
no_objects(void **state)
{
	static const char *const texts[] = { "", "[1]", "{\"a\"", "{\"a\":1",
		"{\"a" };
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(
		    csv_put_line(&out, &columns, texts[i], strlen(texts[i])));
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void
cells_are(const char *text, const char *expected)
{
	struct csv_place place;
	struct buf out;

	buf_init(&out);
	assert_int_equal(csv_read(text, strlen(text), &out, &place), CSV_OK);
	buf_putc(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_fini(&out);
}

static void
cells(void **state)
{
	(void)state;
	cells_are("", "[]");
	cells_are("a,b\r\n1,2\r\n", "[[1,\"a\",\"b\"],\n[2,\"1\",\"2\"]]");
	cells_are("a\r1\r", "[[1,\"a\"],\n[2,\"1\"]]");
	/* Rows without text are counted, not told. */
	cells_are("a\n\n,,\n\"\"\n1", "[[1,\"a\"],\n[5,\"1\"]]");
	cells_are("a,,c,\n,,,x,,", "[[1,\"a\",\"\",\"c\"],\n"
				   "[2,\"\",\"\",\"\",\"x\"]]");
	cells_are("\"a,\"\"b\"\"\r\nc\",d\n",
	    "[[1,\"a,\\\"b\\\"\\r\\nc\",\"d\"]]");
	cells_are("a;b\n1;\"2;3\"", "[[1,\"a\",\"b\"],\n[2,\"1\",\"2;3\"]]");
	cells_are("a\tb\n=1+1\t 2 ",
	    "[[1,\"a\",\"b\"],\n[2,\"=1+1\",\" 2 \"]]");
	/* A quote inside is text, as spreadsheets take it. */
	cells_are("5\" pipe,x", "[[1,\"5\\\" pipe\",\"x\"]]");
}

static void
fault_is(const char *text, size_t len, enum csv_result result, size_t row,
    size_t column)
{
	struct csv_place place;
	struct buf out;

	buf_init(&out);
	assert_int_equal(csv_read(text, len, &out, &place), result);
	assert_int_equal(place.row, row);
	assert_int_equal(place.column, column);
	buf_fini(&out);
}

static void
faults(void **state)
{
	char wide[CSV_COLUMNS_MAX + 1];

	(void)state;
	fault_is("a,b\n1,\"2\n", 9, CSV_QUOTE, 2, 2);
	fault_is("\"a\"b\n", 5, CSV_QUOTE, 1, 1);
	fault_is("a\0b", 3, CSV_NUL, 0, 0);
	memset(wide, ',', sizeof(wide));
	fault_is(wide, CSV_COLUMNS_MAX - 1, CSV_OK, 0, 0);
	fault_is(wide, CSV_COLUMNS_MAX, CSV_WIDE, 1, CSV_COLUMNS_MAX + 1);
}

static void
decodes(const char *declared, const char *text, enum charset_result result,
    const char *name, const char *expected)
{
	const char *found;
	struct buf out;
	size_t bad_at;

	buf_init(&out);
	assert_int_equal(charset_decode(declared,
			     declared == NULL ? 0 : strlen(declared), text,
			     strlen(text), &out, &found, &bad_at),
	    result);
	if (result == CHARSET_OK) {
		assert_string_equal(found, name);
		buf_putc(&out, '\0');
		assert_string_equal(out.data, expected);
	}
	buf_fini(&out);
}

static void
charsets(void **state)
{
	(void)state;
	assert_true(charset_init());
	decodes(NULL, "姓名", CHARSET_OK, "utf-8", "姓名");
	decodes(NULL, "\xef\xbb\xbf姓名", CHARSET_OK, "utf-8", "姓名");
	decodes(NULL, "\xd0\xd5\xc3\xfb", CHARSET_OK, "gb18030", "姓名");
	decodes("GBK", "\xd0\xd5\xc3\xfb", CHARSET_OK, "gb18030", "姓名");
	/* The mark goes before the declaration. */
	decodes("gbk", "\xef\xbb\xbf姓", CHARSET_OK, "utf-8", "姓");
	decodes("utf-8", "\xd0\xd5\xc3\xfb", CHARSET_BAD_BYTES, NULL, NULL);
	decodes(NULL, "a\xff", CHARSET_BAD_BYTES, NULL, NULL);
	decodes("utf-8", "\xc0\x80", CHARSET_BAD_BYTES, NULL, NULL);
	decodes("utf-8", "\xed\xa0\x80", CHARSET_BAD_BYTES, NULL, NULL);
	decodes("utf-8", "\xf4\x90\x80\x80", CHARSET_BAD_BYTES, NULL, NULL);
	decodes("big5", "a", CHARSET_UNKNOWN, NULL, NULL);
	decodes(NULL, "\xff\xfe\x31", CHARSET_UNKNOWN, NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(no_objects),
		cmocka_unit_test(cells),
		cmocka_unit_test(faults),
		cmocka_unit_test(charsets),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
