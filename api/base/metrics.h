/*
 * metrics.h -- counters in one shared page, so that any worker can show the
 * sum over all (Prometheus text format 0.0.4).
 *
 * The parent maps the page before the workers are forked; a worker that is
 * restarted goes on with its slot's numbers. Counters are relaxed atomics.
 */
#ifndef DUDAO_BASE_METRICS_H
#define DUDAO_BASE_METRICS_H

#include <stdint.h>

#include "base/buf.h"

#define METRICS_WORKERS_MAX 64

enum metric {
	METRIC_REQUESTS_2XX,
	METRIC_REQUESTS_3XX,
	METRIC_REQUESTS_4XX,
	METRIC_REQUESTS_5XX,
	METRIC_REQUEST_SECONDS_SUM_US, /* microseconds; shown in seconds */
	METRIC_CONNECTIONS_ACCEPTED,
	METRIC_CONNECTIONS_REFUSED_HEAD,
	METRIC_DB_JOBS,
	METRIC_DB_ERRORS,
	METRIC_DB_RECONNECTS,
	METRIC_DB_QUEUE_FULL,
	METRIC_TOKEN_CACHE_HIT,
	METRIC_TOKEN_CACHE_MISS,
	METRIC_WORKER_STARTS,
	/* gauges: all behind this line */
	METRIC_G_CONNECTIONS,
	METRIC_G_REQUESTS,
	METRIC_G_DB_QUEUE,
	METRIC_G_DB_CONNECTIONS,
	METRIC_G_DB_IN_FLIGHT,
	METRIC_COUNT
};

/* In the parent, before fork. Aborts when there is no memory. */
void metrics_init(void);
/* In a worker; slot is 0-based and below METRICS_WORKERS_MAX. Gauges of the
 * slot become 0. */
void metrics_attach(unsigned slot);
void metric_add(enum metric metric, uint64_t n);
void metric_set(enum metric metric, uint64_t value);
/* Also adds to METRIC_REQUEST_SECONDS_SUM_US. Request duration histogram with
 * fixed buckets of 1, 2, 5, 10, 20, 50, 100, 200, 500 ms, 1, 2, 5 s. */
void metric_observe_request_us(uint64_t duration_us);
uint64_t metric_sum(enum metric metric);
/* Everything, summed over workers, with HELP and TYPE lines. */
void metrics_render(struct buf *out);

#endif
