/*
 * pglisten.c -- LISTEN on a connection of its own, which carries nothing
 * else but a sign of life: a listener that is cut off silently would go on
 * trusting what it should have been told to forget.
 */
#include <kore/kore.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/pgconn.h"
#include "io/pgpool.h"

#define TICK_MS 50
#define PROBE_MS 10000	   /* between signs of life */
#define ANSWER_MS 5000	   /* statement_timeout; JOB_GRACE_MS comes on top */
#define CHANNEL_LEN_MAX 63 /* NAMEDATALEN - 1 */

struct pglisten {
	struct pgconn *conn;
	void (*on_notify)(const char *payload);
	void (*on_state)(bool is_listening);
	bool is_listening;
	bool is_busy; /* job is on its way */
	bool is_told; /* that connecting fails */
	uint64_t probe_at_ms;
	struct variant listen, probe;
	char text[CHANNEL_LEN_MAX + 16];
	struct pgjob job;
};

static void on_pglisten_up(struct pgconn *conn, void *arg);
static void on_pglisten_down(struct pgconn *conn, bool was_up,
    const char *reason, void *arg);
static void on_pglisten_job(struct pgconn *conn, struct pgjob *job,
    enum pgjob_verdict verdict, void *arg);
static void on_pglisten_turn(struct pgconn *conn, void *arg);
static void on_pglisten_notify(const char *payload, void *arg);
static void on_pglisten_tick(void *arg, u_int64_t now_ms);
static void pglisten_send(struct pglisten *listener,
    const struct variant *variant);
static void pglisten_log(enum log_level level, const char *event,
    const char *reason);

static const struct pgconn_owner pglisten_owner = { .on_up = on_pglisten_up,
	.on_down = on_pglisten_down,
	.on_job = on_pglisten_job,
	.on_turn = on_pglisten_turn,
	.on_notify = on_pglisten_notify };

void
pglisten_start(const char *conninfo, const char *channel,
    void (*on_notify)(const char *payload), void (*on_state)(bool is_listening))
{
	struct pgconn_options options = { .conninfo = conninfo,
		.session = { .application_name = "dudao listen",
		    .statement_timeout_ms = ANSWER_MS } };
	struct pglisten *listener;

	/* A name of this program's own: it becomes SQL. */
	assert(strlen(channel) <= CHANNEL_LEN_MAX &&
	       channel[strspn(channel, "abcdefghijklmnopqrstuvwxyz_")] == '\0');

	if ((listener = calloc(1, sizeof(*listener))) == NULL)
		abort();
	listener->on_notify = on_notify;
	listener->on_state = on_state;
	(void)snprintf(listener->text, sizeof(listener->text), "listen %s",
	    channel);
	listener->listen.text = listener->text;
	listener->listen.id = VARIANT_UNNAMED;
	listener->probe.text = "select 1";
	listener->probe.id = VARIANT_UNNAMED;
	listener->conn = pgconn_new(&options, &pglisten_owner, listener);
	if (listener->conn == NULL) {
		pglisten_log(LOG_LEVEL_ERROR, "database-conninfo-malformed",
		    NULL);
		free(listener);
		return;
	}
	(void)kore_timer_add(on_pglisten_tick, TICK_MS, listener, 0);
}

static void
on_pglisten_up(struct pgconn *conn, void *arg)
{
	struct pglisten *listener = arg;

	(void)conn;
	pglisten_send(listener, &listener->listen);
}

static void
on_pglisten_down(struct pgconn *conn, bool was_up, const char *reason,
    void *arg)
{
	struct pglisten *listener = arg;

	(void)conn;
	if (listener->is_listening) {
		listener->is_listening = false;
		listener->on_state(false);
	}
	/* Once until it listens again. */
	if (was_up || !listener->is_told)
		pglisten_log(LOG_LEVEL_WARN, "database-listen-lost", reason);
	listener->is_told = true;
}

/* Whatever has come of it, it is not sent again: the next one is new. */
static void
on_pglisten_job(struct pgconn *conn, struct pgjob *job,
    enum pgjob_verdict verdict, void *arg)
{
	struct pglisten *listener = arg;
	bool is_done;

	(void)conn;
	listener->is_busy = false;
	is_done = verdict == PGJOB_FINISHED && job->outcome == PGJOB_DONE;
	pgjob_clear(job);
	if (!is_done || listener->is_listening)
		return;
	listener->is_listening = true;
	listener->is_told = false;
	pglisten_log(LOG_LEVEL_INFO, "database-listening", NULL);
	listener->on_state(true);
}

static void
on_pglisten_turn(struct pgconn *conn, void *arg)
{
	(void)conn;
	(void)arg;
}

static void
on_pglisten_notify(const char *payload, void *arg)
{
	struct pglisten *listener = arg;

	listener->on_notify(payload);
}

static void
on_pglisten_tick(void *arg, u_int64_t now_ms)
{
	struct pglisten *listener = arg;

	pgconn_tick(listener->conn, now_ms);
	if (!pgconn_is_ready(listener->conn) || listener->is_busy ||
	    now_ms < listener->probe_at_ms)
		return;
	/* LISTEN once more where it was refused. */
	pglisten_send(listener,
	    listener->is_listening ? &listener->probe : &listener->listen);
}

static void
pglisten_send(struct pglisten *listener, const struct variant *variant)
{
	struct pgjob *job = &listener->job;

	listener->probe_at_ms = kore_time_ms() + PROBE_MS;
	listener->is_busy = true;
	memset(job, 0, sizeof(*job));
	job->step_count = 1;
	job->steps[0].variant = variant;
	pgjob_start(job);
	pgconn_send(listener->conn, job);
}

static void
pglisten_log(enum log_level level, const char *event, const char *reason)
{
	struct logline line;

	log_begin(&line, level, event);
	if (reason != NULL)
		log_strn(&line, "reason", reason, strcspn(reason, "\n"));
	log_end(&line);
}
