/*
 * test_log.c -- lines as they arrive on fd 2, which is a pipe here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "base/parse.h"

#define PIPE_LEN (1 << 20)

static int saved_stderr, read_end;
static char text[PIPE_LEN + 1];

static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(fds, O_NONBLOCK) != 0)
		return (-1);
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPE_LEN);
	(void)dup2(fds[1], STDERR_FILENO);
	(void)close(fds[1]);
	read_end = fds[0];
	log_set_level(LOG_LEVEL_INFO);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(read_end);
	return (0);
}

/* All that has been written since the last call. */
static size_t
drain(void)
{
	size_t len;
	ssize_t n;

	for (len = 0; len < PIPE_LEN; len += (size_t)n)
		if ((n = read(read_end, text + len, PIPE_LEN - len)) <= 0)
			break;
	text[len] = '\0';
	return (len);
}

static json_t *
drain_line(void)
{
	json_t *line;
	size_t len;

	len = drain();
	assert_true(len > 0);
	assert_int_equal(text[len - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	return (line);
}

static const char *
member(json_t *line, const char *name)
{
	return (json_string_value(json_object_get(line, name)));
}

static void
test_line(void **state)
{
	struct logline line;
	struct tm tm;
	json_t *json;
	const char *at;
	char now[32];
	time_t seconds;

	(void)state;
	seconds = time(NULL);
	log_begin(&line, LOG_LEVEL_WARN, "database-connected");
	log_str(&line, "host", "a\"b\n督");
	log_strn(&line, "part", "abcdef", 3);
	log_str(&line, "none", NULL);
	log_int(&line, "low", INT64_MIN);
	log_end(&line);

	json = drain_line();
	assert_memory_equal(text,
	    "{\"event\":\"database-connected\",\"at\":", 35);
	assert_string_equal(member(json, "level"), "warn");
	assert_string_equal(member(json, "host"), "a\"b\n督");
	assert_string_equal(member(json, "part"), "abc");
	assert_true(json_is_null(json_object_get(json, "none")));
	assert_true(
	    json_integer_value(json_object_get(json, "low")) == INT64_MIN);
	assert_int_equal(json_integer_value(json_object_get(json, "pid")),
	    getpid());
	at = member(json, "at");
	assert_true(parse_is_datetime(at, strlen(at)));
	assert_int_equal(strlen(at), 24);
	/* The same day as the C library says, and to two seconds. */
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S", &tm);
	if (strncmp(at, now, 19) != 0) {
		seconds++;
		(void)gmtime_r(&seconds, &tm);
		(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_memory_equal(at, now, 19);
	}
	json_decref(json);
}

static void
test_level(void **state)
{
	struct logline line;

	(void)state;
	log_begin(&line, LOG_LEVEL_DEBUG, "quiet");
	log_str(&line, "key", "value");
	log_int(&line, "n", 1);
	log_end(&line);
	log_begin(&line, LOG_LEVEL_DEBUG, "quiet");
	log_end_later(&line);
	log_flush();
	assert_int_equal(drain(), 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_DEBUG, "loud", NULL, NULL);
	json_decref(drain_line());
}

/* Whatever the lengths, a line is whole JSON of at most LOG_LINE_MAX. */
static void
test_long_values_are_cut(void **state)
{
	struct logline line;
	json_t *json;
	char *value;
	const char *cut;
	size_t i, len, pad;

	(void)state;
	value = malloc(30001);
	assert_non_null(value);
	for (i = 0; i < 30000; i += 3)
		memcpy(value + i, "督", 3);
	value[30000] = '\0';
	for (pad = 0; pad < 6; pad++) {
		log_begin(&line, LOG_LEVEL_INFO, "long");
		log_strn(&line, "pad", "xxxxxx", pad);
		log_str(&line, "value", value);
		log_str(&line, "after", "dropped or empty");
		log_int(&line, "number", 123456);
		log_end(&line);
		json = drain_line();
		assert_true(strlen(text) <= LOG_LINE_MAX);
		assert_true(strlen(text) > LOG_LINE_MAX - 16);
		cut = member(json, "value");
		len = strlen(cut);
		assert_int_equal(len % 3, 0);
		assert_memory_equal(cut, value, len);
		json_decref(json);
	}
	/* Escapes are six times as long as their bytes. */
	memset(value, 1, 30000);
	log_event(LOG_LEVEL_INFO, "long", "value", value);
	json_decref(drain_line());
	free(value);
}

static void
test_later(void **state)
{
	struct logline line;
	size_t i, lines;
	char *at;

	(void)state;
	for (i = 0; i < 3; i++) {
		log_begin(&line, LOG_LEVEL_INFO, "request");
		log_int(&line, "i", (int64_t)i);
		log_end_later(&line);
	}
	assert_int_equal(drain(), 0);
	log_flush();
	(void)drain();
	for (lines = 0, at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 3);
	/* 64 KiB fill up long before 2,000 lines: none is lost or cut. */
	for (i = 0; i < 2000; i++) {
		log_begin(&line, LOG_LEVEL_INFO, "request");
		log_int(&line, "i", (int64_t)i);
		log_end_later(&line);
	}
	assert_true(drain() > 65536);
	for (lines = 0, at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	log_flush();
	(void)drain();
	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_values_are_cut,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
