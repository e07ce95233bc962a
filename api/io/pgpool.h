/*
 * pgpool.h -- PostgreSQL connections of one worker, in pipeline mode on
 * Kore's event loop. This header is the whole contract of the layer.
 *
 * A job is up to PGJOB_STEPS_MAX prepared statements and one Sync: one
 * implicit transaction. Short reads of one turn of the event loop share
 * theirs, see may_share. Results of a connection arrive in order. One that is
 * idle is preferred; when all are busy, jobs are pipelined up to a depth, then
 * queued up to a bound, then refused. Reads do not wait for writes: of four
 * connections one is left to them. Connections are made asynchronously,
 * heal themselves with back-off, and never block or end the worker.
 */
#ifndef DUDAO_IO_PGPOOL_H
#define DUDAO_IO_PGPOOL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "contract/statement.h"

#define PGJOB_STEPS_MAX 6

enum pgjob_outcome {
	/* Every step gave a result. */
	PGJOB_DONE,
	/* The database refused: failed_step and its error are set. */
	PGJOB_FAILED,
	/* Without effect: no connection in time. */
	PGJOB_UNAVAILABLE,
	/* The connection broke after it was sent: outcome unknown. */
	PGJOB_LOST
};

struct pgstep {
	const struct variant *variant;
	/* Borrowed until on_done; NULL entries are SQL null. */
	const char *const *values;
	const int *lengths; /* NULL: all text */
	const int *formats; /* NULL: all text; 1 = binary */
	int result_format;  /* 0 text, 1 binary */
	/*
	 * Ends the transaction here. The parts stand or fail each for itself:
	 * a later one is run even if an earlier one has failed.
	 */
	bool sync_after;
	/*
	 * Its rows go to the job's on_row as they come (one or more in a
	 * result), and are not kept: for what is larger than memory.
	 */
	bool is_streamed;
};

/* Private: one message of a job, see pgjob.h. */
enum pgop_kind {
	PGOP_PREPARE,
	PGOP_EXECUTE,
	PGOP_SYNC,
	PGOP_END
};

struct pgop {
	enum pgop_kind kind;
	size_t step;
	size_t first, last; /* of the transaction that it belongs to */
};

struct pgconn;
struct pgjob;
struct pgpool;
typedef void (*pgjob_done_fn)(struct pgjob *job, void *arg);
typedef void (*pgjob_row_fn)(struct pgjob *job, const PGresult *row, void *arg);

/* Filled by the caller, then lent to the pool until on_done is called. */
struct pgjob {
	struct pgstep steps[PGJOB_STEPS_MAX];
	size_t step_count;
	/* From an event or timer callback, never from pgpool_submit(). */
	pgjob_done_fn on_done;
	pgjob_row_fn on_row; /* with a streamed step; see pgjob_pause() */
	void *arg;
	/*
	 * May be sent once more when its connection breaks without a word;
	 * any other job is then LOST. Overtakes those that are not.
	 */
	bool is_read_only;
	/*
	 * A short read whose first step sets everything that its other steps
	 * read of the transaction: it may run behind others in one transaction,
	 * which saves the server and the network most of what a transaction
	 * costs, and skips its first step when the job before it has done just
	 * that. Should one of these fail, those behind it run again, each in
	 * its own.
	 */
	bool may_share;
	/*
	 * The statement_timeout that it sets for itself; 0: the pool's. A job
	 * that runs for step_count times as long and 5 s more loses its
	 * connection: the server does not answer.
	 */
	int64_t timeout_ms;

	/* Results, owned by the job: pgjob_clear(). */
	PGresult *results[PGJOB_STEPS_MAX]; /* NULL: not run, or rolled back */
	enum pgjob_outcome outcome;
	size_t failed_step; /* the first one; its error is in results */

	/* Private to the pool, set by pgpool_submit(). */
	struct pgjob *next;
	struct pgpool *pool;
	uint64_t number; /* in order of submission */
	uint64_t queued_at_ms;
	struct pgop op;	   /* the message whose answer is awaited */
	unsigned todo;	   /* a bit for each step: not yet done for good */
	unsigned prepares; /* … its Parse goes with this try */
	unsigned failed;
	unsigned stale;	  /* … failed for a lost or outdated plan only */
	unsigned replans; /* times sent again for that */
	bool is_abandoned;
	bool is_exposed;     /* a Sync is written: it may have taken effect */
	bool is_second_conn; /* sent again after a broken connection */
	bool is_joined;	     /* its transaction ends with a later job's Sync */
	bool was_dragged;    /* … and was aborted by an earlier job of it */
	bool is_spared;	     /* its first step is what another's there did */
	struct pgconn *conn; /* that it has been sent to */
	bool is_paused;
	bool has_streamed; /* rows were handed out: never sent again */
};

struct pgpool_stats {
	unsigned connected, in_flight, queued;
};

struct pgpool_options {
	const char *name;     /* for logs: "main", "slow" */
	const char *conninfo; /* URI or keywords; borrowed */
	int size;
	int depth; /* jobs in flight a connection */
	int queue_max;
	int queue_wait_ms;	      /* then a job is UNAVAILABLE */
	int64_t statement_timeout_ms; /* of the session */
	const char *application_name;
};

/*
 * In a worker. Starts connecting; returns at once; is never freed. Host names
 * have been resolved in the parent: pginfo_resolve().
 */
struct pgpool *pgpool_new(const struct pgpool_options *options);

/*
 * Takes the job, whose results have to be clear. false: the queue is full, or
 * the database has been away for longer than queue_wait_ms; on_done will not
 * be called.
 *
 * Statements are prepared on first use of a connection, in the same pipeline.
 * After "cached plan must not change" or a lost statement the transaction,
 * which was rolled back, is prepared anew and sent once more. So is one that
 * the server ended (restart, failover) before it took effect.
 */
bool pgpool_submit(struct pgpool *pool, struct pgjob *job) MUST_CHECK;

/*
 * The client has gone: on_done is still called, so that the memory can be
 * freed, but a queued job is not sent any more, and a stream is broken off
 * with its connection.
 */
void pgjob_abandon(struct pgjob *job);
/*
 * From on_row: no further row until pgjob_resume(). Nothing is read from the
 * server meanwhile, which in its turn waits with the rest of the answer.
 */
void pgjob_pause(struct pgjob *job);
void pgjob_resume(struct pgjob *job);
/* Frees the results. */
void pgjob_clear(struct pgjob *job);

/* PG_DIAG_SQLSTATE … of the failed step; NULL if absent. */
const char *pgjob_error_field(const struct pgjob *job, int field);

/* true when at least one connection is ready. */
bool pgpool_is_ready(const struct pgpool *pool);
void pgpool_stats(const struct pgpool *pool, struct pgpool_stats *out);

/*
 * LISTEN on an own connection; on_notify gets each payload. on_state tells
 * when listening begins (true) and when it is lost (false): while it is
 * lost nothing that depends on notifications may be trusted. The connection
 * is probed every 10 s; a silent one is lost 10 s later.
 */
void pglisten_start(const char *conninfo, const char *channel,
    void (*on_notify)(const char *payload),
    void (*on_state)(bool is_listening));

#endif
