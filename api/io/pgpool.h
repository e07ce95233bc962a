/*
 * pgpool.h -- PostgreSQL connections of one worker, in pipeline mode on
 * Kore's event loop. This header is the whole contract of the layer.
 *
 * A job is up to PGJOB_STEPS_MAX prepared statements and one Sync: one
 * implicit transaction. Results arrive in order. A connection that is idle
 * is preferred; when all are busy, jobs are pipelined up to a depth, then
 * queued up to a bound, then refused. Connections are made asynchronously,
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

#define PGJOB_STEPS_MAX	6

enum pgjob_outcome {
	PGJOB_DONE,		/* every step gave a result */
	PGJOB_FAILED,		/* the database refused: error is set */
	PGJOB_UNAVAILABLE,	/* never sent: no connection in time, or queue full */
	PGJOB_LOST		/* the connection broke after it was sent: outcome unknown */
};

struct pgstep {
	const struct variant	*variant;
	const char *const	*values;	/* borrowed until on_done; NULL entries are SQL null */
	const int		*lengths;	/* NULL: all text */
	const int		*formats;	/* NULL: all text; 1 = binary */
	int			 result_format;	/* 0 text, 1 binary */
	bool			 sync_after;	/* ends the transaction here: the parts stand or fail each for itself; a later one is run even if an earlier one failed */
};

/* Private: one message of a job, see pgjob.h. */
struct pgop {
	enum { PGOP_PREPARE, PGOP_EXECUTE, PGOP_SYNC, PGOP_END } kind;
	size_t	step;
	size_t	first, last;	/* of the transaction that it belongs to */
};

struct pgjob;
typedef void (*pgjob_done_fn)(struct pgjob *job, void *arg);

/* Filled by the caller, then lent to the pool until on_done is called. */
struct pgjob {
	struct pgstep		 steps[PGJOB_STEPS_MAX];
	size_t			 step_count;
	pgjob_done_fn		 on_done;	/* called from an event or timer callback, never from pgpool_submit() */
	void			*arg;
	bool			 is_read_only;	/* may be sent once more when its connection broke; else such a job is LOST */
	int64_t			 timeout_ms;	/* the statement_timeout that it sets for itself; 0: the pool's. A job that has run for step_count times as long and 5 s more loses its connection */
	/* Results, owned by the job: pgjob_clear(). */
	PGresult		*results[PGJOB_STEPS_MAX];	/* NULL: not run, or rolled back */
	enum pgjob_outcome	 outcome;
	size_t			 failed_step;	/* the first one; its error is in results */
	/* Private to the pool, set by pgpool_submit(). */
	struct pgjob		*next;
	struct pgpool		*pool;
	uint64_t		 number;	/* in order of submission */
	uint64_t		 queued_at_ms;
	struct pgop		 op;		/* the message whose answer is awaited */
	unsigned		 todo;		/* one bit a step: not yet done for good */
	unsigned		 prepares;	/* its Parse goes with this try */
	unsigned		 failed;
	unsigned		 stale;		/* failed for a lost or outdated plan only */
	bool			 is_abandoned;
	bool			 is_exposed;	/* a Sync has been written: it may have taken effect */
	unsigned		 replans;	/* times sent again after a stale plan */
	bool			 is_second_conn;	/* sent again after a broken connection */
};

struct pgpool;
struct pgpool_stats { unsigned connected, in_flight, queued; };

struct pgpool_options {
	const char	*name;			/* for logs: "main", "slow" */
	const char	*conninfo;		/* URI or keywords; borrowed */
	int		 size;
	int		 depth;			/* jobs in flight a connection */
	int		 queue_max;
	int		 queue_wait_ms;		/* a job that waits longer is UNAVAILABLE */
	int64_t		 statement_timeout_ms;	/* session default */
	const char	*application_name;
};

/* In a worker. Starts connecting; returns at once. Never freed. Resolve host names in the parent: pginfo_resolve(). */
struct pgpool	*pgpool_new(const struct pgpool_options *options);

/*
 * Takes the job (its results have to be clear). false: the queue is full, or
 * the database has been away for longer than queue_wait_ms; on_done will not
 * be called. Statements are prepared on first use of a connection, in the
 * same pipeline; after "cached plan must not change" or a lost statement the
 * transaction, which was rolled back, is prepared anew and sent once more.
 * So is one that the server ended (restart, failover) before it took effect.
 */
bool		 pgpool_submit(struct pgpool *pool, struct pgjob *job) MUST_CHECK;

/* The client has gone: on_done is still called, so that the memory can be freed; a queued job is not sent any more. */
void		 pgjob_abandon(struct pgjob *job);
/* Frees the results. */
void		 pgjob_clear(struct pgjob *job);

/* SQLSTATE, message detail, constraint … of the failed step; NULL if absent. */
const char	*pgjob_error_field(const struct pgjob *job, int field);

/* Sends what the turn's jobs have written; call once per turn of the loop (cheap when there is nothing). */
void		 pgpool_flush(struct pgpool *pool);
/* true when at least one connection is ready. */
bool		 pgpool_is_ready(const struct pgpool *pool);
void		 pgpool_stats(const struct pgpool *pool, struct pgpool_stats *out);

/*
 * LISTEN on an own connection; on_notify gets each payload. on_state tells
 * when listening begins (true) and when it is lost (false): while it is
 * lost nothing that depends on notifications may be trusted.
 */
void		 pglisten_start(const char *conninfo, const char *channel,
		    void (*on_notify)(const char *payload),
		    void (*on_state)(bool is_listening));

#endif
