/*
 * test_uuid.c -- form, order and difference of new ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/parse.h"
#include "base/uuid.h"

static void
test_form_and_time(void **state)
{
	char id[UUID_TEXT_SIZE], hex[13];
	long long ms, now_ms;

	(void)state;
	uuid_v7(id);
	now_ms = (long long)time(NULL) * 1000;
	assert_true(parse_is_uuid(id, strlen(id)));
	assert_int_equal(id[14], '7');
	assert_non_null(strchr("89ab", id[19]));
	assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
	memcpy(hex, id, 8);
	memcpy(hex + 8, id + 9, 4);
	hex[12] = '\0';
	ms = strtoll(hex, NULL, 16);
	assert_true(ms > now_ms - 2000 && ms < now_ms + 2000);
}

static void
test_order_and_difference(void **state)
{
	const struct timespec two_ms = { 0, 2000000 };
	char a[UUID_TEXT_SIZE], b[UUID_TEXT_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		uuid_v7(a);
		(void)nanosleep(&two_ms, NULL);
		uuid_v7(b);
		assert_true(strcmp(a, b) < 0);
		/* The random half differs too. */
		assert_string_not_equal(a + 19, b + 19);
	}
}

static void
test_random_bytes(void **state)
{
	unsigned char a[1000], b[1000];
	size_t i, zeros;

	(void)state;
	memset(a, 0, sizeof(a));
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (zeros = i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0 ? 1 : 0;
	assert_true(zeros < 50);
	random_bytes(a, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_and_time),
		cmocka_unit_test(test_order_and_difference),
		cmocka_unit_test(test_random_bytes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
