/*
 * metrics.c -- one slot a worker in a shared mapping. Each worker writes
 * only its own slot; any worker adds them up.
 *
 * Before metrics_init() and metrics_attach() counting does nothing, so that
 * modules can be tested alone.
 */
#include <sys/mman.h>

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/metrics.h"

#define CACHE_LINE 64

static const uint64_t bounds_us[] = { 1000, 2000, 5000, 10000, 20000, 50000,
	100000, 200000, 500000, 1000000, 2000000, 5000000 };

#define BOUND_COUNT (sizeof(bounds_us) / sizeof(bounds_us[0]))

/* A line of its own for each worker: no false sharing. */
struct slot {
	_Alignas(CACHE_LINE) _Atomic uint64_t values[METRIC_COUNT];
	_Atomic uint64_t buckets[BOUND_COUNT + 1]; /* last: +Inf */
};

struct family {
	enum metric metric;
	const char *name;
	const char *labels; /* NULL if none */
	const char *type;
	const char *help; /* NULL: belongs to the family above */
};

/* The histogram is written apart. */
static const struct family families[] = {
	{ METRIC_REQUESTS_2XX, "dudao_http_requests_total", "{class=\"2xx\"}",
	    "counter", "Answered requests." },
	{ METRIC_REQUESTS_3XX, "dudao_http_requests_total", "{class=\"3xx\"}",
	    NULL, NULL },
	{ METRIC_REQUESTS_4XX, "dudao_http_requests_total", "{class=\"4xx\"}",
	    NULL, NULL },
	{ METRIC_REQUESTS_5XX, "dudao_http_requests_total", "{class=\"5xx\"}",
	    NULL, NULL },
	{ METRIC_CONNECTIONS_ACCEPTED, "dudao_connections_accepted_total", NULL,
	    "counter", "Accepted client connections." },
	{ METRIC_CONNECTIONS_REFUSED_HEAD, "dudao_heads_refused_total", NULL,
	    "counter", "Request heads that the guard refused." },
	{ METRIC_DB_JOBS, "dudao_db_jobs_total", NULL, "counter",
	    "Jobs given to the database." },
	{ METRIC_DB_ERRORS, "dudao_db_errors_total", NULL, "counter",
	    "Jobs that the database failed." },
	{ METRIC_DB_RECONNECTS, "dudao_db_reconnects_total", NULL, "counter",
	    "Database connections that were made again." },
	{ METRIC_DB_QUEUE_FULL, "dudao_db_queue_full_total", NULL, "counter",
	    "Jobs refused because the queue was full." },
	{ METRIC_TOKEN_CACHE_HIT, "dudao_token_cache_total", "{result=\"hit\"}",
	    "counter", "Tokens looked up among the verified ones." },
	{ METRIC_TOKEN_CACHE_MISS, "dudao_token_cache_total",
	    "{result=\"miss\"}", NULL, NULL },
	{ METRIC_WORKER_STARTS, "dudao_worker_starts_total", NULL, "counter",
	    "Starts of worker processes." },
	{ METRIC_G_CONNECTIONS, "dudao_connections", NULL, "gauge",
	    "Open client connections." },
	{ METRIC_G_REQUESTS, "dudao_requests_running", NULL, "gauge",
	    "Requests that are being answered." },
	{ METRIC_G_DB_QUEUE, "dudao_db_queue", NULL, "gauge",
	    "Jobs that wait for a database connection." },
	{ METRIC_G_DB_CONNECTIONS, "dudao_db_connections", NULL, "gauge",
	    "Usable database connections." },
	{ METRIC_G_DB_IN_FLIGHT, "dudao_db_in_flight", NULL, "gauge",
	    "Jobs sent to the database and not answered." },
};

#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

static void render_histogram(struct buf *);
static void put_seconds(struct buf *, uint64_t);

static struct slot *slots; /* shared by all processes */
static struct slot *mine;

void
metrics_init(void)
{
	void *page;

	page = mmap(NULL, METRICS_WORKERS_MAX * sizeof(*slots),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		abort();
	slots = page;
}

void
metrics_attach(unsigned slot)
{
	int metric;

	assert(slots != NULL && slot < METRICS_WORKERS_MAX);
	mine = &slots[slot];
	/* What the worker before had open died with it. */
	for (metric = METRIC_G_CONNECTIONS; metric < METRIC_COUNT; metric++)
		metric_set((enum metric)metric, 0);
}

void
metric_add(enum metric metric, uint64_t n)
{
	if (mine != NULL)
		(void)atomic_fetch_add_explicit(&mine->values[metric], n,
		    memory_order_relaxed);
}

void
metric_set(enum metric metric, uint64_t value)
{
	if (mine != NULL)
		atomic_store_explicit(&mine->values[metric], value,
		    memory_order_relaxed);
}

void
metric_observe_request_us(uint64_t duration_us)
{
	size_t i;

	if (mine == NULL)
		return;
	for (i = 0; i < BOUND_COUNT && duration_us > bounds_us[i]; i++)
		continue;
	(void)atomic_fetch_add_explicit(&mine->buckets[i], 1,
	    memory_order_relaxed);
	metric_add(METRIC_REQUEST_SECONDS_SUM_US, duration_us);
}

uint64_t
metric_sum(enum metric metric)
{
	uint64_t sum;
	size_t i;

	if (slots == NULL)
		return (0);
	for (sum = i = 0; i < METRICS_WORKERS_MAX; i++)
		sum += atomic_load_explicit(&slots[i].values[metric],
		    memory_order_relaxed);
	return (sum);
}

void
metrics_render(struct buf *out)
{
	const struct family *family;
	size_t i;

	for (i = 0; i < FAMILY_COUNT; i++) {
		family = &families[i];
		if (family->help != NULL)
			buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n",
			    family->name, family->help, family->name,
			    family->type);
		buf_printf(out, "%s%s %" PRIu64 "\n", family->name,
		    family->labels == NULL ? "" : family->labels,
		    metric_sum(family->metric));
	}
	render_histogram(out);
}

/* Buckets are cumulative in this format. */
static void
render_histogram(struct buf *out)
{
	const char *name = "dudao_http_request_duration_seconds";
	uint64_t count;
	size_t bucket, i;

	buf_printf(out,
	    "# HELP %s Time from a request's head to its answer.\n"
	    "# TYPE %s histogram\n",
	    name, name);
	count = 0;
	for (bucket = 0; bucket <= BOUND_COUNT; bucket++) {
		for (i = 0; slots != NULL && i < METRICS_WORKERS_MAX; i++)
			count += atomic_load_explicit(&slots[i].buckets[bucket],
			    memory_order_relaxed);
		buf_printf(out, "%s_bucket{le=\"", name);
		if (bucket < BOUND_COUNT)
			put_seconds(out, bounds_us[bucket]);
		else
			buf_puts(out, "+Inf");
		buf_printf(out, "\"} %" PRIu64 "\n", count);
	}
	buf_printf(out, "%s_sum ", name);
	put_seconds(out, metric_sum(METRIC_REQUEST_SECONDS_SUM_US));
	buf_printf(out, "\n%s_count %" PRIu64 "\n", name, count);
}

/* Exact, without a locale: 1500 -> 0.0015. */
static void
put_seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%" PRIu64, us / 1000000);
	if (us % 1000000 == 0)
		return;
	buf_printf(out, ".%06" PRIu64, us % 1000000);
	while (out->data[out->len - 1] == '0')
		out->len--;
}
