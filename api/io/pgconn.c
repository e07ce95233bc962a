/*
 * pgconn.c -- a connection's life: waiting → connecting → ready (→ broken)
 * → waiting. pgconn_retire() is the only way out, and gives every job back.
 *
 * Events are level-triggered, unlike Kore's own: libpq does not read until
 * EAGAIN, so with an edge the rest of a large result would stay unseen.
 */
#include <sys/epoll.h>

#include <assert.h>
#include <kore/kore.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "io/pgconn.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define STABLE_MS 1000	  /* up for so long: back-off starts anew */
#define JOB_GRACE_MS 5000 /* above what the server should have ended */
#define PREPARED_MAX 512  /* statements a connection */
/* Jobs in a transaction. The answers of all wait for the last one's, and
 * libpq must not send a part of them because its buffer is full (64 KiB). */
#define SHARERS_MAX 16
#define REASON_SIZE 256
/* libpq never gives back what its buffers have grown to: after a message as
 * large as this a connection that has nothing to do is made anew. */
#define SWOLLEN_LEN ((size_t)1 << 20)
#define SWOLLEN_IDLE_MS 1000

enum pgconn_state {
	PGCONN_WAITING,	   /* no socket; connects at retry_at_ms */
	PGCONN_CONNECTING, /* until deadline_ms */
	PGCONN_READY,
	PGCONN_BROKEN /* writing failed: to be read out and retired */
};

/* One variant's statement on this connection. */
struct prepared {
	uint16_t generation; /* part of the name: an outdated one stays */
	bool is_sent;	     /* its Parse has been written */
};

struct pgconn {
	struct kore_event evt; /* first: Kore casts */
	enum pgconn_state state;
	PGconn *pg;
	int mask; /* what epoll watches, when READY */
	const struct pgconn_owner *owner;
	void *owner_arg;
	struct pginfo *info;
	int64_t statement_timeout_ms;
	/* In flight, in the order of the answers. */
	struct pgjob *head, *last;
	unsigned in_flight;
	unsigned writes;  /* of them */
	unsigned sharers; /* the newest jobs, whose Sync is still to come */
	uint64_t head_since_ms;
	bool is_swollen; /* has carried a message of SWOLLEN_LEN */
	bool is_held;	 /* libpq may have rows that nobody took: a pause */
	enum pgjob_end end;
	/* By variant id. */
	struct prepared *prepared;
	size_t prepared_cap;
	unsigned prepared_count;
	/* Connecting. */
	uint64_t retry_at_ms, deadline_ms, ready_at_ms;
	unsigned attempts; /* failed ones, in a row */
	char last_words[REASON_SIZE];
};

static void on_pgconn_event(void *arg, int has_error);
static void on_pgconn_notice(void *arg, const PGresult *notice);

static void pgconn_connect(struct pgconn *conn, uint64_t now_ms);
static void pgconn_poll(struct pgconn *conn, PostgresPollingStatusType);
static void pgconn_establish(struct pgconn *conn);
static void pgconn_arm(struct pgconn *conn, int mask);
static void pgconn_retire(struct pgconn *conn, const char *reason);
static void pgconn_renew(struct pgconn *conn, uint64_t now_ms);
static uint64_t pgconn_backoff_ms(unsigned attempts);
static void pgconn_give_back(struct pgconn *conn, struct pgjob *head,
    enum pgjob_end end);

static void pgconn_read(struct pgconn *conn);
static bool pgconn_consume(struct pgconn *conn);
static const char *pgconn_drain(struct pgconn *conn);
static void pgconn_begin_stream(struct pgconn *conn);
static void pgconn_hand_out(struct pgconn *conn, struct pgjob *job,
    const PGresult *rows);
static bool pgconn_is_paused(const struct pgconn *conn);
static void pgconn_tend_stream(struct pgconn *conn, uint64_t now_ms);
static const char *pgconn_take(struct pgconn *conn, PGresult *owned_result);
static void pgconn_keep_words(struct pgconn *conn, const char *words);
static void pgconn_forget(struct pgconn *conn, const struct pgjob *job,
    const struct pgop *op);
static void pgconn_end_transaction(struct pgconn *conn);
static void pgconn_notifies(struct pgconn *conn);

static bool pgconn_can_join(struct pgconn *conn, const struct pgjob *job);
static void pgconn_end_shared(struct pgconn *conn);
static bool pgconn_write(struct pgconn *conn, struct pgjob *job);
static bool pgconn_write_op(struct pgconn *conn, struct pgjob *job,
    const struct pgop *op);
static void pgconn_plan(struct pgconn *conn, struct pgjob *job);
static struct prepared *pgconn_prepared(struct pgconn *conn, uint32_t id);
static void statement_name_of(uint32_t id, const struct prepared *entry,
    char out[32]);
static void *must_have(void *ptr);

struct pgconn *
pgconn_new(const struct pgconn_options *options,
    const struct pgconn_owner *owner, void *arg)
{
	struct pgconn *conn;
	struct pginfo *info;

	if ((info = pginfo_new(options->conninfo, &options->session)) == NULL)
		return (NULL);
	conn = must_have(calloc(1, sizeof(*conn)));
	conn->evt.type = KORE_TYPE_PGSQL_CONN;
	conn->evt.handle = on_pgconn_event;
	conn->state = PGCONN_WAITING;
	conn->owner = owner;
	conn->owner_arg = arg;
	conn->info = info;
	conn->statement_timeout_ms = options->session.statement_timeout_ms;
	return (conn);
}

bool
pgconn_is_ready(const struct pgconn *conn)
{
	return (conn->state == PGCONN_READY);
}

unsigned
pgconn_in_flight(const struct pgconn *conn)
{
	return (conn->in_flight);
}

unsigned
pgconn_writes(const struct pgconn *conn)
{
	return (conn->writes);
}

const char *
pgconn_host(const struct pgconn *conn)
{
	const char *host;

	host = conn->state == PGCONN_READY ? PQhost(conn->pg) : NULL;
	return (host != NULL ? host : "");
}

uint64_t
pgconn_head_age_ms(const struct pgconn *conn, uint64_t now_ms)
{
	if (conn->head == NULL || now_ms < conn->head_since_ms)
		return (0);
	return (now_ms - conn->head_since_ms);
}

void
pgconn_send(struct pgconn *conn, struct pgjob *job)
{
	assert(conn->state == PGCONN_READY);

	pgconn_plan(conn, job);
	job->is_joined = pgconn_can_join(conn, job);
	if (!job->is_joined || !pgconn_has_room(conn))
		pgconn_end_shared(conn);
	else
		pgjob_join(job, conn->last);

	job->next = NULL;
	job->conn = conn;
	if (conn->head == NULL) {
		conn->head = job;
		conn->head_since_ms = kore_time_ms();
	} else {
		conn->last->next = job;
	}
	conn->last = job;
	conn->in_flight++;
	if (!job->is_read_only)
		conn->writes++;

	pgop_first(job, &job->op);
	if (!pgconn_write(conn, job))
		conn->state = PGCONN_BROKEN;
	else if (job->is_joined)
		conn->sharers++;
	else
		pgconn_flush(conn);
}

bool
pgconn_is_shared(const struct pgconn *conn)
{
	return (conn->sharers > 0);
}

/* What is answered already has been sent: that transaction is not open. */
bool
pgconn_has_room(const struct pgconn *conn)
{
	return (conn->sharers > 0 && conn->sharers < SHARERS_MAX &&
		conn->last->op.kind != PGOP_SYNC);
}

/* Never waits: what the socket does not take goes at its EPOLLOUT. */
void
pgconn_flush(struct pgconn *conn)
{
	int left;

	if (conn->state != PGCONN_READY)
		return;
	pgconn_end_shared(conn);
	if ((left = PQflush(conn->pg)) == -1)
		conn->state = PGCONN_BROKEN;
	else
		pgconn_arm(conn, (left == 1 ? EPOLLOUT : 0) |
				     (pgconn_is_paused(conn) ? 0 : EPOLLIN));
}

void
pgjob_pause(struct pgjob *job)
{
	job->is_paused = true;
}

/* What libpq has read already is taken at the next tick, or with the next
 * bytes: mostly these are waiting. */
void
pgjob_resume(struct pgjob *job)
{
	job->is_paused = false;
	if (job->conn != NULL)
		pgconn_flush(job->conn);
}

void
pgconn_tick(struct pgconn *conn, uint64_t now_ms)
{
	int64_t timeout_ms;

	switch (conn->state) {
	case PGCONN_WAITING:
		if (now_ms >= conn->retry_at_ms)
			pgconn_connect(conn, now_ms);
		break;
	case PGCONN_CONNECTING:
		if (now_ms < conn->deadline_ms)
			break;
		pginfo_rotate(conn->info);
		pgconn_retire(conn, "connect timeout");
		break;
	case PGCONN_READY:
		if (conn->head == NULL) {
			if (conn->is_swollen &&
			    now_ms > conn->head_since_ms + SWOLLEN_IDLE_MS)
				pgconn_renew(conn, now_ms);
			break;
		}
		if (conn->head->on_row != NULL) {
			pgconn_tend_stream(conn, now_ms);
			if (conn->state != PGCONN_READY || conn->head == NULL)
				break;
		}
		timeout_ms = conn->head->timeout_ms > 0 ?
				 conn->head->timeout_ms :
				 conn->statement_timeout_ms;
		timeout_ms *= (int64_t)conn->head->step_count;
		if (timeout_ms > 0 && pgconn_head_age_ms(conn, now_ms) >
					  (uint64_t)timeout_ms + JOB_GRACE_MS)
			pgconn_retire(conn, "no answer");
		break;
	case PGCONN_BROKEN:
		/* The server's last words may explain it. */
		pgconn_read(conn);
		conn->owner->on_turn(conn, conn->owner_arg);
		break;
	}
}

/* has_error comes with data too (EPOLLRDHUP): reading tells, so read. */
static void
on_pgconn_event(void *arg, int has_error)
{
	struct pgconn *conn = arg;

	conn->evt.flags &= ~(KORE_EVENT_READ | KORE_EVENT_WRITE);

	switch (conn->state) {
	case PGCONN_WAITING:
		/* Closed earlier in the same batch. */
		return;
	case PGCONN_CONNECTING:
		pgconn_poll(conn, PQconnectPoll(conn->pg));
		break;
	case PGCONN_READY:
		/* Nothing was asked for: this is its end. Left alone, a
		 * level-triggered event would come back at once. */
		if (has_error && pgconn_is_paused(conn)) {
			pgconn_retire(conn, "ended in the middle of a stream");
			break;
		}
		pgconn_read(conn);
		break;
	case PGCONN_BROKEN:
		pgconn_read(conn);
		break;
	}
	conn->owner->on_turn(conn, conn->owner_arg);
}

/*
 * Notices are for people at psql; libpq would print them. But a FATAL that
 * comes while no job is in flight arrives as one as well: the end of the
 * stream follows, and a job sent before it would be of unknown outcome.
 */
static void
on_pgconn_notice(void *arg, const PGresult *notice)
{
	struct pgconn *conn = arg;

	if (!pgresult_is_fatal(notice))
		return;
	pgconn_keep_words(conn, PQresultErrorMessage(notice));
	if (conn->state == PGCONN_READY)
		conn->state = PGCONN_BROKEN;
}

static void
pgconn_connect(struct pgconn *conn, uint64_t now_ms)
{
	conn->state = PGCONN_CONNECTING;
	conn->deadline_ms =
	    now_ms + (uint64_t)pginfo_connect_timeout_ms(conn->info);
	conn->end = PGJOB_END_BROKEN;
	conn->is_swollen = conn->is_held = false;
	conn->last_words[0] = '\0';
	conn->pg = must_have(PQconnectStartParams(pginfo_keywords(conn->info),
	    pginfo_values(conn->info), 0));
	(void)PQsetNoticeReceiver(conn->pg, on_pgconn_notice, conn);
	pgconn_poll(conn, PQstatus(conn->pg) == CONNECTION_BAD ?
			      PGRES_POLLING_FAILED :
			      PGRES_POLLING_WRITING);
}

/* The socket may be another one after every step (next host, no SSL). */
static void
pgconn_poll(struct pgconn *conn, PostgresPollingStatusType status)
{
	if (status == PGRES_POLLING_OK)
		pgconn_establish(conn);
	else if (status == PGRES_POLLING_FAILED || PQsocket(conn->pg) == -1)
		pgconn_retire(conn, PQerrorMessage(conn->pg));
	else
		kore_platform_event_schedule(PQsocket(conn->pg),
		    status == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT, 0,
		    conn);
}

static void
pgconn_establish(struct pgconn *conn)
{
	if (PQsetnonblocking(conn->pg, 1) == -1 ||
	    PQenterPipelineMode(conn->pg) == 0) {
		pgconn_retire(conn, PQerrorMessage(conn->pg));
		return;
	}
	conn->state = PGCONN_READY;
	conn->ready_at_ms = kore_time_ms();
	conn->mask = 0;
	pgconn_arm(conn, EPOLLIN);
	conn->owner->on_up(conn, conn->owner_arg);
}

static void
pgconn_arm(struct pgconn *conn, int mask)
{
	if (mask == conn->mask)
		return;
	/* Scheduling a closed socket would end the worker. */
	if (PQsocket(conn->pg) == -1)
		return;
	kore_platform_event_schedule(PQsocket(conn->pg), mask | EPOLLRDHUP, 0,
	    conn);
	conn->mask = mask;
}

/* Closes, plans the next attempt and gives the jobs back. */
static void
pgconn_retire(struct pgconn *conn, const char *reason)
{
	struct pgjob *head = conn->head;
	enum pgjob_end end = conn->end;
	uint64_t now_ms = kore_time_ms();
	PGconn *pg = conn->pg;
	bool was_up = conn->state != PGCONN_CONNECTING;

	if (was_up && now_ms - conn->ready_at_ms > STABLE_MS)
		conn->attempts = 0;
	conn->pg = NULL;
	conn->state = PGCONN_WAITING;
	conn->retry_at_ms = now_ms + pgconn_backoff_ms(conn->attempts++);
	conn->head = conn->last = NULL;
	conn->in_flight = conn->writes = conn->sharers = 0;
	free(conn->prepared);
	conn->prepared = NULL;
	conn->prepared_cap = conn->prepared_count = 0;

	/* The reason may be libpq's: before the end of pg. */
	conn->owner->on_down(conn, was_up, reason, conn->owner_arg);
	/* Says goodbye without waiting: the socket is non-blocking. */
	PQfinish(pg);
	pgconn_give_back(conn, head, end);
}

/* Nothing is wrong with it: no back-off. */
static void
pgconn_renew(struct pgconn *conn, uint64_t now_ms)
{
	pgconn_retire(conn, NULL);
	conn->attempts = 0;
	conn->retry_at_ms = now_ms;
}

/* 50 ms doubling to 2 s, give or take a quarter. */
static uint64_t
pgconn_backoff_ms(unsigned attempts)
{
	uint64_t delay = BACKOFF_MIN_MS;
	uint16_t noise;

	while (attempts-- > 0 && delay < BACKOFF_MAX_MS)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	random_bytes(&noise, sizeof(noise));
	return (delay * 3 / 4 + delay / 2 * noise / UINT16_MAX);
}

/* on_job may submit further jobs and free this one. */
static void
pgconn_give_back(struct pgconn *conn, struct pgjob *head, enum pgjob_end end)
{
	struct pgjob *job, *next;

	for (job = head; job != NULL; job = next) {
		next = job->next;
		job->next = NULL;
		job->conn = NULL;
		conn->owner->on_job(conn, job,
		    pgjob_break(job, job == head, end), conn->owner_arg);
	}
}

static void
pgconn_read(struct pgconn *conn)
{
	const char *trouble;
	bool is_alive;

	/*
	 * A write that failed has taken in what the server said last, and
	 * libpq forgets which questions are open when it reads the end
	 * (pqDropConnection): so first what is there, then more.
	 */
	conn->is_held = false;
	trouble = pgconn_drain(conn);
	if (trouble == NULL && conn->state == PGCONN_READY &&
	    pgconn_is_paused(conn)) {
		pgconn_flush(conn);
		return;
	}
	is_alive = trouble == NULL && pgconn_consume(conn);
	if (trouble == NULL)
		trouble = pgconn_drain(conn);
	pgconn_notifies(conn);

	if (trouble != NULL) {
		pgconn_retire(conn, trouble);
	} else if (!is_alive || conn->state == PGCONN_BROKEN ||
		   PQstatus(conn->pg) != CONNECTION_OK) {
		pgconn_retire(conn, conn->last_words[0] != '\0' ?
					conn->last_words :
					PQerrorMessage(conn->pg));
	} else {
		pgconn_flush(conn);
	}
}

/* Epoll does not see what OpenSSL has decrypted already. */
static bool
pgconn_consume(struct pgconn *conn)
{
	const SSL *ssl;

	do {
		if (PQconsumeInput(conn->pg) == 0)
			return (false);
		ssl = PQsslStruct(conn->pg, "OpenSSL");
	} while (ssl != NULL && SSL_pending(ssl) > 0);
	return (true);
}

/* Returns the reason if the connection cannot be used any more. */
static const char *
pgconn_drain(struct pgconn *conn)
{
	PGresult *result;
	const char *trouble;
	int nulls = 0;

	while (conn->head != NULL && !pgconn_is_paused(conn) &&
	       !PQisBusy(conn->pg)) {
		/* NULL ends each statement's results: one, never a run. */
		if ((result = PQgetResult(conn->pg)) == NULL) {
			pgconn_begin_stream(conn);
			if (++nulls <= 2)
				continue;
			return (PQstatus(conn->pg) == CONNECTION_OK ?
				    "answers out of step" :
				    PQerrorMessage(conn->pg));
		}
		nulls = 0;
		if ((trouble = pgconn_take(conn, result)) != NULL)
			return (trouble);
	}
	if (pgconn_is_paused(conn))
		conn->is_held = true;
	return (NULL);
}

/* Row by row has to be asked for when libpq has come to the statement, which
 * is behind the NULL of the one before: a stream is never a job's first. */
static void
pgconn_begin_stream(struct pgconn *conn)
{
	const struct pgjob *job = conn->head;

	if (job->op.kind == PGOP_EXECUTE &&
	    job->steps[job->op.step].is_streamed)
		(void)PQsetSingleRowMode(conn->pg);
}

static void
pgconn_hand_out(struct pgconn *conn, struct pgjob *job, const PGresult *rows)
{
	job->has_streamed = true;
	conn->head_since_ms = kore_time_ms();
	if (!job->is_abandoned)
		job->on_row(job, rows, job->arg);
}

static bool
pgconn_is_paused(const struct pgconn *conn)
{
	return (conn->head != NULL && conn->head->is_paused);
}

/* Its time is the silence since the last row; a pause is not the server's. */
static void
pgconn_tend_stream(struct pgconn *conn, uint64_t now_ms)
{
	if (conn->head->is_abandoned) {
		pgconn_renew(conn, now_ms);
	} else if (conn->head->is_paused) {
		conn->head_since_ms = now_ms;
	} else if (conn->is_held) {
		pgconn_read(conn);
		conn->owner->on_turn(conn, conn->owner_arg);
	}
}

static const char *
pgconn_take(struct pgconn *conn, PGresult *owned_result)
{
	struct pgjob *job = conn->head;
	struct pgop op = job->op;
	struct prepared *entry;
	ExecStatusType status = PQresultStatus(owned_result);
	bool is_ok = pgresult_is_ok(owned_result), is_fatal;

	if (PQresultMemorySize(owned_result) >= SWOLLEN_LEN)
		conn->is_swollen = true;
	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(owned_result);
		if (op.kind != PGOP_SYNC)
			return ("answers out of step");
		pgconn_end_transaction(conn);
		return (NULL);
	}
	if (op.kind == PGOP_EXECUTE && job->steps[op.step].is_streamed &&
	    PQntuples(owned_result) > 0) {
		pgconn_hand_out(conn, job, owned_result);
		if (status == PGRES_SINGLE_TUPLE) {
			PQclear(owned_result);
			return (NULL);
		}
	}
	is_fatal = pgresult_is_fatal(owned_result);
	if (is_fatal ||
	    (status == PGRES_FATAL_ERROR &&
		PQstatus(conn->pg) != CONNECTION_OK &&
		PQresultErrorField(owned_result, PG_DIAG_SQLSTATE) == NULL)) {
		if (is_fatal)
			conn->end = PGJOB_END_KILLED;
		pgconn_keep_words(conn, PQresultErrorMessage(owned_result));
		PQclear(owned_result);
		return (conn->last_words);
	}
	if ((op.kind == PGOP_SYNC && is_ok) ||
	    (!is_ok && status != PGRES_FATAL_ERROR &&
		status != PGRES_PIPELINE_ABORTED)) {
		PQclear(owned_result);
		return ("unexpected kind of answer");
	}

	entry = pgconn_prepared(conn, job->steps[op.step].variant->id);
	if (op.kind == PGOP_PREPARE && !is_ok && entry != NULL) {
		/* The server does not have it. */
		entry->is_sent = false;
		conn->prepared_count--;
	}
	if (pgjob_take_result(job, owned_result))
		pgconn_forget(conn, job, &op);
	/* The rows of a read are good without the Sync. */
	if (job->is_joined && job->op.kind == PGOP_SYNC)
		pgconn_end_transaction(conn);
	return (NULL);
}

static void
pgconn_keep_words(struct pgconn *conn, const char *words)
{
	(void)snprintf(conn->last_words, sizeof(conn->last_words), "%s", words);
}

/*
 * The server may still hold a statement, in a shape that does not fit: the
 * next one gets another name.
 */
static void
pgconn_forget(struct pgconn *conn, const struct pgjob *job,
    const struct pgop *op)
{
	struct prepared *entry;
	size_t i;

	for (i = op->first; i <= op->last; i++) {
		entry = pgconn_prepared(conn, job->steps[i].variant->id);
		if (entry == NULL)
			continue;
		entry->is_sent = false;
		entry->generation++;
	}
}

static void
pgconn_end_transaction(struct pgconn *conn)
{
	struct pgjob *job = conn->head;

	if (!pgjob_end_transaction(job))
		return;
	conn->head = job->next;
	conn->in_flight--;
	if (!job->is_read_only)
		conn->writes--;
	conn->head_since_ms = kore_time_ms();
	job->next = NULL;
	job->conn = NULL;
	conn->owner->on_job(conn, job, pgjob_conclude(job), conn->owner_arg);
}

static void
pgconn_notifies(struct pgconn *conn)
{
	PGnotify *notify;

	while ((notify = PQnotifies(conn->pg)) != NULL) {
		if (conn->owner->on_notify != NULL)
			conn->owner->on_notify(notify->extra, conn->owner_arg);
		PQfreemem(notify);
	}
}

/* A Parse may fail, and would be lost when another job does. */
static bool
pgconn_can_join(struct pgconn *conn, const struct pgjob *job)
{
	struct prepared *entry;
	size_t i;

	if (!job->may_share || job->prepares != 0 || job->replans > 0)
		return (false);
	for (i = 0; i < job->step_count; i++) {
		entry = pgconn_prepared(conn, job->steps[i].variant->id);
		if (entry == NULL || !entry->is_sent ||
		    job->steps[i].sync_after)
			return (false);
	}
	return (true);
}

/* The Sync is that of the last one, whose answer tells of it. */
static void
pgconn_end_shared(struct pgconn *conn)
{
	const struct pgop sync = { .kind = PGOP_SYNC };

	if (conn->sharers == 0)
		return;
	conn->sharers = 0;
	conn->last->is_joined = false;
	if (conn->state == PGCONN_READY &&
	    !pgconn_write_op(conn, conn->last, &sync))
		conn->state = PGCONN_BROKEN;
}

static bool
pgconn_write(struct pgconn *conn, struct pgjob *job)
{
	struct pgop op;

	for (op = job->op; op.kind != PGOP_END; pgop_next(job, &op)) {
		if (op.kind == PGOP_SYNC && job->is_joined) {
			job->is_exposed = true;
			return (true);
		}
		if (!pgconn_write_op(conn, job, &op))
			return (false);
	}
	return (true);
}

static bool
pgconn_write_op(struct pgconn *conn, struct pgjob *job, const struct pgop *op)
{
	const struct pgstep *step = &job->steps[op->step];
	const struct variant *variant = step->variant;
	struct prepared *entry;
	char name[32];
	size_t i;

	if (op->kind == PGOP_SYNC) {
		job->is_exposed = true;
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
		return (PQsendPipelineSync(conn->pg) == 1);
#else
		return (PQpipelineSync(conn->pg) == 1);
#endif
	}
	for (i = 0; step->lengths != NULL && i < variant->param_count; i++) {
		if ((size_t)step->lengths[i] >= SWOLLEN_LEN)
			conn->is_swollen = true;
	}
	entry = pgconn_prepared(conn, variant->id);
	if (entry == NULL || !entry->is_sent || job->replans > 0)
		return (PQsendQueryParams(conn->pg, variant->text,
			    (int)variant->param_count, NULL, step->values,
			    step->lengths, step->formats,
			    step->result_format) == 1);

	statement_name_of(variant->id, entry, name);
	if (op->kind == PGOP_PREPARE)
		return (
		    PQsendPrepare(conn->pg, name, variant->text, 0, NULL) == 1);
	return (PQsendQueryPrepared(conn->pg, name, (int)variant->param_count,
		    step->values, step->lengths, step->formats,
		    step->result_format) == 1);
}

/*
 * Which steps need a Parse first: what is new here, as long as it fits. A job
 * that found no plan brings its text along: the Parse of another that it
 * would rely on may be one that always fails.
 */
static void
pgconn_plan(struct pgconn *conn, struct pgjob *job)
{
	struct prepared *entry;
	size_t i;

	job->prepares = 0;
	for (i = 0; i < job->step_count && job->replans == 0; i++) {
		if ((job->todo & (1u << i)) == 0)
			continue;
		entry = pgconn_prepared(conn, job->steps[i].variant->id);
		if (entry == NULL || entry->is_sent ||
		    conn->prepared_count >= PREPARED_MAX)
			continue;
		entry->is_sent = true;
		conn->prepared_count++;
		job->prepares |= 1u << i;
	}
}

/* NULL: never prepared. Valid until the next call. */
static struct prepared *
pgconn_prepared(struct pgconn *conn, uint32_t id)
{
	size_t cap = conn->prepared_cap;

	if (id == VARIANT_UNNAMED)
		return (NULL);
	if (id >= cap) {
		cap = ((size_t)id / 256 + 1) * 256;
		conn->prepared = must_have(
		    realloc(conn->prepared, cap * sizeof(*conn->prepared)));
		memset(conn->prepared + conn->prepared_cap, 0,
		    (cap - conn->prepared_cap) * sizeof(*conn->prepared));
		conn->prepared_cap = cap;
	}
	return (&conn->prepared[id]);
}

static void
statement_name_of(uint32_t id, const struct prepared *entry, char out[32])
{
	(void)snprintf(out, 32, "v%u_%u", (unsigned)id,
	    (unsigned)entry->generation);
}

static void *
must_have(void *ptr)
{
	if (ptr == NULL)
		abort();
	return (ptr);
}
