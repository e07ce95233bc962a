/*
 * pgjob.h -- how a job is written to a connection and read back. Private to
 * the pool; needs neither a connection nor Kore.
 *
 * A job falls into transactions: the steps up to one with sync_after, or to
 * the last. The messages of a transaction are, in this order,
 *
 *	Parse for every step that this connection has not prepared yet,
 *	Bind and Execute for every step,
 *	Sync,
 *
 * so that a refused Parse is known before anything has run. Sender and
 * reader both walk pgop_first() … pgop_next(), therefore every answer finds
 * the message that it belongs to.
 */
#ifndef DUDAO_IO_PGJOB_H
#define DUDAO_IO_PGJOB_H

#include "io/pgpool.h"

/* A variant that is not known to the process' table: never prepared. */
#define VARIANT_UNNAMED UINT32_MAX

/* What becomes of a job that has left its connection. */
enum pgjob_verdict {
	PGJOB_FINISHED, /* outcome is set: tell the caller */
	PGJOB_AGAIN	/* send what is still to do once more */
};

/* What the end of a connection tells about the job at its head. */
enum pgjob_end {
	PGJOB_END_BROKEN, /* nothing: it may have run or not */
	PGJOB_END_KILLED  /* FATAL came in place of its answer */
};

/* Results NULL, everything to do. */
void pgjob_start(struct pgjob *job);

/*
 * The job is about to be written behind the other one, in its transaction:
 * a first step that is the other's as well, value for value, is left out.
 */
void pgjob_join(struct pgjob *job, const struct pgjob *before);

void pgop_first(const struct pgjob *job, struct pgop *op);
void pgop_next(const struct pgjob *job, struct pgop *op);

/*
 * Takes the answer to job->op, which is no Sync, and moves on. true: its
 * plan is stale; those of its whole transaction have to be prepared anew,
 * since the statements behind it were not tried.
 */
bool pgjob_take_result(struct pgjob *job, PGresult *owned_result) MUST_CHECK;
/* The transaction has ended, or the job's part in it, if it was joined.
 * true: it was the job's last one. */
bool pgjob_end_transaction(struct pgjob *job) MUST_CHECK;
/* After the last transaction. */
enum pgjob_verdict pgjob_conclude(struct pgjob *job) MUST_CHECK;

/* The connection has ended with the job unfinished. */
enum pgjob_verdict pgjob_break(struct pgjob *job, bool is_head,
    enum pgjob_end end) MUST_CHECK;

/* A server's FATAL, which ends the session; libpq's own errors have no
 * SQLSTATE. */
bool pgresult_is_fatal(const PGresult *result);
bool pgresult_is_ok(const PGresult *result);

#endif
