/*
 * pgpool.c -- which connection takes a job, and what happens while none can.
 *
 * Never calls on_done from pgpool_submit(): what cannot be sent is queued,
 * and the queue is worked from the connections' events and from a timer.
 */
#include <kore/kore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "io/pgconn.h"
#include "io/pgpool.h"

#define TICK_MS 50
#define SLOW_MS 50  /* nothing is pipelined behind such a job */
#define PAUSE_MS 50 /* a crash ends all connections, one by one */
#define REASON_SIZE 256

/* Jobs that wait, by number. */
struct pgqueue {
	struct pgjob *first, *last;
};

struct pgpool {
	struct pgpool_options options;
	struct pgconn **conns;
	unsigned size;
	unsigned ready;
	uint64_t away_since_ms;	 /* while ready is 0 */
	uint64_t pause_until_ms; /* for jobs that lost a connection */
	struct pgqueue reads, writes;
	unsigned queued; /* in both */
	uint64_t next_number;
	bool awaits_turn_end;	  /* some connection is shared */
	char reason[REASON_SIZE]; /* told last */
	struct pgpool *next;
};

static void on_pgpool_up(struct pgconn *conn, void *arg);
static void on_pgpool_down(struct pgconn *conn, bool was_up, const char *reason,
    void *arg);
static void on_pgpool_job(struct pgconn *conn, struct pgjob *job,
    enum pgjob_verdict verdict, void *arg);
static void on_pgpool_turn(struct pgconn *conn, void *arg);
static void on_pgpool_tick(void *arg, u_int64_t now_ms);

static void pgpool_send(struct pgpool *pool, struct pgconn *conn,
    struct pgjob *job);
static void on_pgpool_turn_end(void *arg, u_int64_t now_ms);
static struct pgconn *pgpool_choose(struct pgpool *pool,
    const struct pgjob *job);
static bool keeps_writes_together(const struct pgpool *pool);
static struct pgqueue *queue_of(struct pgpool *pool, const struct pgjob *job);
static void pgpool_dispatch(struct pgpool *pool);
static bool pgpool_send_first(struct pgpool *pool, struct pgqueue *queue);
static void pgpool_expire(struct pgpool *pool, struct pgqueue *queue,
    uint64_t now_ms);
static void pgpool_enqueue(struct pgpool *pool, struct pgjob *job);
static struct pgjob *pgpool_dequeue(struct pgpool *pool, struct pgqueue *queue);
static void pgpool_give_up(struct pgjob *job);
static void pgpool_finish(struct pgjob *job);
static bool job_is_unanswered(const struct pgjob *job);
static void pgpool_gauges(void);

static const struct pgconn_owner pgpool_owner = { .on_up = on_pgpool_up,
	.on_down = on_pgpool_down,
	.on_job = on_pgpool_job,
	.on_turn = on_pgpool_turn };

static struct pgpool *pools; /* of this worker, for the gauges */

struct pgpool *
pgpool_new(const struct pgpool_options *options)
{
	struct pgconn_options conn_options = { .conninfo = options->conninfo,
		.session = { .application_name = options->application_name,
		    .statement_timeout_ms = options->statement_timeout_ms } };
	struct pgpool *pool;
	struct pgconn *conn;
	int i;

	if ((pool = calloc(1, sizeof(*pool))) == NULL ||
	    (pool->conns = calloc((size_t)options->size,
		 sizeof(*pool->conns))) == NULL)
		abort();
	pool->options = *options;
	pool->away_since_ms = kore_time_ms();
	for (i = 0; i < options->size; i++) {
		conn = pgconn_new(&conn_options, &pgpool_owner, pool);
		if (conn == NULL) {
			/* No reason to die: every answer will be 503. */
			log_event(LOG_LEVEL_ERROR,
			    "database-conninfo-malformed", "pool",
			    options->name);
			break;
		}
		pool->conns[pool->size++] = conn;
	}
	pool->next = pools;
	pools = pool;
	(void)kore_timer_add(on_pgpool_tick, TICK_MS, pool, 0);
	/* The others follow at the first tick: a dozen backends that begin at
	 * once would keep the first one waiting, and with it the start. */
	if (pool->size > 0)
		pgconn_tick(pool->conns[0], kore_time_ms());
	return (pool);
}

bool
pgpool_submit(struct pgpool *pool, struct pgjob *job)
{
	struct pgconn *conn = NULL;
	uint64_t now_ms = kore_time_ms();

	if (pool->ready == 0 && now_ms - pool->away_since_ms >
				    (uint64_t)pool->options.queue_wait_ms)
		return (false);
	if (queue_of(pool, job)->first == NULL)
		conn = pgpool_choose(pool, job);
	if (conn == NULL && pool->queued >= (unsigned)pool->options.queue_max) {
		metric_add(METRIC_DB_QUEUE_FULL, 1);
		return (false);
	}

	pgjob_start(job);
	job->pool = pool;
	job->number = pool->next_number++;
	job->queued_at_ms = now_ms;
	if (conn != NULL)
		pgpool_send(pool, conn, job);
	else
		pgpool_enqueue(pool, job);
	return (true);
}

bool
pgpool_is_ready(const struct pgpool *pool)
{
	return (pool->ready > 0);
}

void
pgpool_stats(const struct pgpool *pool, struct pgpool_stats *out)
{
	unsigned i;

	out->connected = pool->ready;
	out->queued = pool->queued;
	out->in_flight = 0;
	for (i = 0; i < pool->size; i++)
		out->in_flight += pgconn_in_flight(pool->conns[i]);
}

static void
on_pgpool_up(struct pgconn *conn, void *arg)
{
	struct pgpool *pool = arg;
	struct logline line;

	log_begin(&line, pool->ready == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	    "database-connected");
	log_str(&line, "pool", pool->options.name);
	log_str(&line, "host", pgconn_host(conn));
	log_end(&line);
	pool->reason[0] = '\0';
	pool->ready++;
}

/* One line for the end of a connection, and one for each new reason why none
 * can be made. */
static void
on_pgpool_down(struct pgconn *conn, bool was_up, const char *reason, void *arg)
{
	struct pgpool *pool = arg;
	struct logline line;
	size_t len;

	(void)conn;
	if (reason == NULL) {
		if (--pool->ready == 0)
			pool->away_since_ms = kore_time_ms();
		return;
	}
	len = strcspn(reason, "\n");
	if (was_up) {
		metric_add(METRIC_DB_RECONNECTS, 1);
		pool->pause_until_ms = kore_time_ms() + PAUSE_MS;
		if (--pool->ready == 0)
			pool->away_since_ms = kore_time_ms();
	} else if (pool->ready > 0 ||
		   (strncmp(pool->reason, reason, len) == 0 &&
		       pool->reason[len] == '\0')) {
		return;
	}
	if (len >= sizeof(pool->reason))
		len = sizeof(pool->reason) - 1;
	memcpy(pool->reason, reason, len);
	pool->reason[len] = '\0';

	log_begin(&line, LOG_LEVEL_WARN,
	    was_up ? "database-disconnected" : "database-connect-failed");
	log_str(&line, "pool", pool->options.name);
	log_str(&line, "reason", pool->reason);
	log_int(&line, "connections_left", pool->ready);
	log_end(&line);
}

static void
on_pgpool_job(struct pgconn *conn, struct pgjob *job,
    enum pgjob_verdict verdict, void *arg)
{
	struct pgpool *pool = arg;

	(void)conn;
	if (verdict == PGJOB_FINISHED) {
		pgpool_finish(job);
		return;
	}
	/* Sent from on_pgpool_turn(), which follows. */
	job->queued_at_ms = kore_time_ms();
	pgpool_enqueue(pool, job);
}

static void
on_pgpool_turn(struct pgconn *conn, void *arg)
{
	(void)conn;
	pgpool_dispatch(arg);
}

static void
on_pgpool_tick(void *arg, u_int64_t now_ms)
{
	struct pgpool *pool = arg;
	unsigned i;

	for (i = 0; i < pool->size; i++)
		pgconn_tick(pool->conns[i], now_ms);
	pgpool_dispatch(pool);
	pgpool_expire(pool, &pool->reads, now_ms);
	pgpool_expire(pool, &pool->writes, now_ms);
	pgpool_gauges();
}

/*
 * Requests are handled behind a turn's events and timers (worker.c:529), so a
 * timer that is due at once runs when this turn's jobs have been written.
 */
static void
pgpool_send(struct pgpool *pool, struct pgconn *conn, struct pgjob *job)
{
	pgconn_send(conn, job);
	if (!pgconn_is_shared(conn) || pool->awaits_turn_end)
		return;
	pool->awaits_turn_end = true;
	(void)kore_timer_add(on_pgpool_turn_end, 0, pool, KORE_TIMER_ONESHOT);
}

static void
on_pgpool_turn_end(void *arg, u_int64_t now_ms)
{
	struct pgpool *pool = arg;
	unsigned i;

	(void)now_ms;
	pool->awaits_turn_end = false;
	for (i = 0; i < pool->size; i++)
		pgconn_flush(pool->conns[i]);
}

/*
 * One whose transaction the job can join; an idle one, so that the commits of
 * several can share a flush; else the one with the fewest jobs, unless it is at
 * work on a long one: then waiting for whichever is free first is better.
 *
 * Of several alike reads take the first and writes the last: a backend that
 * was at the same work a moment ago has its plans in the processor's cache.
 *
 * A read goes behind no write as long as there is another connection, and
 * writes leave it one: a commit waits for the disk, which now and then takes
 * a hundred times as long as all that a read needs.
 */
static struct pgconn *
pgpool_choose(struct pgpool *pool, const struct pgjob *job)
{
	struct pgconn *conn;
	uint64_t now_ms = kore_time_ms();
	bool is_kept = !job->is_read_only && keeps_writes_together(pool);
	bool has_writes;
	unsigned i, at, load, best = pool->size, best_load = 0;

	for (i = 0; i < pool->size; i++) {
		at = job->is_read_only ? i : pool->size - 1 - i;
		conn = pool->conns[at];
		if (!pgconn_is_ready(conn))
			continue;
		load = pgconn_in_flight(conn);
		has_writes = pgconn_writes(conn) > 0;
		if (load >= (unsigned)pool->options.depth ||
		    pgconn_head_age_ms(conn, now_ms) > SLOW_MS ||
		    (is_kept && !has_writes))
			continue;
		if (job->may_share && pgconn_has_room(conn))
			return (conn);
		if (job->is_read_only && has_writes)
			load += (unsigned)pool->options.depth;
		if (best == pool->size || load < best_load) {
			best = at;
			best_load = load;
		}
	}
	if (best == pool->size)
		return (NULL);
	return (pool->conns[best]);
}

/* No more connections without a write than are for reads, one of four. */
static bool
keeps_writes_together(const struct pgpool *pool)
{
	unsigned i, without = 0, with = 0;

	for (i = 0; i < pool->size; i++) {
		if (!pgconn_is_ready(pool->conns[i]))
			continue;
		if (pgconn_writes(pool->conns[i]) > 0)
			with++;
		else
			without++;
	}
	return (with > 0 && without <= pool->size / 4);
}

static struct pgqueue *
queue_of(struct pgpool *pool, const struct pgjob *job)
{
	return (job->is_read_only ? &pool->reads : &pool->writes);
}

/* In order of submission, but for those that have to wait: then the other kind
 * goes on. */
static void
pgpool_dispatch(struct pgpool *pool)
{
	bool reads_wait = false, writes_wait = false;
	const struct pgjob *read, *write;

	for (;;) {
		read = reads_wait ? NULL : pool->reads.first;
		write = writes_wait ? NULL : pool->writes.first;
		if (read == NULL && write == NULL)
			return;
		if (write == NULL ||
		    (read != NULL && read->number < write->number))
			reads_wait = !pgpool_send_first(pool, &pool->reads);
		else
			writes_wait = !pgpool_send_first(pool, &pool->writes);
	}
}

/* false: it has to wait. */
static bool
pgpool_send_first(struct pgpool *pool, struct pgqueue *queue)
{
	struct pgconn *conn;
	struct pgjob *job = queue->first;

	if (job->is_abandoned) {
		pgpool_give_up(pgpool_dequeue(pool, queue));
		return (true);
	}
	if (job->is_second_conn && kore_time_ms() < pool->pause_until_ms)
		return (false);
	if ((conn = pgpool_choose(pool, job)) == NULL)
		return (false);
	pgpool_send(pool, conn, pgpool_dequeue(pool, queue));
	return (true);
}

/* on_done may submit, so the queue is taken apart first. */
static void
pgpool_expire(struct pgpool *pool, struct pgqueue *queue, uint64_t now_ms)
{
	struct pgjob *job, *next, *expired = NULL, **tail = &expired;

	job = queue->first;
	queue->first = queue->last = NULL;
	for (; job != NULL; job = next) {
		next = job->next;
		job->next = NULL;
		pool->queued--;
		if (job->is_abandoned ||
		    now_ms > job->queued_at_ms +
				 (uint64_t)pool->options.queue_wait_ms) {
			*tail = job;
			tail = &job->next;
		} else {
			pgpool_enqueue(pool, job);
		}
	}
	for (job = expired; job != NULL; job = next) {
		next = job->next;
		job->next = NULL;
		pgpool_give_up(job);
	}
}

/* By number: a job that is sent again goes before those that came later. */
static void
pgpool_enqueue(struct pgpool *pool, struct pgjob *job)
{
	struct pgqueue *queue = queue_of(pool, job);
	struct pgjob **at = &queue->first;

	pool->queued++;
	if (queue->last != NULL && queue->last->number < job->number)
		at = &queue->last->next;
	while (*at != NULL && (*at)->number < job->number)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	if (job->next == NULL)
		queue->last = job;
}

static struct pgjob *
pgpool_dequeue(struct pgpool *pool, struct pgqueue *queue)
{
	struct pgjob *job = queue->first;

	if ((queue->first = job->next) == NULL)
		queue->last = NULL;
	pool->queued--;
	job->next = NULL;
	return (job);
}

/* Of a job that waits to be sent again a part may have taken effect. */
static void
pgpool_give_up(struct pgjob *job)
{
	job->outcome = job->todo == (1u << job->step_count) - 1 ?
			   PGJOB_UNAVAILABLE :
			   PGJOB_LOST;
	pgpool_finish(job);
}

static void
pgpool_finish(struct pgjob *job)
{
	metric_add(METRIC_DB_JOBS, 1);
	if (job_is_unanswered(job))
		metric_add(METRIC_DB_ERRORS, 1);
	job->on_done(job, job->arg);
}

/* The world's fault, not the request's: lost, timed out, out of resources. */
static bool
job_is_unanswered(const struct pgjob *job)
{
	static const char *const classes[] = { "08", "53", "57", "58", "XX" };
	const char *state;
	size_t i;

	if (job->outcome == PGJOB_DONE || job->is_abandoned)
		return (false);
	if (job->outcome != PGJOB_FAILED ||
	    (state = pgjob_error_field(job, PG_DIAG_SQLSTATE)) == NULL)
		return (true);
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strncmp(state, classes[i], 2) == 0)
			return (true);
	}
	return (false);
}

static void
pgpool_gauges(void)
{
	struct pgpool *pool;
	struct pgpool_stats stats, sum = { 0, 0, 0 };

	for (pool = pools; pool != NULL; pool = pool->next) {
		pgpool_stats(pool, &stats);
		sum.connected += stats.connected;
		sum.in_flight += stats.in_flight;
		sum.queued += stats.queued;
	}
	metric_set(METRIC_G_DB_CONNECTIONS, sum.connected);
	metric_set(METRIC_G_DB_IN_FLIGHT, sum.in_flight);
	metric_set(METRIC_G_DB_QUEUE, sum.queued);
}
