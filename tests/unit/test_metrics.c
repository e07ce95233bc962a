/*
 * test_metrics.c -- sums over processes, gauges after a restart, the text.
 */
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metrics.h"

static void
in_child(unsigned slot, uint64_t requests, uint64_t connections)
{
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		metrics_attach(slot);
		metric_add(METRIC_REQUESTS_2XX, requests);
		metric_add(METRIC_G_CONNECTIONS, connections);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
assert_line(const char *text, const char *line)
{
	const char *at;

	at = strstr(text, line);
	if (at == NULL || (at != text && at[-1] != '\n') ||
	    at[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in\n%s", line, text);
}

static void
test_before_init(void **state)
{
	(void)state;
	metric_add(METRIC_REQUESTS_2XX, 1);
	metric_observe_request_us(10);
	assert_int_equal(metric_sum(METRIC_REQUESTS_2XX), 0);
}

static void
test_workers_are_summed(void **state)
{
	(void)state;
	metrics_init();
	in_child(0, 3, 5);
	in_child(METRICS_WORKERS_MAX - 1, 4, 7);
	assert_int_equal(metric_sum(METRIC_REQUESTS_2XX), 7);
	assert_int_equal(metric_sum(METRIC_G_CONNECTIONS), 12);
	/* A restarted worker: counters go on, gauges begin again. */
	in_child(0, 10, 1);
	assert_int_equal(metric_sum(METRIC_REQUESTS_2XX), 17);
	assert_int_equal(metric_sum(METRIC_G_CONNECTIONS), 8);
}

static void
test_text(void **state)
{
	struct buf out;
	const char *name = "dudao_http_request_duration_seconds";
	char *at;
	size_t families;

	(void)state;
	metrics_attach(1);
	metric_observe_request_us(0);
	metric_observe_request_us(1000); /* le is inclusive */
	metric_observe_request_us(1001);
	metric_observe_request_us(5000001);
	metric_set(METRIC_G_DB_QUEUE, 9);
	buf_init(&out);
	metrics_render(&out);
	buf_putc(&out, '\0');
	assert_line(out.data, "dudao_http_requests_total{class=\"2xx\"} 17");
	assert_line(out.data, "# TYPE dudao_db_queue gauge");
	assert_line(out.data, "dudao_db_queue 9");
	assert_line(out.data,
	    "dudao_http_request_duration_seconds_bucket{le=\"0.001\"} 2");
	assert_line(out.data,
	    "dudao_http_request_duration_seconds_bucket{le=\"0.002\"} 3");
	assert_line(out.data,
	    "dudao_http_request_duration_seconds_bucket{le=\"5\"} 3");
	assert_line(out.data,
	    "dudao_http_request_duration_seconds_bucket{le=\"+Inf\"} 4");
	assert_line(out.data,
	    "dudao_http_request_duration_seconds_sum 5.002002");
	assert_line(out.data, "dudao_http_request_duration_seconds_count 4");
	assert_non_null(strstr(out.data, name));
	/* Each family is introduced once. */
	for (families = 0, at = out.data;
	     (at = strstr(at, "# TYPE dudao_http_requests_total")) != NULL;
	     at++)
		families++;
	assert_int_equal(families, 1);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_init),
		cmocka_unit_test(test_workers_are_summed),
		cmocka_unit_test(test_text),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
