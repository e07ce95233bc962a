/*
 * test_config.c -- defaults, ranges, and that nothing wrong passes in
 * silence. Runs in the repository's root: it reads conf/settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"

static char *text;

static int
set_up(void **state)
{
	(void)state;
	if (clearenv() != 0)
		return (-1);
	setenv("DUDAO_DATABASE_URL", "postgresql:///dudao", 1);
	setenv("DUDAO_KEYS", "/keys", 1);
	setenv("DUDAO_SECRET_FILE", "/secret", 1);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return (0);
}

/* What config_load() prints goes to text. */
static bool
load(void)
{
	FILE *errors;
	size_t len;
	bool result;

	free(text);
	errors = open_memstream(&text, &len);
	assert_non_null(errors);
	result = config_load(errors);
	(void)fclose(errors);
	assert_int_equal(result, len == 0);
	return (result);
}

static void
test_defaults(void **state)
{
	(void)state;
	setenv("DUDAO_POOL_SIZE", "", 1);
	assert_true(load());
	assert_string_equal(config_get()->database_url, "postgresql:///dudao");
	assert_string_equal(config_get()->issuer, "https://dudao.example");
	assert_string_equal(config_get()->cors_origins, "");
	assert_string_equal(config_get()->log_level, "info");
	assert_int_equal(config_get()->pool_size, 4);
	assert_int_equal(config_get()->slow_pool_size, 4);
	assert_int_equal(config_get()->pipeline_depth, 16);
	assert_int_equal(config_get()->queue_max, 500);
	assert_int_equal(config_get()->statement_timeout_ms, 5000);
	assert_int_equal(config_get()->count_timeout_ms, 1000);
	assert_int_equal(config_get()->access_token_s, 900);
	assert_int_equal(config_get()->drain_ms, 10000);
	assert_int_equal(config_get()->rate_limit, 6000);
	assert_int_equal(config_get()->public_rate_limit, 600);
	assert_int_equal(config_get()->body_max, 1048576);
}

static void
test_values_and_limits(void **state)
{
	(void)state;
	setenv("DUDAO_POOL_SIZE", "64", 1);
	setenv("DUDAO_DRAIN_MS", "0", 1);
	setenv("DUDAO_ENV", "test", 1);
	setenv("DUDAO_CORS_ORIGINS", "https://a.example https://b.example", 1);
	assert_true(load());
	assert_int_equal(config_get()->pool_size, 64);
	assert_int_equal(config_get()->drain_ms, 0);
	assert_string_equal(config_get()->environment, "test");
	setenv("DUDAO_POOL_SIZE", "65", 1);
	assert_false(load());
	assert_string_equal(text,
	    "DUDAO_POOL_SIZE: \"65\": allowed is 1 to 64\n");
}

static void
test_all_faults_at_once(void **state)
{
	(void)state;
	unsetenv("DUDAO_KEYS");
	setenv("DUDAO_QUEUE_MAX", "0", 1);
	setenv("DUDAO_RATE_LIMIT", "many", 1);
	setenv("DUDAO_LOG_LEVEL", "inf", 1);
	setenv("DUDAO_PORT", "65536", 1);
	setenv("DUDAO_POOLSIZE", "4", 1);
	setenv("DUDAO_", "4", 1);
	assert_false(load());
	assert_non_null(strstr(text, "DUDAO_KEYS: not set"));
	assert_non_null(strstr(text, "DUDAO_QUEUE_MAX: \"0\": allowed is 1 "
				     "to 900\n"));
	assert_non_null(strstr(text, "DUDAO_RATE_LIMIT: \"many\""));
	assert_non_null(strstr(text, "DUDAO_LOG_LEVEL: \"inf\": allowed is "
				     "debug info warn error\n"));
	assert_non_null(strstr(text, "DUDAO_PORT: \"65536\""));
	assert_non_null(strstr(text, "DUDAO_POOLSIZE: there is no such"));
	assert_non_null(strstr(text, "DUDAO_: there is no such"));
}

static void
test_foreign_variables_are_ignored(void **state)
{
	(void)state;
	setenv("PATH", "/bin", 1);
	setenv("XDUDAO_POOLSIZE", "4", 1);
	setenv("DUDAO_BIND", "::1", 1);
	setenv("DUDAO_DEMO", "", 1);
	assert_true(load());
}

static void
test_printed_table(void **state)
{
	FILE *out;
	size_t len;

	(void)state;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	config_print_table(out);
	(void)fclose(out);
	assert_non_null(strstr(text, "| `DUDAO_POOL_SIZE` | `4` | 1 to 64 |"));
	assert_non_null(strstr(text, "| `DUDAO_KEYS` | (required) | text |"));
	assert_non_null(
	    strstr(text, "| `DUDAO_ENV` | `demo` | demo production test |"));
	assert_non_null(strstr(text, "`DUDAO_PORT` | `8080` | 1 to 65535"));
}

/* The scripts' own list and the table name the same script settings. */
static void
test_settings_of_scripts_are_known(void **state)
{
	FILE *settings;
	char line[512], name[64], fallback[64], row[160];
	char *bar;
	size_t len, count;
	FILE *out;

	(void)state;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	config_print_table(out);
	(void)fclose(out);
	if ((settings = fopen("conf/settings", "r")) == NULL) {
		skip();
		return;
	}
	count = 0;
	while (fgets(line, sizeof(line), settings) != NULL) {
		if (line[0] == '#' || (bar = strchr(line, '|')) == NULL)
			continue;
		*bar = '\0';
		(void)snprintf(name, sizeof(name), "%.60s", line);
		(void)snprintf(fallback, sizeof(fallback), "%.*s",
		    (int)strcspn(bar + 1, "|"), bar + 1);
		(void)snprintf(row, sizeof(row), "| `%s` | %s%s%s |", name,
		    fallback[0] ? "`" : "", fallback, fallback[0] ? "`" : "");
		if (strstr(text, row) == NULL)
			fail_msg("config.c has no row %s", row);
		count++;
	}
	(void)fclose(settings);
	assert_true(count > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_values_and_limits, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_all_faults_at_once, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_foreign_variables_are_ignored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_printed_table, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_settings_of_scripts_are_known, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
